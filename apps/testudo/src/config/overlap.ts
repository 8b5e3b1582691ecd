import { lookup } from 'node:dns/promises';
import { isIP, isIPv4 } from 'node:net';
import { EXIT, failures } from '../failure.ts';
import { type Address, addressText } from './address.ts';

/** Where something is to listen. */
export interface Place {
  /** How it is called in messages. */
  readonly name: string;
  readonly address: Address;
  /** The address itself, where a name stands in `address`. */
  readonly resolved?: Address;
}

/**
 * A line for each place that cannot be taken because of one before it: the same port at the same address, however that is
 * written, or at all addresses. Names of hosts are compared as they are written.
 */
export function overlaps(places: readonly Place[]): string[] {
  const lines = places.flatMap((place, index) => {
    const rival = places.slice(0, index).find((other) => areShared(addressOf(other), addressOf(place)));
    return rival === undefined ? [] : overlapText(rival, place);
  });
  return [...new Set(lines)];
}

/** As {@link overlaps}, once names are looked up. Rejects with a `Failure`. */
export async function checkOverlaps(places: readonly Place[]): Promise<void> {
  const problems = overlaps(await Promise.all(places.map(lookedUp)));
  if (problems.length > 0) throw failures(problems, EXIT.usage);
}

/** Whether two sockets cannot listen at both. Port 0 is another free one each time. */
export function areShared(one: Address, other: Address): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  const [a, b] = [normalHost(one.host), normalHost(other.host)];
  if (a === b || a === EVERY || b === EVERY) return true;
  return (a === EVERY_IPV4 && isIPv4(b)) || (b === EVERY_IPV4 && isIPv4(a));
}

/** Whether two addresses are the same, however they are written. */
export function areSame(one: Address, other: Address): boolean {
  return one.port === other.port && normalHost(one.host) === normalHost(other.host);
}

export function overlapText(one: Place, other: Place): string {
  const [first, second] = [addressText(one.address), addressText(other.address)];
  if (first === second) return `two listeners on ${first}: give each its own address`;
  const places = `${shownPlace(one)} and ${shownPlace(other)}`;
  if (areSame(addressOf(one), addressOf(other)))
    return `${places} are the same address: give each listener its own`;
  const wide = [one, other].find((place) => [EVERY, EVERY_IPV4].includes(normalHost(addressOf(place).host)));
  return `${places} overlap, since ${addressText((wide ?? one).address)} is every address: give each its own port`;
}

function shownPlace({ name, address }: Place): string {
  const text = addressText(address);
  return name.includes(text) ? name : `${name} (${text})`;
}

/** Of IPv4, too: Node listens so. */
const EVERY = '::';
const EVERY_IPV4 = '0.0.0.0';

/** The one way to write an address; a name in lower case. */
function normalHost(host: string = EVERY): string {
  const [bare = '', zone] = host.split('%', 2);
  const text = `http://${isIP(bare) === 6 ? `[${bare}]` : bare}`;
  if (!URL.canParse(text)) return host.toLowerCase();
  const normal = new URL(text).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const [, high, low] = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(normal) ?? [];
  if (high !== undefined && low !== undefined) {
    const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
    return [a >> 8, a & 255, b >> 8, b & 255].join('.');
  }
  return zone === undefined ? normal : `${normal}%${zone}`;
}

/** With an address in the place of a name, as Node gets it to listen; whoever binds says it if there is none. */
async function lookedUp(place: Place): Promise<Place> {
  const { host, port } = place.address;
  if (host === undefined || port === 0 || isIP(host) !== 0) return place;
  const found = await lookup(host).catch(() => undefined);
  return found === undefined ? place : { ...place, resolved: { host: found.address, port } };
}

function addressOf({ address, resolved }: Place): Address {
  return resolved ?? address;
}
