export interface Packed {
  /** The package's folder, relative to the root. */
  readonly path: string;
  readonly name: string;
  /** The file. */
  readonly tarball: string;
}

export function packAll(root: string, folder: string): Promise<Packed[]>;
export function tarballName(manifest: { readonly name: string; readonly version: string }): string;
export function npm(args: readonly string[], cwd: string): Promise<string>;
