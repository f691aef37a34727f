// The built page as a user meets it: served from a sub-path, opened in a real Chromium, with every request
// and every complaint of the browser written down.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from '../../../scripts/serve.mjs';
import { IN_FIREFOX } from './browser.js';
import { plain } from './pictures.js';

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('playwright-core').Browser} Browser
 * @typedef {import('./pictures.js').File} File
 */

export const DIST = fileURLToPath(new URL('../../../dist', import.meta.url));

/** The page is never tested at a host's root: relative addresses have to hold. */
export const SUB_PATH = '/some/where/ocelli/';

/** What Firefox says of pictures that it was reading when a page was loaded anew. */
const INTERRUPTED = 'uncaught: Image corrupt or truncated.';

/** Longest wait for anything that computes: two slow cores, a cold engine. */
export const PATIENCE = 150_000;

const FEW_LABELS = fileURLToPath(new URL('./few-labels.json', import.meta.url));

/** Configurations of the built-in model, written for tests, by their threshold. @type {Map<number | undefined, string>} */
const configs = new Map();

/**
 * The built-in model with another threshold below which it is not sure.
 * @param {number} [threshold] without it, the model is always sure
 * @returns {Record<string, import('../../../scripts/serve.mjs').Mount>}
 */
export function sureFrom(threshold) {
  const file =
    configs.get(threshold) ?? path.join(mkdtempSync(path.join(tmpdir(), 'ocelli-config-')), 'config.json');
  if (!configs.has(threshold)) {
    const config = JSON.parse(readFileSync(path.join(DIST, 'models/ocelli/config.json'), 'utf8'));
    config.ocelli = { ...config.ocelli, sure_threshold: threshold };
    writeFileSync(file, JSON.stringify(config));
    configs.set(threshold, file);
  }
  return { 'models/ocelli/config.json': () => file };
}

/**
 * The labels that the page begins with, in few: reading hundreds at each visit would make the tests slow. Pictures that
 * show nothing get their tags all the same.
 */
export const fewLabels = { 'models/ocelli/labels.json': () => FEW_LABELS, ...sureFrom() };

/**
 * Serves `dist/` at the sub-path, and whatever else a test mounts.
 * @param {Record<string, import('../../../scripts/serve.mjs').Mount>} [mounts] prefixes below the sub-path
 * @param {Pick<Parameters<typeof serve>[0], 'headers' | 'onReply'> & { dist?: string }} [options] `dist`: another build
 */
export async function openSite(mounts = fewLabels, { dist = DIST, ...options } = {}) {
  assert.ok(existsSync(path.join(DIST, 'index.html')), 'dist/ is not built: run `npm run build`');
  const below = Object.entries(mounts).map(([prefix, mount]) => [`${SUB_PATH}${prefix}`, mount]);
  const server = await serve({
    // Nothing lies outside of the sub-path: an address from the root would answer 404.
    root: path.join(DIST, 'nothing-here'),
    mounts: { [SUB_PATH]: dist, ...Object.fromEntries(below) },
    ...options,
  });
  return { url: new URL(SUB_PATH, server.url).href, close: server.close };
}

/**
 * One visit to the page, with the handles that tests use.
 */
export class Visit {
  /** @type {{ method: string, url: string }[]} every request, those of workers among them */
  requests = [];
  /** @type {string[]} uncaught errors and error messages of the console */
  complaints = [];

