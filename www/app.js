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
import { OWNS, TAKE_OVER } from './take-over.js';

/** Milliseconds that the engine waits to be downloaded through the service worker, which keeps it. */
const PATIENCE = 3000;
/** Milliseconds that a new version may take to take over: as long as the old one has requests to answer, browsers let it wait. */
const TAKING_OVER = 5000;
/** Milliseconds between two looks for a new version. */
const HOUR = 3_600_000;
/** Remembered for the visit: that the page was loaded anew to be isolated, and to be of its service worker's version. */
const RELOADED = 'ocelli-reloaded';
const RENEWED = 'ocelli-renewed';

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

  // One that took over while the page was loading is of another version.
  if (workers.controller) {
    void owns(workers.controller).then((isOwn) => {
      if (isOwn) return forget(RENEWED);
      if (!isTouched && !isBusy() && isFirst(RENEWED)) return location.reload();
      return onUpdate(() => location.reload());
    });
  }

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
  return !crossOriginIsolated && isFirst(RELOADED);
}

/** Whether something happens for the first time in a visit. @param {string} key that it is remembered by */
function isFirst(key) {
  try {
    if (sessionStorage.getItem(key) !== null) return false;
    sessionStorage.setItem(key, 'yes');
    return true;
  } catch {
    return false;
  }
}

/** @param {string} key of what may happen again */
function forget(key) {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // What cannot be remembered need not be forgotten.
  }
}

/**
 * Whether the page's files are of its service worker's version. An older one never answers.
 * @param {ServiceWorker} worker
 * @returns {Promise<boolean>}
 */
function owns(worker) {
  /** @type {NodeListOf<any>} */
  const elements = document.querySelectorAll('script[src], link[rel="stylesheet"]');
  const urls = [...elements].map(({ src, href }) => String(src ?? href));
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data === true);
  });
  worker.postMessage({ type: OWNS, urls: urls.filter((url) => url.startsWith(location.origin)) }, [port2]);
  return answer;
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
