import { type Address, addressText } from './address.ts';
import { durationText } from './duration.ts';
import { LIMITS } from './limits.ts';
import { areSame } from './overlap.ts';
import type { CertificatePlan, ListenerPlan, Plan, ServicePlan } from './plan.ts';
import type { TicketPlan } from './tls-plan.ts';

/** Something that is another way in a new plan, in words; nothing secret stands in it. */
export interface Change {
  /** Undefined where it is about the gateway as a whole. */
  readonly listener: string | undefined;
  readonly text: string;
}

/** A listener of a new plan, and the one at the same address in the old plan. */
export interface Pair {
  readonly next: ListenerPlan;
  readonly old: ListenerPlan | undefined;
}

/**
 * The listeners of a new plan with those that they take the place of: one at an address is the same as before, whatever it
 * is called and does. Several at `:0` are told apart by their order.
 */
export function pairListeners(old: readonly ListenerPlan[], next: readonly ListenerPlan[]): Pair[] {
  const left = [...old];
  return next.map((one) => {
    const at = left.findIndex((other) => areSame(other.address, one.address));
    return { next: one, old: at === -1 ? undefined : left.splice(at, 1)[0] };
  });
}

/** Whether two parts of plans say the same. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What is another way in the new plan. */
export function changesBetween(old: Plan, next: Plan): Change[] {
  const pairs = pairListeners(old.listeners, next.listeners);
  const kept = new Set(pairs.map((pair) => pair.old));
  return [
    ...generalChanges(old, next).map((text) => ({ listener: undefined, text })),
    ...old.listeners
      .filter((one) => !kept.has(one))
      .map((one) => ({ listener: one.name, text: `removed: ${whereAndWhat(one)}` })),
    ...pairs.flatMap((pair) =>
      pair.old === undefined
        ? [{ listener: pair.next.name, text: `added: ${whereAndWhat(pair.next)}` }]
        : changesOf(pair.old, pair.next).map((text) => ({ listener: pair.next.name, text })),
    ),
  ];
}

function generalChanges(old: Plan, next: Plan): string[] {
  const isOtherAccount =
    old.acme !== undefined &&
    next.acme !== undefined &&
    !isSame(old.acme.externalAccount, next.acme.externalAccount);
  return [
    ...leaves(general(old), general(next)),
    ...(isOtherAccount ? ['acme.externalAccount: another one'] : []),
  ];
}

function general({ drain, logLevel, acme }: Plan): object {
  // Whose account it is is nobody's business in a log.
  return { drain: durationText(drain), logLevel, acme: acme && { ...acme, externalAccount: undefined } };
}

function changesOf(old: ListenerPlan, next: ListenerPlan): string[] {
  const parts = (plan: ListenerPlan): object => ({
    name: plan.name,
    service: serviceText(plan.service),
    certificates: plan.certificates.map(certificateText),
    hsts: plan.hsts,
    limits: Object.fromEntries(
      Object.entries(plan.limits).map(([name, value]) => [
        name,
        LIMITS[name as keyof typeof LIMITS].kind === 'time' ? durationText(value) : value,
      ]),
    ),
    ...plan.tls,
    tickets: ticketsText(plan.tls.tickets),
  });
  const texts = leaves(parts(old), parts(next));
  if (texts.length > 0 || isSame(old, next)) return texts;
  return ['changed'];
}

function ticketsText(plan: TicketPlan): string {
  if (plan.kind === 'none') return 'off';
  const keys = plan.kind === 'files' ? `keys of ${plan.files.join(' ')}` : 'own keys';
  const rotate =
    plan.kind === 'own' && plan.rotate !== undefined ? `, rotate ${durationText(plan.rotate)}` : '';
  return `${keys}${rotate}${plan.lifetime === undefined ? '' : `, lifetime ${durationText(plan.lifetime)}`}`;
}

function whereAndWhat({ address, service }: ListenerPlan): string {
  return `${addressText(address)}, ${serviceText(service)}`;
}

/** What is behind a listener. */
function serviceText(service: ServicePlan): string {
  switch (service.kind) {
    case 'forward':
      return `forward to ${addressText(service.target)}`;
    case 'proxy':
      return `proxy to ${service.upstream.href}${service.trustForwarded ? ', trusting X-Forwarded fields' : ''}`;
    case 'folder':
      return `folder ${service.root}${service.dotfiles ? ' with dotfiles' : ''}`;
    case 'echo':
    case 'welcome':
      return service.kind;
  }
}

function certificateText(plan: CertificatePlan): string {
  const names = plan.names === undefined ? '' : ` for ${plan.names.join(' ')}`;
  const mark = plan.isDefault ? ' (default)' : '';
  return `${plan.kind === 'files' ? `${plan.certificate} with ${plan.key}` : plan.kind}${names}${mark}`;
}

/** `name: old → new` for each value that is another one. */
function leaves(old: object, next: object, path = ''): string[] {
  const [before, after] = [old, next].map(
    (one) => JSON.parse(JSON.stringify(one)) as Record<string, unknown>,
  );
  const names = [...new Set([...Object.keys(before!), ...Object.keys(after!)])];
  return names.flatMap((name) => {
    const [one, other] = [before![name], after![name]];
    if (isSame(one, other)) return [];
    const place = path === '' ? name : `${path}.${name}`;
    if (isGroup(one) && isGroup(other)) return leaves(one, other, place);
    return [`${place}: ${valueText(one)} \u2192 ${valueText(other)}`];
  });
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isAddress(value);
}

function isAddress(value: unknown): value is Address {
  return typeof value === 'object' && value !== null && 'port' in value;
}

function valueText(value: unknown): string {
  if (value === undefined || value === null) return 'default';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueText).join(', ');
  if (isAddress(value)) return addressText(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
