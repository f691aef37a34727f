// Draws the icons that installed apps have, `www/icons/*.png`, from `www/icon.svg`: `node scripts/draw-icons.mjs`, in Chromium.
// They are committed: run it when the drawing has changed.

import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { findChrome } from './lib/find.mjs';
import { Failure, main, ROOT, say } from './lib/run.mjs';

/** How much of a maskable icon its drawing takes, so that all of it is inside of the circle that no system cuts. */
const SAFE = 0.85;

/**
 * A maskable icon has its ground up to the edges, and the drawing itself smaller.
 * @type {{ name: string, size: number, maskable?: true }[]}
 */
const ICONS = [
  { name: 'icon-192.png', size: 192 },
  { name: 'icon-512.png', size: 512 },
  { name: 'maskable-512.png', size: 512, maskable: true },
];

await main(import.meta, async () => {
  const executablePath = findChrome();
  if (!executablePath) throw new Failure('no Chromium was found: run `npm run setup`, or set CHROME_PATH');
  const svg = readFileSync(path.join(ROOT, 'www/icon.svg'), 'utf8');
  const ground = /<rect [^>]*fill="(#[0-9a-f]{6})"/.exec(svg)?.[1];
  if (!ground) throw new Failure('www/icon.svg has no ground, a <rect> with a colour.');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    mkdirSync(path.join(ROOT, 'www/icons'), { recursive: true });
    for (const { name, size, maskable } of ICONS) {
      const page = await browser.newPage({ viewport: { width: size, height: size } });
      const body = `margin: 0; height: 100vh; display: grid; place-items: center; overflow: hidden`;
      const look = maskable ? `background: ${ground}; --size: ${100 * SAFE}vmin` : '--size: 100vmin';
      await page.setContent(
        `<body style="${body}; ${look}"><style>svg { width: var(--size); height: var(--size) }</style>${svg}`,
      );
      await page.screenshot({ path: path.join(ROOT, 'www/icons', name), omitBackground: true });
      await page.close();
    }
  } finally {
    await browser.close();
  }
  say(`Drew ${ICONS.map(({ name }) => name).join(', ')}`);
});
