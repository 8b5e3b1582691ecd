import { type JsonWebKey, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  certificateToPem,
  createCertificateAuthority,
  ManagedAuthority,
  MemoryCertificateDatabase,
  privateKeyToPem,
} from '@testudo/x509';
import { ocspHandler } from '@testudo/x509/node';
import { folderWith } from '#app/testing';
import { cleanUp } from '../../interop/support/clean-up.ts';
import { openJws, Refusal, type SignedRequest, thumbprint } from './jws.ts';
import { validateHttp, validateTls } from './validation.ts';

/** What the CA does wrong, or differently, at the next request to a resource. */
export interface Script {
  readonly resource: string;
  readonly answer: Refusal | 'processing' | 'other-key' | 'hang-up' | { readonly instead: string };
}

interface Order {
  readonly names: readonly string[];
  readonly replaces: unknown;
  status: string;
  certificate?: string;
  readonly account: string;
  processing: number;
}

interface Authorization {
  readonly name: string;
  status: string;
  readonly challenges: { readonly type: string; readonly token: string; status: string; error?: object }[];
}

/**
 * An ACME server that takes nothing that RFC 8555 does not allow, and does what a test tells it to: refuse, be slow, hang
 * up, suggest a time for renewals (RFC 9773).
 */
export class StrictCa {
  readonly #authority = createCertificateAuthority({ provider: nodeCrypto, commonName: 'strict' });
  #managed = new ManagedAuthority(this.#authority, new MemoryCertificateDatabase());
  readonly #server: ReturnType<typeof createServer>;
  readonly #nonces: Set<string> = new Set();
  readonly #accounts: Map<string, { key: JsonWebKey; contact: unknown }> = new Map();
  readonly #orders: Order[] = [];
  readonly #authorizations: Authorization[] = [];
  readonly #ports: { http: number; tls: number };
  /** Days for which its certificates are good. */
  days = 90;
  /** Its clock, milliseconds since 1970. */
  now: () => number = Date.now;
  readonly script: Script[] = [];
  /** Resources that were asked for, in order: `newOrder`, `finalize`. */
  readonly log: string[] = [];
  /** Called before a request to a resource is looked at, which waits for it. */
  onRequest: (resource: string) => Promise<void> | void = () => undefined;
  /** What `GET renewalInfo` answers; without it there is no such service. */
  renewalWindow: { start: Date; end: Date } | undefined;

