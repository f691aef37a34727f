/**
 * The page as an app: kept in the browser by its service worker, told of new versions, and handed pictures by the system and
 * by other apps.
 *
 * @typedef {object} Page
 * @property {(apply: () => void) => void} onUpdate a new version is here; `apply` makes it the one that runs
 * @property {(files: File[]) => void} onFiles pictures were handed over
 * @property {() => boolean} isBusy whether somebody would lose something if the page were loaded anew
 */

import { SHARE, takeShared } from './shared-pictures.js';
import { TAKE_OVER } from './take-over.js';

/** Milliseconds that the engine waits to be downloaded through the service worker, which keeps it. */
const PATIENCE = 3000;
/** Milliseconds that a new version may take to take over: as long as the old one has requests to answer, browsers let it wait. */
const TAKING_OVER = 5000;
/** Milliseconds between two looks for a new version. */
const HOUR = 3_600_000;
/** Remembered for the visit: that the page was loaded anew to be isolated. */
const RELOADED = 'ocelli-reloaded';

/**
 * Begins to receive files and, where the browser can, to be an app.
 * @param {Page} page
 * @returns {Promise<void>} fulfilled once the engine may be downloaded
 */
export async function startApp(page) {
  void receiveFiles(page.onFiles);
  const off = location.protocol === 'file:' || new URLSearchParams(location.search).get('sw') === 'off';
  const workers = off ? undefined : navigator.serviceWorker;
  if (!workers) return;
  // Without one, the page works all the same, as long as there is a network.
  const controlled = control(workers, page).catch(() => {});
  await Promise.race([controlled, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
}

/**
 * Puts the page under the control of its service worker, where it is not.
 * @param {ServiceWorkerContainer} workers
 * @param {Page} page
 */
async function control(workers, { onUpdate, isBusy }) {
  let isControlled = workers.controller !== null;
  /** Whether somebody has begun to do something. */
  let isTouched = false;
  for (const type of ['pointerdown', 'keydown']) {
    addEventListener(type, () => (isTouched = true), { capture: true, once: true });
  }
  /** Whether somebody here wants the new version. */
  let wanted = false;
  const apply = () => {
    wanted = true;
    if (!waiting) return location.reload();
    waiting.postMessage(TAKE_OVER);
    // What this window has under way ends with it.
    setTimeout(() => location.reload(), TAKING_OVER);
  };
  /** The new version. @type {ServiceWorker | null} */
  let waiting = null;

  /** @type {Promise<void>} */
  const begun = new Promise((resolve) => {
    workers.addEventListener('controllerchange', () => {
      if (!isControlled) {
        isControlled = true;
        if (!isTouched && !isBusy() && isolates()) return location.reload();
        keepWhatCame(workers);
        return resolve();
      }
      waiting = null;
      // Asked for in another window: files of the old version are gone.
      if (wanted || !isBusy()) return location.reload();
      return onUpdate(apply);
    });
  });

  const address = new URL('./service-worker.js', document.baseURI);
  const registration = await workers.register(address);
  // Some browsers, and tests, refuse without a word.
  if (!registration) return;
  /** @param {ServiceWorker | null} worker that is on its way */
  const follow = (worker) =>
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed') tell();
    });
  const tell = () => {
    ({ waiting } = registration);
    if (waiting && registration.active) onUpdate(apply);
  };
  tell();
  follow(registration.installing);
  registration.addEventListener('updatefound', () => follow(registration.installing));
  setInterval(() => registration.update().catch(() => {}), HOUR);

  // Whoever loads the page past its service worker wants no other.
  if (!isControlled && registration.active?.state !== 'activated') await firstOf(begun, registration);
}

/**
 * Waits for control, or for the news that there will be none.
 * @param {Promise<void>} begun
 * @param {ServiceWorkerRegistration} registration
 */
function firstOf(begun, { installing }) {
  const failed = new Promise((resolve) => {
    installing?.addEventListener('statechange', () => {
      if (installing.state === 'redundant') resolve(undefined);
    });
  });
  return Promise.race([begun, failed]);
}

/**
 * Whether the page gains threads when it is loaded anew: its service worker sends the headers that the host does not. Asked
 * twice in a visit, it denies: once did not help.
 */
function isolates() {
  if (crossOriginIsolated) return false;
  try {
    if (sessionStorage.getItem(RELOADED) !== null) return false;
    sessionStorage.setItem(RELOADED, 'yes');
    return true;
  } catch {
    return false;
  }
}

/**
 * Has the service worker fetch, and keep, what came before it was there. The message is Workbox's.
 * @param {ServiceWorkerContainer} workers
 */
function keepWhatCame(workers) {
  const observer = new PerformanceObserver((list) => {
    const entries = /** @type {PerformanceResourceTiming[]} */ (list.getEntries());
    const urlsToCache = entries.filter(({ workerStart }) => workerStart === 0).map(({ name }) => name);
    if (urlsToCache.length === 0) return;
    workers.controller?.postMessage({ type: 'CACHE_URLS', payload: { urlsToCache } });
  });
  observer.observe({ type: 'resource', buffered: true });
}

/** @param {(files: File[]) => void} onFiles */
async function receiveFiles(onFiles) {
  /** @param {File[]} files */
  const give = (files) => files.length > 0 && onFiles(files);
  // Pictures that are opened with the app.
  const { launchQueue } = /** @type {any} */ (window);
  launchQueue?.setConsumer(async (/** @type {{ files: FileSystemFileHandle[] }} */ { files }) => {
    give(await Promise.all(files.map((file) => file.getFile())));
  });
  const address = new URL(location.href);
  if (!address.searchParams.has(SHARE.flag)) return;
  address.searchParams.delete(SHARE.flag);
  history.replaceState(history.state, '', address);
  give(await takeShared(new URL('./', document.baseURI).href).catch(() => []));
}
