import type { IncomingHttpHeaders } from 'node:http';

/** A version of a file: what tells whether a client's copy is still good. */
export interface Validators {
  /** With its quotes. */
  readonly etag: string;
  readonly lastModified: Date;
}

/** Whether the client's copy is good: 304. If-None-Match goes before If-Modified-Since (RFC 9110 §13.2.2). */
export function isNotModified(headers: IncomingHttpHeaders, { etag, lastModified }: Validators): boolean {
  const wanted = headers['if-none-match'];
  if (wanted !== undefined) return listed(wanted).some((one) => one === '*' || weak(one) === weak(etag));
  const since = Date.parse(headers['if-modified-since'] ?? '');
  return !Number.isNaN(since) && seconds(lastModified.getTime()) <= seconds(since);
}

/** Whether the file is still the one the client wants to change or read: else 412 (RFC 9110 §13.1.1, §13.1.4). */
export function preconditionHolds(headers: IncomingHttpHeaders, { etag, lastModified }: Validators): boolean {
  const wanted = headers['if-match'];
  if (wanted !== undefined) return listed(wanted).some((one) => one === '*' || one === etag);
  const since = Date.parse(headers['if-unmodified-since'] ?? '');
  return Number.isNaN(since) || seconds(lastModified.getTime()) <= seconds(since);
}

/** Whether a range may be served: the client's other part is of the same version (RFC 9110 §13.1.5). */
export function rangeApplies(headers: IncomingHttpHeaders, { etag, lastModified }: Validators): boolean {
  const condition = headers['if-range'];
  if (condition === undefined) return true;
  const value = String(condition).trim();
  if (value.startsWith('"')) return value === etag;
  if (value.startsWith('W/')) return false;
  return seconds(Date.parse(value)) === seconds(lastModified.getTime());
}

/** Entity tags of a list; commas may stand inside their quotes. */
function listed(header: string): string[] {
  return header.slice(0, 4096).match(/\*|(?:W\/)?"[^"]*"/g) ?? [];
}

function weak(etag: string): string {
  return etag.replace(/^W\//, '');
}

/** HTTP dates have whole seconds. */
function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
