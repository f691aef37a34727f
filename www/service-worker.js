/**
 * The service worker: keeps the page in the browser, so that after one visit it works without a network, and answers with the
 * headers that threads need, so that they work on hosts that can send none.
 *
 * What the page begins with is kept when a version is installed, everything else once it has been asked for. Each file is kept
 * by what is in it: a version is answered by its own files alone, and its successor brings its own before it takes over.
 *
 * @typedef {import('./service-files.js').Files} Files
 */

import { PrecacheController } from 'workbox-precaching';
import { registerRoute } from 'workbox-routing';
import { CacheFirst } from 'workbox-strategies';
import { SHARE, putAside } from './shared-pictures.js';
import { OWNS, TAKE_OVER } from './take-over.js';

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
/** Where the page lies. */
const { scope } = worker.registration;

/** What this version is made of: webpack.config.js has it written here. @type {Files} */
const files = /** @type {any} */ (self).__FILES__;

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Gives an answer of the network the headers that it lacks. @param {{ response: Response }} answer */
async function isolate({ response }) {
  // One of another origin, to which the host sends on, is not ours to read.
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) if (!headers.has(name)) headers.set(name, value);
  // Kept answers fit whoever asks.
  headers.delete('Vary');
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

// A host in the middle of an update may have the old page yet: then this version is not installed, and tried again later.
const eager = new PrecacheController({ plugins: [{ fetchDidSucceed: isolate }] });
eager.precache(files.eager.map((file) => ({ ...file, integrity: file.revision ?? undefined })));

/** Each other file's address, and what it is kept by. */
const keys = new Map(
  files.lazy.map(({ url, revision }) => {
    const { href } = new URL(url, scope);
    return [href, revision === null ? href : `${href}?${new URLSearchParams({ revision })}`];
  }),
);

/** @param {Response} response @returns {Promise<string>} as `integrity` has it */
async function digestOf(response) {
  const digest = await crypto.subtle.digest('SHA-256', await response.arrayBuffer());
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}

const lazy = new CacheFirst({
  cacheName: `ocelli-files-${scope}`,
  plugins: [
    {
      cacheKeyWillBeUsed: async ({ request }) => keys.get(request.url) ?? request,
      fetchDidSucceed: isolate,
      // Read on its way, a file cannot be checked before it is used; what is kept can.
      cacheWillUpdate: async ({ request, response }) => {
        if (response.status !== 200) return null;
        const revision = new URL(request.url).searchParams.get('revision');
        return revision === null || (await digestOf(response.clone())) === revision ? response : null;
      },
    },
  ],
});

/** Forgets the files of the versions before. */
async function forgetOthers() {
  const cache = await caches.open(lazy.cacheName);
  const current = new Set(keys.values());
  const others = (await cache.keys()).filter(({ url }) => !current.has(url));
  await Promise.all(others.map((request) => cache.delete(request)));
}

const page = [scope, new URL('index.html', scope).href];
/** @param {URL} url @returns {string} without what it asks of the page */
const bare = ({ origin, pathname }) => origin + pathname;

registerRoute(
  ({ request, url }) => request.mode === 'navigate' && page.includes(bare(url)),
  eager.createHandlerBoundToURL('index.html'),
);
// Parts of files are the network's: downloads that go on.
registerRoute(
  ({ request, url }) => !request.headers.has('Range') && eager.getCacheKeyForURL(url.href) !== undefined,
  eager.strategy,
);
registerRoute(({ request, url }) => !request.headers.has('Range') && keys.has(url.href), lazy);
registerRoute(
  ({ url }) => url.href === new URL(SHARE.action, scope).href,
  async ({ request }) => {
    // What cannot be read or kept is missing on the page, which opens all the same.
    await putAside(request, scope).catch(() => {});
    return Response.redirect(`${scope}?${SHARE.flag}`, 303);
  },
  'POST',
);

worker.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([forgetOthers(), worker.clients.claim()]));
});
worker.addEventListener('message', ({ data, ports }) => {
  if (data === TAKE_OVER) void worker.skipWaiting();
  if (data?.type !== OWNS) return;
  const isOwn = (/** @type {string} */ url) => keys.has(url) || eager.getCacheKeyForURL(url) !== undefined;
  ports[0]?.postMessage(data.urls.every(isOwn));
});
