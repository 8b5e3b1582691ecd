import type { CurveName, EcCurve } from '../provider.ts';
import type { Native } from './native.ts';
import { KEY_PARAMETERS, Parameters } from './parameters.ts';

/** OpenSSL's name of each curve, and in bytes the length of a coordinate and of a public key. */
export const CURVES: Readonly<
  Record<CurveName, { readonly name: string; readonly length: number; readonly publicLength: number }>
> = {
  x25519: { name: 'X25519', length: 32, publicLength: 32 },
  x448: { name: 'X448', length: 56, publicLength: 56 },
  secp256r1: { name: 'prime256v1', length: 32, publicLength: 65 },
  secp384r1: { name: 'secp384r1', length: 48, publicLength: 97 },
  secp521r1: { name: 'secp521r1', length: 66, publicLength: 133 },
  brainpoolP256r1: { name: 'brainpoolP256r1', length: 32, publicLength: 65 },
  brainpoolP384r1: { name: 'brainpoolP384r1', length: 48, publicLength: 97 },
  brainpoolP512r1: { name: 'brainpoolP512r1', length: 64, publicLength: 129 },
};

/** Public keys of the curves in short Weierstrass form, from the parameters of one key for each curve and thread. */
export class NativeCurves {
  readonly #native: Native;
  readonly #making: number;
  readonly #templates = new Map<EcCurve, number>();

  constructor(native: Native) {
    const { lib, memory } = native;
    this.#native = native;
    this.#making = lib.EVP_PKEY_CTX_new_from_name(0, memory.text('EC'), 0);
    if (lib.EVP_PKEY_fromdata_init(this.#making) !== 1) throw new Error('libcrypto has no elliptic curves');
  }

  /** The public key of the uncompressed point at an address, for the caller to free; 0 when it is not on the curve. */
  publicKey(curve: EcCurve, point: number, length: number): number {
    const { lib } = this.#native;
    const template = this.#template(curve);
    if (template === 0) return 0;
    const key = lib.EVP_PKEY_new();
    const isDone =
      key !== 0 &&
      lib.EVP_PKEY_copy_parameters(key, template) === 1 &&
      lib.EVP_PKEY_set1_encoded_public_key(key, point, length) === 1;
    if (isDone) return key;
    lib.EVP_PKEY_free(key);
    lib.ERR_clear_error();
    return 0;
  }

  #template(curve: EcCurve): number {
    let template = this.#templates.get(curve);
    if (template === undefined) {
      const { lib, memory, result } = this.#native;
      const { name } = CURVES[curve];
      const parameters = new Parameters(memory, 1);
      parameters.addText('group', name);
      result.value = 0;
      const isDone =
        lib.EVP_PKEY_fromdata(this.#making, result.address, KEY_PARAMETERS, parameters.address) === 1;
      if (!isDone) lib.ERR_clear_error();
      template = isDone ? result.value : 0;
      this.#templates.set(curve, template);
    }
    return template;
  }
}
