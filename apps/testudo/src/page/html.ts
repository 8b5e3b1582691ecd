/** HTML that is safe to put into a page as it is. Only {@link html} makes it. */
export class Html {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** @internal */
  static of(text: string): Html {
    return new Html(text);
  }

  toString(): string {
    return this.text;
  }
}

const WORD_BREAK: Html = Html.of('<wbr>');

type Value = string | number | Html | readonly Html[] | undefined | false;

/** A template whose values are escaped, whatever they are and whoever sent them; only {@link Html} goes in as it is. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return Html.of(parts.reduce((text, part, i) => text + rendered(values[i - 1]) + part));
}

/** A long word that may be broken after underscores, commas and before capitals in the middle of it, and nowhere else. */
export function breakable(text: string): Html {
  const parts = text.split(/(?<=[_,:/])|(?<=[a-z])(?=[A-Z])/);
  return html`${parts.map((part, i) => html`${i > 0 && WORD_BREAK}${part}`)}`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function rendered(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(String).join('');
  return escapeHtml(String(value));
}
