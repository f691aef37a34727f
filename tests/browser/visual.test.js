// The page's main states as pictures, compared with those in `baselines/`: what a style sheet breaks without a word.
//
// `OCELLI_BASELINES=write node --test tests/browser/visual.test.js` draws them anew; look at them before they are committed.
// What differs is written into `target/visual/`. All text is in one font that comes from npm, so that the machine's own do
// not matter, and what models say is covered: it belongs to other tests.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';
import { IN_FIREFOX, openBrowser } from './support/browser.js';
import { openSite, Visit } from './support/site.js';
import { plain } from './support/pictures.js';

const BASELINES = fileURLToPath(new URL('./baselines', import.meta.url));
const OUT = fileURLToPath(new URL('../../target/visual', import.meta.url));
const WRITES = process.env.OCELLI_BASELINES === 'write';
/** Part of the pixels that may differ: the edges of letters, as another release of Chromium draws them. */
const TOLERANCE = 0.002;

const DEVICES = {
  desktop: { viewport: { width: 900, height: 760 } },
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
};

const require = createRequire(import.meta.url);
const faces = [400, 700].map((weight) => {
  const file = require.resolve(`@fontsource/inter/files/inter-latin-${weight}-normal.woff2`);
  const address = `data:font/woff2;base64,${readFileSync(file, 'base64')}`;
  return `@font-face { font-family: Baseline; font-weight: ${weight}; src: url(${address}); }`;
});
const STYLE = `${faces.join('\n')}
  *, ::before, ::after { font-family: Baseline !important; caret-color: transparent !important; animation: none !important; transition: none !important; }`;

if (IN_FIREFOX) {
  test('the page looks as it did', { skip: 'the baselines are of Chromium' }, () => {});
} else {
  const browser = await openBrowser();
  const site = await openSite();
  test.after(async () => {
    await browser.close();
    await site.close();
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      test(`${device}, ${colorScheme}: the page looks as it did`, async () => {
        // The page's policy allows no fonts of others.
        const visit = await Visit.begin(browser, site.url, { ...options, colorScheme, bypassCSP: true });
        await visit.page.addStyleTag({ content: STYLE });
        await visit.ready();
        const name = `${device}-${colorScheme}`;
        await compare(visit, `${name}-idle`);
        await visit.drop(plain('sky.png', { width: 240, height: 160 }), {
          name: 'letter.txt',
          mimeType: 'image/png',
          buffer: Buffer.from('Dear ocelli'),
        });
        await visit.settled('sky.png');
        await visit.settled('letter.txt', 'failed');
        await compare(visit, `${name}-done`);
        await visit.end();
      });
    }
  }
}

/** @param {Visit} visit @param {string} name of the state */
async function compare(visit, name) {
  const { page } = visit;
  await page.evaluate(async () => {
    await document.fonts.ready;
    scrollTo(0, 0);
  });
  // Where the pointer rests, something would be lit.
  await page.mouse.move(0, 0);
  const file = path.join(BASELINES, `${name}.png`);
  const shot = await page.screenshot({
    fullPage: true,
    animations: 'disabled',
    mask: [page.locator('.words, .tag-label, .tag-score, .bar')],
    maskColor: '#808080',
  });
  if (WRITES) {
    mkdirSync(BASELINES, { recursive: true });
    return writeFileSync(file, shot);
  }
  assert.ok(existsSync(file), `there is no baseline ${name}: see the head of this file`);
  const [seen, expected] = [PNG.sync.read(shot), PNG.sync.read(readFileSync(file))];
  const { width, height } = expected;
  const sizes = [seen, expected].map((png) => `${png.width} x ${png.height}`);
  keep(name, 'seen', shot);
  assert.equal(sizes[0], sizes[1], `the size of ${name}: see ${OUT}`);
  const difference = new PNG({ width, height });
  const pixels = pixelmatch(seen.data, expected.data, difference.data, width, height, { threshold: 0.15 });
  keep(name, 'difference', PNG.sync.write(difference));
  const part = pixels / (width * height);
  assert.ok(part <= TOLERANCE, `${name} differs in ${(100 * part).toFixed(2)} % of its pixels: see ${OUT}`);
}

/** @param {string} name @param {string} what @param {Buffer} png */
function keep(name, what, png) {
  mkdirSync(OUT, { recursive: true });
  writeFileSync(path.join(OUT, `${name}-${what}.png`), png);
}
