import { isIP } from 'node:net';
import { bytesEqual, encodePem } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type Certificate,
  CertificateError,
  createCertificationRequest,
  matchesName,
  parseCertificates,
  parsePrivateKey,
  peerNameOf,
} from '@testudo/x509';
import type { Authorization, Order } from 'acme-client';
import { type Clock, wait } from '../clock.ts';
import type { AcmeChallenge } from '../config/acme-choices.ts';
import { shown } from '../output/text.ts';
import { AcmeError } from './acme-error.ts';
import { checkedAuthorization, checkedOrder } from './answers.ts';
import type { ChallengeBoard } from './challenge-board.ts';
import type { AcmeSession } from './session.ts';

export interface IssueRequest {
  readonly session: AcmeSession;
  readonly names: readonly string[];
  /** Of the certificate to come, PEM; `isNamed`: the CA knows already which it is. */
  readonly keyFor: (isNamed: boolean) => Promise<string>;
  readonly board: ChallengeBoard;
  /** By preference. */
  readonly challenges: readonly AcmeChallenge[];
  /** An order of before that may not be finished, and where to note the one that is under way. */
  readonly order: string | undefined;
  readonly onOrder: (url: string | undefined) => void;
  /** Gets the function that takes an answer to a challenge away when it has done its work. */
  readonly onAnswered: (remove: () => void) => void;
  /** How the CA calls the certificate that is replaced (RFC 9773 §5); undefined where it has no such service. */
  readonly replaces: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Milliseconds between two questions whether the CA is done: at first, and at most; and for how long it is asked. */
const POLL = { first: 250, most: 5_000, longest: 60_000, inAll: 180_000 } as const;

/** A certificate with its key, PEM. */
export interface Issued {
  readonly chain: string;
  readonly key: string;
}

/**
 * Gets a certificate (RFC 8555 §7.4): order, answers to challenges, request, download. The chain fits key and names.
 * Throws {@link AcmeError}.
 */
export async function issue(request: IssueRequest): Promise<Issued> {
  const { session, onOrder } = request;
  let order = await openOrder(request);
  onOrder(order.url);
  try {
    if (order.status === 'pending') {
      await authorize(request, order);
      order = await untilDone(request, order, ['ready', 'valid']);
    }
    const key = await request.keyFor(order.status !== 'ready');
    if (order.status === 'ready') {
      const csr = certificationRequest(key, request.names);
      order = checkedOrder(await session.run((client) => client.finalizeOrder(order, csr)));
    }
    if (order.status !== 'valid') order = await untilDone(request, order, ['valid']);
    // RFC 8555 §7.4.2
    const chain: unknown = await session.run((client) => client.getCertificate(order));
    if (typeof chain !== 'string') throw new AcmeError('unusable', 'what the CA sent is not a certificate');
    checkChain(chain, key, request);
    onOrder(undefined);
    return { chain, key };
  } catch (error) {
    // What the CA has given up, or what makes no sense, is not gone on with; what only takes long is.
    const isOver = error instanceof AcmeError && error.kind !== 'slow' && error.kind !== 'unreachable';
    if (isOver) onOrder(undefined);
    throw error;
  }
}

/** newOrder (RFC 8555 §7.4), in place of the certificate that is replaced where the CA knows that. */
async function openOrder(request: IssueRequest): Promise<Order> {
  const { session, names, order: url, replaces } = request;
  const begun = url === undefined ? undefined : await resume(session, url);
  if (begun !== undefined) return begun;
  const identifiers = names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }));
  const create = async (more: object): Promise<Order> =>
    checkedOrder(await session.run((client) => client.createOrder({ identifiers, ...more })));
  if (replaces === undefined) return create({});
  try {
    return await create({ replaces });
  } catch (error) {
    // That it was replaced already, or that the CA does not know it, is no reason to go without (RFC 9773 §5).
    if (error instanceof AcmeError && NOT_REPLACEABLE.has(error.type ?? '')) return create({});
    throw error;
  }
}

const NOT_REPLACEABLE: ReadonlySet<string> = new Set([
  'alreadyReplaced',
  'malformed',
  'notFound',
  'conflict',
]);

/** An order of before, if the CA still goes on with it. */
async function resume(session: AcmeSession, url: string): Promise<Order | undefined> {
  try {
    const order = checkedOrder(await session.run((client) => client.getOrder({ url } as Order)));
    return order.status === 'invalid' ? undefined : order;
  } catch (error) {
    if (!(error instanceof AcmeError) || error.kind === 'unreachable') throw error;
    if (error.type === 'accountDoesNotExist') throw error;
    return undefined;
  }
}

/** Shows the CA that all names are ours (RFC 8555 §7.5). */
async function authorize(request: IssueRequest, order: Order): Promise<void> {
  const { session } = request;
  const all = await session.run((client) => client.getAuthorizations(order));
  const open = all
    .map((one) => checkedAuthorization(one, request.names))
    .filter(({ status }) => status !== 'valid');
  const removals: (() => void)[] = [];
  try {
    for (const authorization of open) removals.push(await answer(request, authorization));
    for (const authorization of open) await untilAuthorized(request, order, authorization);
  } finally {
    for (const remove of removals) request.onAnswered(remove);
  }
}

