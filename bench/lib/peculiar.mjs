import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { X509Certificate, X509ChainBuilder } from '@peculiar/x509';

/** The other certificate library in JavaScript: parses all, builds the chain, and looks at times and the name. */
export class PeculiarChain {
  #chain;

  constructor(chain) {
    this.#chain = chain;
  }

  async verify() {
    const [leaf, ...others] = this.#chain.map((der) => new X509Certificate(der));
    const path = await new X509ChainBuilder({ certificates: others }).build(leaf, webcrypto);
    const now = new Date();
    if (path.length !== this.#chain.length) throw new Error('the chain was not built');
    for (const { notBefore, notAfter } of path)
      if (!(notBefore <= now && now <= notAfter)) throw new Error('not valid now');
  }
}
