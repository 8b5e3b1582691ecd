import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ADVICE, isOutOfFiles } from '../listeners/open-files.ts';
import { OutageLog } from '../observe/outage-log.ts';
import type { Log } from '../output/log.ts';
import { parseRange } from './byte-range.ts';
import { isNotModified, preconditionHolds, rangeApplies, type Validators } from './conditions.ts';
import { contentTypeOf } from './content-types.ts';
import { pathSegments, resolveInside } from './folder-path.ts';
import { BUSY, replyWithError } from './reply.ts';
import { requestTarget } from './request-target.ts';

export interface FolderOptions {
  /** The real path of the folder: `realFolder` gives it. */
  readonly root: string;
  /** Serve names that begin with a dot. Default false. */
  readonly dotfiles: boolean;
  readonly log: Log;
}

export interface StaticFolder {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  close(): void;
}

/** A handler that serves the files of a folder, read only. */
export function staticFolder(options: FolderOptions): StaticFolder {
  const opening = new OutageLog(
    options.log,
    { folder: options.root },
    {
      first: `no more files can be opened: requests are answered with status 503; ${ADVICE}`,
      more: 'more requests were answered with status 503 in the last minute: no more files could be opened',
      over: 'files can be opened again',
    },
  );
  const handle: StaticFolder['handle'] = async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return replyWithError(response, 405, 'Files can only be read here: use GET or HEAD.', [
        ['Allow', 'GET, HEAD'],
      ]);
    }
    const target = requestTarget(request.url ?? '', request.method);
    const found = target && pathSegments(target.path);
    if (found === undefined) return replyWithError(response, 400, 'This is not a valid path.');
    let file: OpenFile | 'missing' | 'folder';
    try {
      file = await openFile(options, found.segments, found.isFolder);
    } catch (error) {
      if (!isOutOfFiles(error)) throw error;
      opening.failed(error);
      // RFC 9110 §15.6.4: there may well be such a file, and a later request may get it.
      return replyWithError(response, 503, BUSY);
    }
    if (file !== 'missing') opening.worked();
    if (file === 'folder') return redirect(response, found.segments, target!.path);
    if (file === 'missing') return replyWithError(response, 404, 'There is nothing here by that name.');
    try {
      await send(request, response, file);
    } finally {
      await file.handle.close();
    }
  };
  return { handle, close: () => opening.flush() };
}

interface OpenFile extends Validators {
  readonly handle: FileHandle;
  readonly size: number;
  readonly type: string;
}

/**
 * `folder` when the path is one, and the URL lacks the slash that makes relative links in its index work. Rejects when no
 * more files can be opened.
 */
async function openFile(
  { root, dotfiles }: FolderOptions,
  segments: readonly string[],
  isFolder: boolean,
): Promise<OpenFile | 'missing' | 'folder'> {
  const resolved = await resolveInside(root, isFolder ? [...segments, 'index.html'] : segments, dotfiles);
  if (typeof resolved === 'string') return 'missing';
  // O_NOFOLLOW: all links are resolved, so one that appears only now is an attack. O_NONBLOCK: a FIFO does not hold us.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(resolved.path, flags).catch((error) => {
    if (isOutOfFiles(error)) throw error;
  });
  if (handle === undefined) return 'missing';
  try {
    const stat = await handle.stat({ bigint: true });
    if (stat.isFile()) {
      return {
        handle,
        size: Number(stat.size),
        type: contentTypeOf(resolved.path),
        lastModified: stat.mtime,
        etag: `"${stat.size.toString(36)}-${stat.mtimeNs.toString(36)}"`,
      };
    }
    await handle.close();
    if (!stat.isDirectory() || isFolder) return 'missing';
    const index = await resolveInside(root, [...segments, 'index.html'], dotfiles);
    return typeof index === 'string' ? 'missing' : 'folder';
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}

/** To the same folder with a slash: made of the decoded segments, so that `//evil.example` cannot lead elsewhere. */
function redirect(response: ServerResponse, segments: readonly string[], target: string): void {
  const query = /\?[^#]*/.exec(target)?.[0] ?? '';
  const location = `${join('/', ...segments.map(encodeURIComponent))}/${query}`;
  replyWithError(response, 308, 'The address of this folder ends with a slash.', [['Location', location]]);
}

async function send(request: IncomingMessage, response: ServerResponse, file: OpenFile): Promise<void> {
  const { headers } = request;
  response.setHeader('ETag', file.etag);
  response.setHeader('Last-Modified', file.lastModified.toUTCString());
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-cache');
  if (!preconditionHolds(headers, file)) return replyWithError(response, 412, 'The file has changed.');
  if (isNotModified(headers, file)) {
    response.writeHead(304).end();
    return;
  }
  const range = rangeApplies(headers, file) ? parseRange(headers.range, file.size) : undefined;
  if (range === 'unsatisfiable') {
    return replyWithError(response, 416, 'The file has no such part.', [
      ['Content-Range', `bytes */${file.size}`],
    ]);
  }
  const { start, end } = range ?? { start: 0, end: file.size - 1 };
  if (range !== undefined) response.setHeader('Content-Range', `bytes ${start}-${end}/${file.size}`);
  response.writeHead(range === undefined ? 200 : 206, {
    'Content-Type': file.type,
    'Content-Length': end - start + 1,
  });
  if (request.method === 'HEAD' || file.size === 0) {
    response.end();
    return;
  }
  const stream = file.handle.createReadStream({ start, end, autoClose: false });
  // A client that goes away, or a file that shrinks, ends the connection: half a file must not look whole.
  await pipeline(stream, response).catch(() => void response.destroy());
}
