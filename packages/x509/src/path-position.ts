/** Where in a path a certificate stands. */
export type PathPosition = 'leaf' | 'intermediate' | 'anchor';
