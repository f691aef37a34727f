// A static server for the built page: `node scripts/serve.mjs [folder]`, on `PORT` or the next free port.
//
// It differs from the usual ones by what the page and its tests need: cross-origin isolation (threads and precise
// timers), byte ranges (resumed downloads), files of any size as streams, their compressed copies where such lie beside them, and
// further folders mounted below prefixes, so that a model hub can be played from the same machine.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure, main, ROOT, say } from './lib/run.mjs';

/** Where `npm start` begins to look for a free port. */
export const PORT = 8787;

const TYPES = new Map(
  Object.entries({
    '.css': 'text/css; charset=utf-8',
    '.gif': 'image/gif',
    '.html': 'text/html; charset=utf-8',
    '.ico': 'image/x-icon',
    '.jpeg': 'image/jpeg',
    '.jpg': 'image/jpeg',
    '.js': 'text/javascript; charset=utf-8',
    '.json': 'application/json; charset=utf-8',
    '.map': 'application/json; charset=utf-8',
    '.md': 'text/markdown; charset=utf-8',
    '.mjs': 'text/javascript; charset=utf-8',
    '.png': 'image/png',
    '.svg': 'image/svg+xml',
    '.txt': 'text/plain; charset=utf-8',
    '.wasm': 'application/wasm',
    '.webmanifest': 'application/manifest+json',
    '.webp': 'image/webp',
    '.woff2': 'font/woff2',
  }),
);

/** Compressed copies of a file, best first: how their names end, and what browsers call that. */
const ENCODINGS = /** @type {const} */ ([
  ['.br', 'br'],
  ['.gz', 'gzip'],
]);

/** On every reply: the page is isolated from other origins, and may be embedded by none but itself. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * A folder, or a function from the rest of the URL's path (decoded, without a leading slash) to a file or null.
 * @typedef {string | ((rest: string) => string | null)} Mount
 */

/** Headers by their names; null leaves one out. @typedef {Record<string, string | null>} ReplyHeaders */

/**
 * @typedef {object} Served
 * @property {string} url with a slash at the end
 * @property {number} port
 * @property {() => Promise<void>} close ends open connections too
 */

/**
 * Serves `root` on the loopback interface.
 *
 * @param {object} options
 * @param {string} options.root the folder behind `/`
 * @param {number} [options.port] 0 (the default) takes any free port; otherwise the next free one from here
 * @param {Record<string, Mount>} [options.mounts] URL prefix, such as `/hub/`, to what lies behind it
 * @param {ReplyHeaders} [options.headers] on every reply, over the usual ones
 * @param {(request: import('node:http').IncomingMessage, status: number) => void} [options.onReply]
 * @returns {Promise<Served>}
 */
