/** What an operator should know before clients do. */
export interface Finding {
  /** `problem`: clients are refused, or a secret is none. `note`: all works, but not for ever, or not as it was meant. */
  readonly weight: 'problem' | 'note';
  /** One line, which says what to do. */
  readonly text: string;
}

export function problem(text: string): Finding {
  return { weight: 'problem', text };
}

export function note(text: string): Finding {
  return { weight: 'note', text };
}
