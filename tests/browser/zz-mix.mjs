import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { openBrowser, openSite, Visit } from './support/site.js';
const dir = process.argv[2];
const files = process.argv
  .slice(4)
  .map((f) => ({
    name: path.basename(f),
    mimeType: f.endsWith('png') ? 'image/png' : 'image/jpeg',
    buffer: readFileSync(f),
  }));
const browser = await openBrowser();
const site = await openSite({});
for (const [device, options] of Object.entries({
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: {
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    hasTouch: true,
    isMobile: true,
    colorScheme: 'dark',
  },
})) {
  const visit = await Visit.begin(browser, site.url, options);
  await visit.ready();
  if (device === 'desktop') await visit.page.screenshot({ path: path.join(dir, `${device}-idle.png`) });
  const some = device === 'desktop' ? files : files.slice(0, 2);
  const t = Date.now();
  await visit.drop(...some);
  for (const { name } of some) {
    await visit.settled(name);
    console.log(name, Date.now() - t);
  }
  await visit.page.screenshot({ path: path.join(dir, `${device}-first.png`) });
  if (device === 'desktop')
    await visit.page.screenshot({ path: path.join(dir, `${device}-all.png`), fullPage: true });
  for (const card of await visit.page.locator('picture-card').all())
    console.log((await card.innerText()).replace(/\n+/g, ' | ').slice(0, 260));
  await visit.page.context().close();
}
await browser.close();
await site.close();
