import { getCipherInfo } from 'node:crypto';

const answers = new Map<string, boolean>();

/** Whether OpenSSL has a cipher: a build of it (FIPS) or a relative (BoringSSL) may lack one. Asked once for each. */
export function isAvailable(algorithm: string): boolean {
  let answer = answers.get(algorithm);
  if (answer === undefined) {
    answer = getCipherInfo(algorithm) !== undefined;
    answers.set(algorithm, answer);
  }
  return answer;
}
