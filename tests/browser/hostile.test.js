// What folders really hold: names in every script and names that mean harm, damaged files in bulk, pictures of large cameras. Each is dealt
// with, and none stops the rest.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { openBrowser } from './support/browser.js';
import { plain } from './support/pictures.js';
import { openSite, Visit } from './support/site.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

/** "Photo", or a word of the like, in 60 scripts. */
const SCRIPTS = [
  ...['Foto', 'φωτογραφία', 'фотография', 'ֆոտո', 'ფოტო', 'תמונה', 'صورة', 'ܨܘܪܬܐ', 'ފޮޓޯ', 'ߖߏ߬ߟߏ߲'],
  ...['तस्वीर', 'ছবি', 'ਤਸਵੀਰ', 'ચિત્ર', 'ଚିତ୍ର', 'படம்', 'చిత్రం', 'ಚಿತ್ರ', 'ചിത്രം', 'ඡායාරූපය'],
  ...['ภาพถ่าย', 'ຮູບພາບ', 'དཔར', 'ဓာတ်ပုံ', 'ፎቶ', 'ᏗᏓᏟᎶᏍᏔᏅ', 'ᐊᔾᔨ', 'រូបថត', 'ᠵᠢᠷᠤᠭ', '写真'],
  ...['しゃしん', 'シャシン', '사진', 'ㄓㄠˋㄆㄧㄢˋ', 'ꋤꄷ', 'ⵜⴰⵡⵍⴰⴼⵜ', 'ꯐꯣꯇꯣ', 'ᱪᱤᱛᱟᱹᱨ', 'ꤖꤢꤧ', 'ᥜᥣᥴ'],
  ...['ᨑᨚᨛ', 'ᬕᬫ᭄ᬩᬃ', 'ᮜᮥᮀ', 'ᯂᯪ', 'ᰓᰦ', 'ꦥꦺꦴ', 'ꨆꨪ', 'ꓡꓲ', 'ꚠꚡ', 'ⰗⰑⰕⰑ'],
  ...['ᚠᚩᛏᚩ', 'ᚃᚑᚈᚑ', '𐌅𐌏𐌕𐌏', '𐍆𐍉𐍄𐍉', '𐐙𐐬𐐻𐐬', '𞤬𞤮𞤼𞤮', '𑄍𑄧𑄝𑄨', '𑀘𑀺𑀢𑁆𑀭', '𐤑𐤅𐤓𐤄', 'ⲫⲱⲧⲟ'],
];

/** Names that mean harm, or are none. */
const HOSTILE = [
  '<img src=x onerror=alert(1)>.png',
  '"><script>alert(1)</script>.png',
  "'; DROP TABLE pictures; --.png",
  '=HYPERLINK("x").png',
  '+1.png',
  '@sum.png',
  '-2+3.png',
  '%2e%2e%2fetc%2fpasswd.png',
  '..png',
  'CON.png',
  'nul.png',
  '{{7*7}}.png',
  '${7*7}.png',
  'photo\u202egnp.exe.png',
  'photo\u0000.png'.replace('\u0000', '\u0007'),
  `${'x'.repeat(200)}.png`,
  '🦄👩‍👩‍👧‍👦.png',
  'é and é.png',
  '|pipe|.png',
  'a;b,c.png',
];

const whole = plain('').buffer;

/** Files that are no pictures any more, or never were. */
const DAMAGED = Array.from({ length: 200 }, (_, i) => {
  const kinds = [
    whole.subarray(0, 8 + ((i * 7) % (whole.length - 40))),
    Buffer.alloc(i, i),
    Buffer.from('this is a text'),
    Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(i)]),
    Buffer.from(`GIF89a${'\xff'.repeat(i % 30)}`, 'latin1'),
  ];
  return { name: `damaged ${i}.png`, mimeType: 'image/png', buffer: kinds[i % kinds.length] ?? whole };
});

test('names in 60 scripts, hostile names, 200 damaged files and a large camera’s picture stop nothing', async () => {
  assert.equal(SCRIPTS.length, 60);
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  let asked = false;
  page.on('dialog', (dialog) => {
    asked = true;
    return dialog.dismiss();
  });
  const good = [...SCRIPTS.map((name) => `${name}.png`), ...HOSTILE];
  const files = good.map((name, i) => plain(name, { colour: [(i * 37) % 256, (i * 91) % 256, 99] }));
  const large = plain('24 megapixels.png', { width: 6000, height: 4000 });
  await visit.pick(...files.slice(0, 40), ...DAMAGED, ...files.slice(40), large);
  const all = good.length + DAMAGED.length + 1;
  await page.waitForFunction(
    (line) => document.querySelector('.work-line')?.textContent === line,
    `${all} pictures, ${DAMAGED.length} could not be read`,
  );

  await page.locator('save-answers summary').click();
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'List for programs' }).click();
  /** @type {{ picture: string, tags: string[] }[]} */
  const list = JSON.parse(readFileSync(await (await coming).path(), 'utf8'));
  const found = new Set(list.filter(({ tags }) => tags.length > 0).map(({ picture }) => picture));
  for (const name of [...good, large.name]) assert.ok(found.has(name), `${name} has its tags`);
  assert.equal(list.filter(({ picture }) => picture.startsWith('damaged')).length, 0);
  await page.keyboard.press('Escape');

  // A damaged one says what is wrong with it.
  await page.locator('picture-filter summary').click();
  await page.getByLabel('Still to be said').selectOption('untagged');
  await page.locator('picture-filter summary', { hasText: 'Filter: 200' }).waitFor();
  await page.locator('.tile[data-state=failed]').first().click();
  assert.match(await page.locator('picture-card .error').first().innerText(), /^[A-Z].*\.$/s);
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  assert.equal(asked, false);
  assert.equal(await page.locator('script:not([src])').count(), 0);
  await visit.end();
});
