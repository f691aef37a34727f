/** What the headers of an answer tell of the file: its length, its version, and whether another answer goes on with it. */

/** Lets go of an answer whose body is not wanted. @param {Response} response */
export function discard(response) {
  response.body?.cancel().catch(() => {});
}

/**
 * What tells one version of a file from another, as far as the server says; null where it does not. A server that compresses
 * marks that in the tag.
 *
 * @param {Response} response
 * @returns {string | null}
 */
export function versionOf({ headers }) {
  const tag = headers
    .get('etag')
    ?.replace(/^W\//, '')
    .replace(/-gzip"$/, '"');
  return tag ?? headers.get('last-modified');
}

/**
 * `If-Range` would make a cross-origin request ask for permission first, which many file servers refuse:
 * there the answer's own headers must do.
 *
 * @param {Response} first
 * @param {number} received
 * @returns {Record<string, string>}
 */
export function rangeHeaders(first, received) {
  const tag = first.headers.get('etag');
  const strong = tag !== null && !tag.startsWith('W/');
  return { range: `bytes=${received}-`, ...(strong && first.type !== 'cors' && { 'if-range': tag }) };
}

/**
 * Whether a 206 answer goes on exactly where the stream broke.
 *
 * @param {Response} first
 * @param {Response} response
 * @param {number} received
 */
export function continues(first, response, received) {
  if (contradicts(first, response, 'etag') || contradicts(first, response, 'last-modified')) return false;
  const total = contentLength(first);
  const range = response.headers.get('content-range');
  if (range === null) {
    // Cross-origin servers may hide the header; then the length must fit exactly.
    return response.type === 'cors' && total !== null && contentLength(response) === total - received;
  }
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range.trim());
  if (!match || Number(match[1]) !== received) return false;
  return match[3] === '*' || total === null || Number(match[3]) === total;
}

/**
 * Whether a complete answer is surely the file that the first answer was.
 *
 * @param {Response} first
 * @param {Response} response
 */
export function sameFile(first, response) {
  if (contradicts(first, response, 'etag') || contradicts(first, response, 'last-modified')) return false;
  if (isEncoded(response) || contentLength(response) !== contentLength(first)) return false;
  return response.headers.has('etag') || response.headers.has('last-modified');
}

/** @param {Response} first @param {Response} response @param {string} header */
function contradicts(first, response, header) {
  const [before, now] = [first.headers.get(header), response.headers.get(header)];
  return before !== null && now !== null && before !== now;
}

/** @param {Response} response @returns {number | null} */
export function contentLength(response) {
  const length = Number(response.headers.get('content-length') || Number.NaN);
  return Number.isSafeInteger(length) && length >= 0 ? length : null;
}

/** @param {Response} response */
export function isEncoded(response) {
  const encoding = response.headers.get('content-encoding');
  return encoding !== null && encoding !== '' && encoding !== 'identity';
}
