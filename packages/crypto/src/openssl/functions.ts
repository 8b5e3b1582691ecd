/** C types of parameters and results. A `pointer` is an address, as a number: none is ever made into an object. */
export type CType = 'pointer' | 'int' | 'uint' | 'size' | 'long' | 'void';

/**
 * The functions of libcrypto that are called, with the types of their result and then of their parameters. All are in every
 * OpenSSL from 3.0 on, documented in its manual (section 3), and none is deprecated.
 */
export const FUNCTIONS = {
  OPENSSL_version_major: ['uint'],
  OPENSSL_version_minor: ['uint'],
  ERR_clear_error: ['void'],

  EVP_CIPHER_fetch: ['pointer', 'pointer', 'pointer', 'pointer'],
  EVP_CIPHER_CTX_new: ['pointer'],
  EVP_CIPHER_CTX_free: ['void', 'pointer'],
  EVP_CIPHER_CTX_ctrl: ['int', 'pointer', 'int', 'int', 'pointer'],
  EVP_CIPHER_CTX_set_padding: ['int', 'pointer', 'int'],
  EVP_EncryptInit_ex: ['int', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer'],
  EVP_EncryptUpdate: ['int', 'pointer', 'pointer', 'pointer', 'pointer', 'int'],
  EVP_EncryptFinal_ex: ['int', 'pointer', 'pointer', 'pointer'],
  EVP_DecryptInit_ex: ['int', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer'],
  EVP_DecryptUpdate: ['int', 'pointer', 'pointer', 'pointer', 'pointer', 'int'],
  EVP_DecryptFinal_ex: ['int', 'pointer', 'pointer', 'pointer'],

  EVP_get_digestbyname: ['pointer', 'pointer'],
  EVP_MD_fetch: ['pointer', 'pointer', 'pointer', 'pointer'],
  EVP_MD_CTX_new: ['pointer'],
  EVP_MD_CTX_free: ['void', 'pointer'],
  EVP_MD_CTX_reset: ['int', 'pointer'],
  EVP_DigestInit_ex: ['int', 'pointer', 'pointer', 'pointer'],
  EVP_DigestUpdate: ['int', 'pointer', 'pointer', 'size'],
  EVP_DigestFinal_ex: ['int', 'pointer', 'pointer', 'pointer'],
  EVP_DigestSignInit_ex: ['int', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer'],
  EVP_DigestSign: ['int', 'pointer', 'pointer', 'pointer', 'pointer', 'size'],
  EVP_DigestVerifyInit_ex: [
    'int',
    'pointer',
    'pointer',
    'pointer',
    'pointer',
    'pointer',
    'pointer',
    'pointer',
  ],
  EVP_DigestVerify: ['int', 'pointer', 'pointer', 'size', 'pointer', 'size'],

  EVP_PKEY_new: ['pointer'],
  EVP_PKEY_free: ['void', 'pointer'],
  EVP_PKEY_copy_parameters: ['int', 'pointer', 'pointer'],
  EVP_PKEY_set1_encoded_public_key: ['int', 'pointer', 'pointer', 'size'],
  EVP_PKEY_new_raw_public_key_ex: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'size'],
  EVP_PKEY_get_raw_public_key: ['int', 'pointer', 'pointer', 'pointer'],
  EVP_PKEY_get_raw_private_key: ['int', 'pointer', 'pointer', 'pointer'],
  EVP_PKEY_get_octet_string_param: ['int', 'pointer', 'pointer', 'pointer', 'size', 'pointer'],
  EVP_PKEY_get_params: ['int', 'pointer', 'pointer'],
  d2i_AutoPrivateKey: ['pointer', 'pointer', 'pointer', 'long'],

  EVP_PKEY_CTX_new_from_name: ['pointer', 'pointer', 'pointer', 'pointer'],
  EVP_PKEY_CTX_new_from_pkey: ['pointer', 'pointer', 'pointer', 'pointer'],
  EVP_PKEY_CTX_free: ['void', 'pointer'],
  EVP_PKEY_CTX_set_group_name: ['int', 'pointer', 'pointer'],
  EVP_PKEY_CTX_set_signature_md: ['int', 'pointer', 'pointer'],
  EVP_PKEY_CTX_set_rsa_padding: ['int', 'pointer', 'int'],
  EVP_PKEY_CTX_set_rsa_pss_saltlen: ['int', 'pointer', 'int'],
  EVP_PKEY_keygen_init: ['int', 'pointer'],
  EVP_PKEY_generate: ['int', 'pointer', 'pointer'],
  EVP_PKEY_fromdata_init: ['int', 'pointer'],
  EVP_PKEY_fromdata: ['int', 'pointer', 'pointer', 'int', 'pointer'],
  EVP_PKEY_derive_init: ['int', 'pointer'],
  EVP_PKEY_derive_set_peer_ex: ['int', 'pointer', 'pointer', 'int'],
  EVP_PKEY_derive: ['int', 'pointer', 'pointer', 'pointer'],
  EVP_PKEY_sign_init: ['int', 'pointer'],
  EVP_PKEY_sign: ['int', 'pointer', 'pointer', 'pointer', 'pointer', 'size'],
  EVP_PKEY_verify_init: ['int', 'pointer'],
  EVP_PKEY_verify: ['int', 'pointer', 'pointer', 'size', 'pointer', 'size'],
  EVP_PKEY_encapsulate_init: ['int', 'pointer', 'pointer'],
  EVP_PKEY_encapsulate: ['int', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer'],
  EVP_PKEY_decapsulate_init: ['int', 'pointer', 'pointer'],
  EVP_PKEY_decapsulate: ['int', 'pointer', 'pointer', 'pointer', 'pointer', 'size'],
} as const;

type Numbers<T extends readonly unknown[]> = { [I in keyof T]: number };

type Signatures = typeof FUNCTIONS;

/** Those functions, to be called with numbers. Pointers that come back are addresses, and 0 is NULL. */
export type Libcrypto = {
  readonly [N in keyof Signatures]: Signatures[N] extends readonly [unknown, ...infer P]
    ? (...values: Numbers<P>) => number
    : never;
};
