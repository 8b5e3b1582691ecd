import { inspect } from 'node:util';
import type { NodeTlsError } from './errors.ts';

/** Checks of arguments with the codes and words of Node, since programs and their tests match on them. */

export type Bytes = string | NodeJS.ArrayBufferView;

export function checkString(name: string, value: unknown): void {
  if (typeof value !== 'string') throw wrongType(name, 'of type string', value);
}

export function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw wrongType(name, 'of type boolean', value);
}

export function checkNumber(name: string, value: unknown): void {
  if (typeof value !== 'number') throw wrongType(name, 'of type number', value);
}

export function checkUint32(name: string, value: unknown): void {
  checkNumber(name, value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if ((value as number) < 1 || (value as number) > 0xffffffff) {
    throw outOfRange(name, '>= 1 && <= 4294967295', value);
  }
}

export function checkInt32(name: string, value: unknown, from: number = -(2 ** 31)): void {
  checkNumber(name, value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if ((value as number) < from || (value as number) > 2147483647) {
    throw outOfRange(name, `>= ${from} && <= 2147483647`, value);
  }
}

export function checkFunction<T>(name: string, value: T): T {
  if (value === undefined || value === null || typeof value === 'function') return value;
  throw wrongType(name, 'of type function', value);
}

export function checkObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(name, 'of type object', value);
  }
}

export function checkArray(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw wrongType(name, 'an instance of Array', value);
}

export function checkBytes(name: string, value: unknown): void {
  if (!ArrayBuffer.isView(value)) {
    throw wrongType(name, 'an instance of Buffer, TypedArray, or DataView', value);
  }
}

/** Text or bytes, as PEM and DER may come. */
export function checkTextOrBytes(name: string, value: unknown): void {
  if (typeof value === 'string' || ArrayBuffer.isView(value)) return;
  throw wrongType(name, 'of type string or an instance of Buffer, TypedArray, or DataView', value);
}

/** `ERR_INVALID_ARG_TYPE`; a name with a dot is a property, any other an argument. */
export function wrongType(name: string, expected: string, actual: unknown): NodeTlsError {
  const kind = name.includes('.') ? 'property' : 'argument';
  const message = `The "${name}" ${kind} must be ${expected}. Received ${received(actual)}`;
  return named(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

/** `ERR_OUT_OF_RANGE` */
export function outOfRange(name: string, range: string, actual: unknown): NodeTlsError {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${inspect(actual)}`;
  return named(new RangeError(message), 'ERR_OUT_OF_RANGE');
}

/** `ERR_INVALID_ARG_VALUE` */
export function invalidValue(name: string, problem: string, actual: unknown): NodeTlsError {
  const kind = name.includes('.') ? 'property' : 'argument';
  const message = `The ${kind} '${name}' ${problem}. Received ${inspect(actual)}`;
  return named(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

/** Node's errors show their code in the stack, and in `toString()`. */
function named(error: Error, code: string): NodeTlsError {
  return Object.assign(error, { code });
}

function received(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const name = (value as object).constructor?.name;
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  const shown = inspect(value, { colors: false });
  return `type ${typeof value} (${shown.length > 28 ? `${shown.slice(0, 25)}...` : shown})`;
}
