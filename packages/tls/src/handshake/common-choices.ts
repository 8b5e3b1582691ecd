import type { ServerTerms } from '../config/config.ts';

/** What both sides have, suites or groups, by the server's order or, where it does not prefer its own, by the client's. */
export function commonChoices<T extends { readonly id: number }>(
  { preferServerOrder }: Pick<ServerTerms, 'preferServerOrder'>,
  ours: readonly T[],
  offered: readonly number[],
): T[] {
  return preferServerOrder
    ? ours.filter((own) => offered.includes(own.id))
    : offered.flatMap((id) => ours.find((own) => own.id === id) ?? []);
}