export async function serve({ root, port = 0, mounts = {}, headers = {}, onReply }) {
  // The longest prefix wins, so that `/hub/special/` can lie over `/hub/`.
  const table = Object.entries({ ...mounts, '/': root }).sort(([a], [b]) => b.length - a.length);
  const server = createServer((request, response) => {
    response.on('finish', () => onReply?.(request, response.statusCode));
    reply(request, response, table, headers).catch((error) => {
      // A browser that closes a download early is no failure.
      if (!response.headersSent) send(response, 500, `${error.message}\n`);
      else response.destroy();
    });
  });
  const actual = await listen(server, port);
  return {
    url: `http://localhost:${actual}/`,
    port: actual,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * @param {import('node:http').Server} server
 * @param {number} first
 * @returns {Promise<number>} the port
 */
async function listen(server, first) {
  const last = first === 0 ? 0 : Math.min(first + 100, 65535);
  for (let port = first; port <= last; port++) {
    const taken = await new Promise((resolve, reject) => {
      server.once('error', (/** @type {NodeJS.ErrnoException} */ error) =>
        error.code === 'EADDRINUSE' ? resolve(true) : reject(error),
      );
      server.listen(port, '127.0.0.1', () => resolve(false));
    });
    server.removeAllListeners('error');
    const address = server.address();
    if (!taken && address && typeof address === 'object') return address.port;
  }
  throw new Failure(`No port from ${first} to ${last} is free.`);
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {[string, Mount][]} table
 * @param {ReplyHeaders} headers
 */
async function reply(request, response, table, headers) {
  for (const [name, value] of Object.entries({ ...ISOLATION, ...headers })) {
    if (value !== null) response.setHeader(name, value);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return send(response, 405, 'Only GET and HEAD are answered here.\n');
  }
  const file = resolve(request.url ?? '/', table);
  const found = file === null ? null : await findFile(file);
  if (!found) return send(response, 404, 'There is no such file.\n');
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  if (found.isIndex && !pathname.endsWith('/')) {
    // Relative addresses within the page need the slash at the end.
    response.setHeader('Location', `./${path.posix.basename(pathname)}/${search}`);
    return send(response, 301, '');
  }

  const copy = await findCopy(found, request.headers);
  const { size, mtime } = copy ?? found;
  const version = `${size.toString(16)}-${Math.trunc(mtime.getTime()).toString(16)}`;
  const etag = copy ? `"${version}-${copy.encoding}"` : `"${version}"`;
  response.setHeader(
    'Content-Type',
    TYPES.get(path.extname(found.file).toLowerCase()) ?? 'application/octet-stream',
  );
  response.setHeader('Vary', 'Accept-Encoding');
  if (copy) response.setHeader('Content-Encoding', copy.encoding);
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('Cache-Control', 'no-cache');
  response.setHeader('ETag', etag);
  response.setHeader('Last-Modified', mtime.toUTCString());
  if (request.headers['if-none-match'] === etag) return send(response, 304, '');

  const ifRange = request.headers['if-range'];
  const range = ifRange && ifRange !== etag ? null : parseRange(request.headers.range, size);
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${size}`);
    return send(response, 416, 'The file is shorter than that.\n');
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  if (range) response.setHeader('Content-Range', `bytes ${start}-${end}/${size}`);
  response.setHeader('Content-Length', end - start + 1);
  response.writeHead(range ? 206 : 200);
  if (request.method === 'HEAD' || size === 0) return void response.end();
  return pipeline(createReadStream((copy ?? found).file, { start, end }), response);
}

/**
 * The file that a URL stands for, never outside of its folder; null when there can be none.
 * @param {string} url
 * @param {[string, Mount][]} table
 */
export function resolve(url, table) {
  let pathname;
  try {
    pathname = decodeURIComponent((url.split(/[?#]/, 1)[0] ?? '').replace(/^[a-z]+:\/\/[^/]*/i, ''));
  } catch {
    return null;
  }
  // `..` is refused, not resolved: no honest page asks for it, whatever the folder below would answer.
  if (!pathname.startsWith('/') || /[\0\\]/.test(pathname) || pathname.split('/').includes('..')) return null;
  for (const [prefix, mount] of table) {
    if (!pathname.startsWith(prefix)) continue;
    const rest = pathname.slice(prefix.length);
    if (typeof mount === 'function') return mount(rest);
    const folder = path.resolve(mount);
    const file = path.join(folder, rest);
    return file === folder || file.startsWith(folder + path.sep) ? file : null;
  }
  return null;
}

/**
 * The file itself or, for a folder, its index page.
 * @param {string} file
 * @returns {Promise<{ file: string, isIndex: boolean, size: number, mtime: Date } | null>}
 */
async function findFile(file) {
  const info = await stat(file).catch(() => null);
  if (info?.isFile()) return { file, isIndex: false, size: info.size, mtime: info.mtime };
  const index = path.join(file, 'index.html');
  const page = info?.isDirectory() ? await stat(index).catch(() => null) : null;
  return page?.isFile() ? { file: index, isIndex: true, size: page.size, mtime: page.mtime } : null;
}

/**
 * The best compressed copy that the other side understands. Ranges are of the file itself: whoever asks for one gets no copy.
 * @param {{ file: string, mtime: Date }} found
 * @param {import('node:http').IncomingHttpHeaders} headers of the request
 */
async function findCopy({ file, mtime }, headers) {
  if (headers.range !== undefined) return null;
  for (const [end, encoding] of ENCODINGS) {
    if (!accepts(headers['accept-encoding'], encoding)) continue;
    const info = await stat(file + end).catch(() => null);
    // One that is older was made from something else.
    if (!info?.isFile() || info.mtime < mtime) continue;
    return { file: file + end, encoding, size: info.size, mtime: info.mtime };
  }
  return null;
}

/**
 * Whether a header `Accept-Encoding` names an encoding, and does not name it to refuse it.
 * @param {string | string[] | undefined} header
 * @param {string} encoding
 */
export function accepts(header, encoding) {
  return String(header ?? '')
    .split(',')
    .some((part) => {
      const [name, ...params] = part.split(';').map((text) => text.trim().toLowerCase());
      return name === encoding && !params.some((param) => /^q=0(\.0*)?$/.test(param));
    });
}

/**
 * One range of bytes, as browsers ask for when they resume; anything else gets the whole file.
 * @param {string | undefined} header
 * @param {number} size
 * @returns {{ start: number, end: number } | 'unsatisfiable' | null}
 */
export function parseRange(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return null;
  if (match[1] === '') {
    const length = Math.min(Number(match[2]), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== '' && Number(match[2]) < start) return null;
  return start >= size ? 'unsatisfiable' : { start, end };
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {string} text
 */
function send(response, status, text) {
  if (text) response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.writeHead(status);
  response.end(text);
}

/**
 * The port asked for by the environment, or the usual one.
 * @returns {number}
 */
export function wantedPort() {
  const text = process.env.PORT;
  if (!text) return PORT;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Failure(`PORT is \`${text}\`, which is no port.`);
  }
  return port;
}

await main(import.meta, async ([folder = 'dist']) => {
  const root = path.resolve(ROOT, folder);
  if (!(await stat(root).catch(() => null))) {
    throw new Failure(`There is no folder ${root}: run \`npm run build\` first.`);
  }
  const { url } = await serve({ root, port: wantedPort() });
  say(`Serving ${root} at ${url} (end with Ctrl+C)`);
});
