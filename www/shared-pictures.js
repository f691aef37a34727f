/**
 * Pictures that another app shares with this one: they come in a form that the service worker receives, and wait in a cache
 * until the page takes them.
 */

/** As `manifest.webmanifest` has it: where the form is sent, what its files are called, and with what the page is opened then. */
export const SHARE = { action: 'share', field: 'pictures', flag: 'shared' };

/** @param {string} scope where the page lies @returns {string} the cache's name */
const cacheOf = (scope) => `ocelli-shared-${scope}`;

/** The header that holds a file's name. */
const NAME = 'X-Name';

/**
 * @param {Request} request with the form
 * @param {string} scope
 */
export async function putAside(request, scope) {
  const files = (await request.formData()).getAll(SHARE.field).filter((value) => value instanceof File);
  const cache = await caches.open(cacheOf(scope));
  const now = Date.now();
  for (const [i, file] of files.entries()) {
    const headers = { 'Content-Type': file.type, [NAME]: encodeURIComponent(file.name) };
    await cache.put(`${scope}${SHARE.flag}/${now}-${i}`, new Response(file, { headers }));
  }
}

/**
 * Takes what was put aside, which is then there no longer.
 * @param {string} scope
 * @returns {Promise<File[]>}
 */
export async function takeShared(scope) {
  const cache = await caches.open(cacheOf(scope));
  const files = [];
  for (const request of await cache.keys()) {
    const response = await cache.match(request);
    if (!response) continue;
    const name = decodeURIComponent(response.headers.get(NAME) ?? 'picture');
    const type = response.headers.get('Content-Type') ?? '';
    files.push(new File([await response.blob()], name, { type }));
  }
  await caches.delete(cacheOf(scope));
  return files;
}
