// Pictures of the page for a person to look at: `node tests/browser/screenshots.mjs` writes
// target/screenshots/<device>-<scheme>-<state>.png from what is built in dist/.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBrowser } from './support/browser.js';
import { openSite, Visit } from './support/site.js';
import { photographs, photosAreHere, plain } from './support/pictures.js';

const OUT = fileURLToPath(new URL('../../target/screenshots', import.meta.url));
const DEVICES = {
  desktop: { viewport: { width: 1280, height: 860 } },
  phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};

mkdirSync(OUT, { recursive: true });
const pictures = photosAreHere
  ? photographs(['motorbikes', 'airplanes', 'banana', 'sunflower']).map(({ file }) => file)
  : [plain('blue.png'), plain('red.png', { colour: [200, 40, 40] })];
const browser = await openBrowser();
const site = await openSite({});

for (const [device, options] of Object.entries(DEVICES)) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    const visit = await Visit.begin(browser, site.url, { ...options, colorScheme });
    /** @param {string} state @param {boolean} [fullPage] */
    const shoot = async (state, fullPage = true) => {
      await visit.page.screenshot({
        path: path.join(OUT, `${device}-${colorScheme}-${state}.png`),
        fullPage,
      });
    };
    await shoot('loading');
    await visit.ready();
    await shoot('idle', false);
    await visit.drop(...pictures);
    await visit.page.locator('picture-card[data-state="running"]').first().waitFor();
    await shoot('working');
    for (const { name } of pictures) await visit.settled(name);
    await shoot('done');
    const card = visit.card(pictures[0].name);
    await card.getByText('Ask about this picture').click();
    await card.getByLabel('Which of these fits?').fill('a motorbike\na dog on a beach\na bowl of fruit');
    await card.getByRole('button', { name: /^Match texts/ }).click();
    await card.locator('.matches button').first().click();
    await card.locator('.map').waitFor();
    await shoot('asked', false);
    await visit.page.keyboard.press('Escape');
    await visit.page.evaluate(() => scrollTo(0, 0));
    await visit.drop({ name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear ocelli') });
    await visit.settled('letter.txt', 'failed');
    await visit.page.evaluate(() =>
      document.querySelectorAll('details').forEach((panel) => (panel.open = true)),
    );
    await visit.use('caption', './missing/model/');
    await visit.page.locator('#caption-notice[data-status="failed"]').waitFor();
    await visit.ask([]);
    await visit.page.locator('#labels-error').waitFor();
    await visit.page.evaluate(() => scrollTo(0, 0));
    await shoot('error');
    await visit.page.context().close();
  }
}
await browser.close();
await site.close();
console.log(`Screenshots are in ${OUT}`);