  /** @param {Page} page @param {string} url */
  constructor(page, url) {
    this.page = page;
    this.url = url;
    page.context().on('request', (request) => {
      this.requests.push({ method: request.method(), url: request.url() });
    });
    page.on('pageerror', (error) => this.complaints.push(`uncaught: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  /**
   * @param {Browser} browser
   * @param {string} url
   * @param {import('playwright-core').BrowserContextOptions} [options]
   */
  static async begin(browser, url, options = {}) {
    const context = await browser.newContext({
      viewport: { width: 1200, height: 900 },
      // What a test serves in place of a file reaches the page, and every visit is the first.
      serviceWorkers: 'block',
      ...options,
    });
    context.setDefaultTimeout(PATIENCE);
    const visit = new Visit(await context.newPage(), url);
    await visit.page.goto(url);
    return visit;
  }

  /**
   * Lets each message of the workers wait, for what is too quick to be seen. Workers of a pool never come to this.
   * @param {number} ms each
   */
  async holdUpMessages(ms) {
    for (const worker of this.page.workers()) {
      await worker.evaluate((pause) => {
        const post = self.postMessage.bind(self);
        let turn = Promise.resolve();
        self.postMessage = (/** @type {unknown} */ message) => {
          turn = turn
            .then(() => new Promise((resolve) => setTimeout(resolve, pause)))
            .then(() => post(message));
        };
      }, ms);
    }
  }

  /**
   * A visit with one picture, sky.png, that is done.
   * @param {Browser} browser
   * @param {string} url
   * @param {{ options?: import('playwright-core').BrowserContextOptions, size?: { width: number, height: number } }} [given]
   */
  static async withPicture(browser, url, { options, size } = {}) {
    const visit = await Visit.begin(browser, url, options);
    await visit.drop(plain('sky.png', size));
    await visit.settled('sky.png');
    return visit;
  }

  /**
   * Ends the visit: the browser may have complained of nothing but what is expected, and asked for nothing
   * but GETs to the page's own origin.
   * @param {{ expected?: RegExp[], origins?: string[] }} [allowed]
   */
  async end({ expected = [], origins = [] } = {}) {
    await this.page.context().close();
    const unexpected = this.complaints.filter(
      (text) => !(IN_FIREFOX && text === INTERRUPTED) && !expected.some((pattern) => pattern.test(text)),
    );
    assert.deepEqual(unexpected, [], 'the browser complained');
    const own = new Set([new URL(this.url).origin, ...origins]);
    const foreign = this.requests.filter(({ method, url }) => {
      // What the page made itself needs no network.
      const { protocol, origin } = new URL(url);
      const local = protocol === 'blob:' || protocol === 'data:';
      return method !== 'GET' || !(local || own.has(origin));
    });
    assert.deepEqual(foreign, [], 'only GETs to the page’s own origin are allowed');
  }

  /** Waits until both built-in models are loaded; the others are not before they are asked for. */
  async ready() {
    await this.page.waitForFunction(() =>
      [...document.querySelectorAll('#tag-notice, #caption-notice')].every(
        (notice) => notice.dataset.status === 'ready',
      ),
    );
  }

  /**
   * Waits until the keyboard is on an element: a dialog is gone before the page hears that it was closed.
   * @param {import('playwright-core').Locator} element
   */
  async holdsKeyboard(element) {
    const handle = await element.elementHandle();
    await this.page.waitForFunction((one) => one === document.activeElement, handle);
  }

  /** What the tiles of the grid say: names, tags and captions. */
  tiles() {
    return this.page.locator('.tile').evaluateAll((tiles) => tiles.map((one) => one.ariaLabel));
  }

  /**
   * Waits until the tiles say what is expected: captions are kept, tags are there once the tagger is.
   * @param {(string | null)[]} expected
   */
  async tilesSay(expected) {
    await this.page
      .waitForFunction(
        (text) =>
          JSON.stringify([...document.querySelectorAll('.tile')].map((one) => one.ariaLabel)) === text,
        JSON.stringify(expected),
      )
      .catch(() => null);
    assert.deepEqual(await this.tiles(), expected, 'tags and captions are what they were');
  }

  /** Picks files, as through the file dialog. @param {...File} files */
  async pick(...files) {
    await this.page.setInputFiles('#files', files);
  }

  /** Drops files on the page, as from the file manager. @param {...File} files */
  async drop(...files) {
    await this.#transfer('drop', files);
  }

  /** Pastes files, as from the clipboard. @param {...File} files */
  async paste(...files) {
    await this.#transfer('paste', files);
  }

  /** @param {'drop' | 'paste'} type @param {File[]} files */
  async #transfer(type, files) {
    const plain = files.map(({ name, mimeType, buffer }) => ({
      name,
      mimeType,
      base64: buffer.toString('base64'),
    }));
    await this.page.evaluate(
      ({ type, plain }) => {
        const transfer = new DataTransfer();
        for (const { name, mimeType, base64 } of plain) {
          const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
          transfer.items.add(new File([bytes], name, { type: mimeType }));
        }
        const options = { bubbles: true, cancelable: true };
        const target = document.querySelector('drop-zone') ?? document.body;
        if (type === 'paste') {
          const event = new ClipboardEvent('paste', options);
          // Firefox's constructor takes no files.
          Object.defineProperty(event, 'clipboardData', { value: transfer });
          target.dispatchEvent(event);
          return;
        }
        for (const step of ['dragenter', 'dragover', 'drop']) {
          target.dispatchEvent(new DragEvent(step, { ...options, dataTransfer: transfer }));
        }
      },
      { type, plain },
    );
  }

  /** @param {string} name of the picture's file */
  card(name) {
    return this.page.locator('picture-card', {
      has: this.page.locator('.card-name').getByText(name, { exact: true }),
    });
  }

  /**
   * Waits until a picture has come to rest in a state. A state from before a click may linger for a frame, so
   * another one is no failure yet.
   * @param {string} name
   * @param {'done' | 'failed' | 'stopped'} state
   */
  async settled(name, state = 'done') {
    const card = this.card(name);
    const { page } = this;
    await card
      .and(page.locator(`[data-state="${state}"]`))
      .waitFor()
      .catch(async (cause) => {
        throw new Error(`${name} is not ${state}: ${await card.innerText()}`, { cause });
      });
  }

  /** What a card says. @param {string} name */
  async read(name) {
    const card = this.card(name);
    return {
      caption: (await card.locator('.caption').innerText()).trim(),
      tags: await card.locator('.tag-label').allInnerTexts(),
      scores: await card.locator('.tag-score').allInnerTexts(),
      errors: await card
        .locator('.error')
        .evaluateAll((all) =>
          all.map((one) => ({ code: one.dataset.code, sentence: one.textContent ?? '' })),
        ),
    };
  }

  /** A picture dropped now is tagged and described: the page still does its work. @param {File} file */
  async stillWorks(file) {
    await this.drop(file);
    await this.settled(file.name);
    const { tags, caption, errors } = await this.read(file.name);
    assert.ok(
      tags.length > 0 && caption !== '' && errors.length === 0,
      JSON.stringify({ tags, caption, errors }),
    );
  }

  /**
   * Writes into a field key by key, as people do: to Firefox a value that is set alone is no change.
   * @param {string} label
   * @param {string} text
   */
  async write(label, text) {
    await this.page.getByLabel(label).selectText();
    await this.page.keyboard.press('Delete');
    await this.page.keyboard.type(text);
  }

  /** Opens the sheet of the settings, where they are in one. @returns {Promise<boolean>} whether they are */
  async openSettings() {
    const opener = this.page.locator('#settings-open');
    const isSheet = await opener.isVisible();
    if (isSheet && !(await this.page.locator('#settings').isVisible())) await opener.click();
    return isSheet;
  }

  /** Unfolds the choice of models, for every task. */
  async openModels() {
    await this.openSettings();
    for (const panel of ['#models-panel', '#more-models']) {
      const details = this.page.locator(panel);
      const open = await details.evaluate((element) => /** @type {HTMLDetailsElement} */ (element).open);
      if (!open) await details.locator('> summary').click();
    }
  }

  /** Chooses another model by its id or address. @param {'tag' | 'caption' | 'classify' | 'match' | 'answer'} task @param {string} id */
  async use(task, id) {
    const picker = this.page.locator(`#${task}-picker`);
    await this.openModels();
    await picker.locator('select').selectOption('');
    await picker.locator('input').fill(id);
    await picker.getByRole('button', { name: 'Use this model' }).click();
    await this.closeSettings();
  }

  /** Closes the sheet again. */
  async closeSettings() {
    const close = this.page.locator('.settings-head').getByRole('button', { name: 'Close' });
    if (await close.isVisible()) await close.click();
  }

  /** Replaces the labels. @param {string[]} labels @param {string} [template] */
  async ask(labels, template) {
    await this.openSettings();
    await this.page.locator('#labels-panel').evaluate((panel) => panel.toggleAttribute('open', true));
    // Not typed, as Chromium takes minutes to type ten thousand lines.
    await this.page.locator('#labels').evaluate((field, text) => {
      /** @type {HTMLTextAreaElement} */ (field).value = text;
      field.dispatchEvent(new InputEvent('input', { bubbles: true }));
    }, labels.join('\n'));
    if (template !== undefined) await this.page.locator('#template').fill(template);
    await this.page.getByRole('button', { name: 'Apply labels' }).click();
    await this.closeSettings();
  }

  /** Waits for a complaint about the labels. @returns {Promise<{ code: string | undefined, sentence: string }>} */
  async labelError() {
    const error = this.page.locator('#labels-error');
    await error.waitFor();
    return { code: (await error.getAttribute('data-code')) ?? undefined, sentence: await error.innerText() };
  }
}

/** Has the page forget all that it keeps of pictures, and begin anew. @param {Visit} visit */
export async function forgetEverything({ page }) {
  await page.locator('kept-pictures').getByRole('button', { name: 'Forget everything' }).first().click();
  const sure = page.getByRole('dialog', { name: 'Forget everything?' });
  await sure.getByRole('button', { name: 'Forget everything' }).click();
  await page.locator('body:not([data-pictures])').waitFor();
}

/** Asserts that a text is a plain sentence for a person. @param {string} text */
export function assertSentence(text) {
  assert.match(text, /^\p{Lu}.*[.!?]$/su, 'a sentence begins with a capital and ends with its stop');
  assert.doesNotMatch(text, /undefined|\[object|Error:|panicked|unreachable/, 'no innards are shown');
}

/** How many pixels of a map are not see-through. @param {import('playwright-core').Locator} map */
export function painted(map) {
  return map.evaluate((canvas) => {
    const { width, height } = /** @type {HTMLCanvasElement} */ (canvas);
    const pixels = /** @type {HTMLCanvasElement} */ (canvas)
      .getContext('2d')
      ?.getImageData(0, 0, width, height);
    return pixels?.data.filter((value, place) => place % 4 === 3 && value > 0).length ?? 0;
  });
}