/** Puts the answer up, a key authorization (RFC 8555 §8.1), and tells the CA to look (§7.5.1). */
async function answer(request: IssueRequest, authorization: Authorization): Promise<() => void> {
  const { session, board, challenges } = request;
  const name = authorization.identifier.value;
  const kind = challenges.find((one) => authorization.challenges.some(({ type }) => type === one));
  const challenge = authorization.challenges.find(({ type }) => type === kind);
  if (challenge === undefined) {
    const offered = authorization.challenges.map(({ type }) => type);
    throw new AcmeError(
      'unusable',
      `${name}: the CA offers ${shown(offered.join(', '), 100)}, and the configuration wants ${challenges.join(' or ')}`,
    );
  }
  const keyAuthorization = await session.run((client) => client.getChallengeKeyAuthorization(challenge));
  const remove =
    kind === 'http-01'
      ? board.answerHttp(challenge.token, keyAuthorization)
      : board.answerTls(name, keyAuthorization);
  try {
    if (challenge.status === 'pending') await session.run((client) => client.completeChallenge(challenge));
    return remove;
  } catch (error) {
    remove();
    throw error;
  }
}

async function untilAuthorized(
  request: IssueRequest,
  order: Order,
  { url, identifier }: Authorization,
): Promise<void> {
  await poll(request, `the CA's check of ${identifier.value}`, async () => {
    const [answer] = await request.session.run((client) =>
      client.getAuthorizations({ ...order, authorizations: [url] }),
    );
    const now = checkedAuthorization(answer, request.names);
    if (now.status === 'valid') return now;
    if (now.status === 'pending') return undefined;
    const failed = now.challenges.find(({ error }) => error !== undefined);
    const { type, detail } = (failed?.error ?? {}) as { type?: string; detail?: string };
    throw new AcmeError(
      'check-failed',
      `${identifier.value}: the CA did not find the answer to ${failed?.type ?? 'its challenge'}: ${shown(detail ?? 'it does not say why', 400)}`,
      { type: type?.replace(/^urn:ietf:params:acme:error:/, '') },
    );
  });
}

/** RFC 8555 §7.1.6: an order goes from pending over ready and processing to valid, or becomes invalid. */
function untilDone(request: IssueRequest, order: Order, wanted: readonly Order['status'][]): Promise<Order> {
  return poll(request, "the CA's work on the order", async () => {
    const now = checkedOrder(await request.session.run((client) => client.getOrder(order)));
    if (wanted.includes(now.status)) return now;
    if (now.status !== 'invalid') return undefined;
    const { type, detail } = (now.error ?? {}) as { type?: string; detail?: string };
    throw new AcmeError(
      'refused',
      `the CA has abandoned the order: ${shown(detail ?? 'it does not say why', 400)}`,
      { type: type?.replace(/^urn:ietf:params:acme:error:/, '') },
    );
  });
}

/** Asks until there is an answer, at the pace that the CA wants (RFC 8555 §7.5.1). */
async function poll<T>(
  { session, clock, signal }: IssueRequest,
  what: string,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  let pause: number = POLL.first;
  for (let waited = 0; waited < POLL.inAll; ) {
    signal.throwIfAborted();
    const found = await ask();
    if (found !== undefined) return found;
    const delay = Math.min(session.transport.retryAfter ?? pause, POLL.longest);
    await wait(clock, delay, signal);
    waited += delay;
    pause = Math.min(pause * 1.5, POLL.most);
  }
  throw new AcmeError('slow', `${what} is not done after ${POLL.inAll / 1000} s: it will be continued later`);
}

/** What an order is finalized with (RFC 8555 §7.4). */
function certificationRequest(keyPem: string, names: readonly string[]): string {
  const privateKey = parsePrivateKey(keyPem, nodeCrypto);
  const { der } = createCertificationRequest({ provider: nodeCrypto, privateKey, names: [...names] });
  return encodePem('CERTIFICATE REQUEST', der);
}

/** What a CA sends is used only when it can be. */
function checkChain(pem: string, keyPem: string, { names, clock }: IssueRequest): void {
  const leaf = leafOf(pem);
  const key = parsePrivateKey(keyPem, nodeCrypto);
  if (!bytesEqual(leaf.spki, key.publicKey.spki))
    throw new AcmeError('unusable', "the CA's certificate is for another key");
  const missing = names.find((name) => !matchesName(leaf, peerNameOf(name)));
  if (missing !== undefined) throw new AcmeError('unusable', `the CA's certificate is not for ${missing}`);
  if (+leaf.notAfter <= clock.now())
    throw new AcmeError(
      'unusable',
      "the CA's certificate has expired already: is this machine's clock right?",
    );
}

function leafOf(pem: string): Certificate {
  try {
    return parseCertificates(pem)[0]!;
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new AcmeError('unusable', `what the CA sent is not a certificate: ${error.message}`, {
      cause: error,
    });
  }
}