  /** `ports`: where it looks for challenges. */
  constructor(ports: { http: number; tls: number }) {
    this.#ports = ports;
    const issued = this.#authority.issue({ purpose: 'server', names: ['localhost'] });
    this.#server = createServer({
      key: privateKeyToPem(issued.privateKey!),
      cert: certificateToPem(issued.certificate),
    });
    this.#server.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part) => {
        body += part;
      });
      request.on('end', async () => {
        const headers: Record<string, string> = {
          'replay-nonce': this.#nonce(),
          'cache-control': 'no-store',
        };
        try {
          const result = await this.#serve(request.method ?? '', request.url ?? '', request.headers, body);
          if (result === 'hang-up') return void request.socket.destroy();
          const { status = 200, json, text = '', ...more } = result;
          const content = json === undefined ? text : JSON.stringify(json);
          response.writeHead(status, { ...headers, ...more.headers }).end(content);
        } catch (error) {
          const refusal =
            error instanceof Refusal ? error : new Refusal(500, 'serverInternal', String(error));
          const problem = { type: `urn:ietf:params:acme:error:${refusal.type}`, detail: refusal.message };
          response.writeHead(refusal.status, {
            ...headers,
            ...refusal.headers,
            'content-type': 'application/problem+json',
          });
          response.end(JSON.stringify(problem));
        }
      });
    });
  }

  get origin(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  get root(): string {
    return certificateToPem(this.#authority.certificate);
  }

  /** The block `acme` of a configuration, with further members. */
  block(more = ''): string {
    const file = join(folderWith(), 'ca.pem');
    writeFileSync(file, this.root);
    return `acme: { directory: "${this.origin}/directory", ca: "${file}", termsAgreed: true${more} }`;
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    cleanUp(() => this.close());
    return this;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  get replaced(): unknown[] {
    return this.#orders.map(({ replaces }) => replaces);
  }

  get contacts(): unknown[] {
    return [...this.#accounts.values()].map(({ contact }) => contact);
  }

  /** How many connections are open. */
  connections(): Promise<number> {
    return new Promise((resolve) => this.#server.getConnections((_, count) => resolve(count)));
  }

  /** From now on its certificates name a responder, which is there. */
  async startResponder(): Promise<void> {
    const signer = await this.#managed.ocspSigner();
    const answer = (request: Uint8Array): Promise<Uint8Array> =>
      this.#managed.ocsp(request, { signer, at: new Date(this.now()) });
    const responder = createHttpServer(ocspHandler({ answer }));
    await new Promise<void>((resolve) => responder.listen(0, '127.0.0.1', resolve));
    cleanUp(() => responder.close());
    const { port } = responder.address() as AddressInfo;
    const publication = { ocsp: [`http://127.0.0.1:${port}/`] };
    this.#managed = new ManagedAuthority(
      this.#authority.withPublication(publication),
      this.#managed.database,
    );
  }

  /** Revokes the certificate with this serial number, in hexadecimal. */
  async revoke(serial: string): Promise<void> {
    await this.#managed.revoke(new Uint8Array(Buffer.from(serial, 'hex')), { at: new Date(this.now()) });
  }

  /** Forgets all accounts. */
  loseAccounts(): void {
    this.#accounts.clear();
  }

  #nonce(): string {
    const nonce = randomBytes(16).toString('base64url');
    this.#nonces.add(nonce);
    return nonce;
  }

  async #serve(
    method: string,
    path: string,
    headers: Record<string, unknown>,
    body: string,
  ): Promise<Answer | 'hang-up'> {
    const [, resource = '', id = ''] = path.split('/');
    this.log.push(resource);
    await this.onRequest(resource);
    const next = this.script.findIndex((one) => one.resource === resource);
    const [scripted] = next === -1 ? [] : this.script.splice(next, 1);
    if (scripted?.answer instanceof Refusal) throw scripted.answer;
    if (scripted?.answer === 'hang-up') return 'hang-up';
    if (typeof scripted?.answer === 'object')
      return {
        status: resource.startsWith('new') ? 201 : 200,
        text: scripted.answer.instead,
        headers: { location: `${this.origin}/order/0` },
      };
    if (!headers['user-agent']) throw new Refusal(400, 'malformed', 'no User-Agent');
    if (resource === 'directory' && method === 'GET') return { json: this.#directory() };
    if (resource === 'newNonce' && (method === 'HEAD' || method === 'GET')) return {};
    if (resource === 'renewalInfo' && method === 'GET') return this.#renewalInfo(id);
    if (method !== 'POST') throw new Refusal(405, 'malformed', method);
    if (headers['content-type'] !== 'application/jose+json')
      throw new Refusal(415, 'malformed', String(headers['content-type']));
    const signed = openJws(
      body,
      `${this.origin}${path}`,
      this.#nonces,
      (kid) => this.#accounts.get(kid)?.key,
    );
    if ((resource === 'newAccount') !== (signed.jwk !== undefined))
      throw new Refusal(400, 'malformed', 'jwk is for newAccount alone');
    switch (resource) {
      case 'newAccount':
        return this.#newAccount(signed);
      case 'account':
        return this.#account(signed);
      case 'newOrder':
        return this.#newOrder(signed);
      case 'order':
        return this.#order(Number(id), signed, scripted);
      case 'authorization':
        return { json: this.#shown(Number(id)) };
      case 'challenge':
        return this.#challenge(id, signed);
      case 'finalize':
        return this.#finalize(Number(id), signed, scripted);
      case 'certificate':
        return {
          text: this.#orders[Number(id)]!.certificate ?? '',
          headers: { 'content-type': 'application/pem-certificate-chain' },
        };
      default:
        throw new Refusal(404, 'malformed', path);
    }
  }

  #directory(): object {
    const names = ['newNonce', 'newAccount', 'newOrder', 'revokeCert', 'keyChange'];
    if (this.renewalWindow !== undefined) names.push('renewalInfo');
    return Object.fromEntries(names.map((name) => [name, `${this.origin}/${name}`]));
  }

  #renewalInfo(id: string): Answer {
    if (this.renewalWindow === undefined || !/^[\w-]{20,}\.[\w-]+$/.test(id))
      throw new Refusal(404, 'malformed', 'no such certificate');
    return { json: { suggestedWindow: this.renewalWindow }, headers: { 'retry-after': '21600' } };
  }

  #newAccount({ jwk, payload }: SignedRequest): Answer {
    if (payload?.['termsOfServiceAgreed'] !== true)
      throw new Refusal(403, 'userActionRequired', 'the terms must be agreed to');
    const location = `${this.origin}/account/${thumbprint(jwk!)}`;
    const isNew = !this.#accounts.has(location);
    if (isNew) this.#accounts.set(location, { key: jwk!, contact: payload['contact'] });
    return { status: isNew ? 201 : 200, json: { status: 'valid' }, headers: { location } };
  }

  #account({ kid, payload }: SignedRequest): Answer {
    if (payload?.['contact'] !== undefined) this.#accounts.get(kid!)!.contact = payload['contact'];
    return { json: { status: 'valid' } };
  }

  #newOrder({ kid, payload }: SignedRequest): Answer {
    const identifiers = payload?.['identifiers'] as { type: string; value: string }[];
    const order = {
      names: identifiers.map(({ value }) => value),
      replaces: payload?.['replaces'],
      status: 'pending',
      account: kid!,
      processing: 0,
    };
    const id = this.#orders.push(order) - 1;
    for (const name of order.names) {
      const challenges = ['http-01', 'tls-alpn-01'].map((type) => ({
        type,
        token: randomBytes(16).toString('base64url'),
        status: 'pending',
      }));
      this.#authorizations.push({ name, status: 'pending', challenges });
    }
    return { status: 201, json: this.#shownOrder(id), headers: { location: `${this.origin}/order/${id}` } };
  }

  #order(id: number, { payload }: SignedRequest, script: Script | undefined): Answer {
    if (payload !== undefined) throw new Refusal(400, 'malformed', 'an order is read with POST-as-GET');
    const order = this.#orders[id]!;
    if (script?.answer === 'processing') return { json: { ...this.#shownOrder(id), status: 'processing' } };
    const own = this.#authorizationsOf(order);
    if (order.status === 'pending' && own.every(({ status }) => status === 'valid')) order.status = 'ready';
    if (own.some(({ status }) => status === 'invalid')) order.status = 'invalid';
    return { json: this.#shownOrder(id) };
  }

  #challenge(id: string, { kid, payload }: SignedRequest): Answer {
    if (JSON.stringify(payload) !== '{}') throw new Refusal(400, 'malformed', 'the payload must be {}');
    const [index = '', type = ''] = id.split('.');
    const authorization = this.#authorizations[Number(index)]!;
    const challenge = authorization.challenges.find((one) => one.type === type)!;
    if (authorization.status !== 'pending') throw new Refusal(400, 'malformed', 'it is not pending');
    const keyAuthorization = `${challenge.token}.${thumbprint(this.#accounts.get(kid!)!.key)}`;
    challenge.status = 'processing';
    const { http, tls } = this.#ports;
    const validation =
      type === 'http-01'
        ? validateHttp(authorization.name, http, challenge.token, keyAuthorization)
        : validateTls(authorization.name, tls, keyAuthorization);
    validation.then(
      () => {
        challenge.status = authorization.status = 'valid';
      },
      (error: Refusal) => {
        challenge.status = authorization.status = 'invalid';
        challenge.error = { type: `urn:ietf:params:acme:error:${error.type}`, detail: error.message };
      },
    );
    return { json: this.#shown(Number(index)).challenges.find((one) => one.type === type)! };
  }

  async #finalize(id: number, { payload }: SignedRequest, script: Script | undefined): Promise<Answer> {
    const order = this.#orders[id]!;
    if (order.status !== 'ready') throw new Refusal(403, 'orderNotReady', order.status);
    const csr = new Uint8Array(Buffer.from(String(payload?.['csr']), 'base64url'));
    const rules = { purpose: 'server', days: this.days, at: new Date(this.now()) } as const;
    const issued =
      script?.answer === 'other-key'
        ? this.#authority.issue({ ...rules, names: order.names })
        : await this.#managed.sign(csr, { ...rules, names: order.names });
    order.certificate = certificateToPem(...issued.certificateChain, this.#authority.certificate);
    order.status = 'valid';
    const shown = this.#shownOrder(id);
    return { json: script?.answer === 'processing' ? { ...shown, status: 'processing' } : shown };
  }

  #authorizationsOf(order: Order): Authorization[] {
    const before = this.#orders.slice(0, this.#orders.indexOf(order)).flatMap(({ names }) => names).length;
    return this.#authorizations.slice(before, before + order.names.length);
  }

  #shownOrder(id: number): object {
    const order = this.#orders[id]!;
    return {
      status: order.status,
      identifiers: order.names.map((value) => ({ type: 'dns', value })),
      authorizations: this.#authorizationsOf(order).map(
        (one) => `${this.origin}/authorization/${this.#authorizations.indexOf(one)}`,
      ),
      finalize: `${this.origin}/finalize/${id}`,
      ...(order.status === 'valid' ? { certificate: `${this.origin}/certificate/${id}` } : {}),
    };
  }

  #shown(index: number) {
    const { name, status, challenges } = this.#authorizations[index]!;
    return {
      status,
      identifier: { type: 'dns', value: name },
      challenges: challenges.map((one) => ({ ...one, url: `${this.origin}/challenge/${index}.${one.type}` })),
    };
  }
}

interface Answer {
  readonly status?: number;
  readonly json?: object;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
