/** A browser that was given http:// for an https:// port: worth an error of its own, as OpenSSL has it. */
export function isHttp(chunk: Uint8Array): boolean {
  const start = String.fromCharCode(...chunk.subarray(0, 5));
  return /^(GET |POST |HEAD |PUT |CONNE|OPTIO|DELET|PATCH)/.test(start);
}
