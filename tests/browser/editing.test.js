// Tags that people own: right, wrong, by hand, under another name, taught; each step can be taken back, and all of it is kept.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
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

/** A picture of a colour of its own. @param {string} name @param {number} number */
const coloured = (name, number) =>
  plain(name, { width: 48, height: 36, colour: [(40 * number) % 256, (90 * number) % 256, 120] });

/** @param {Visit} visit @param {string} name */
const tile = (visit, name) => visit.page.getByRole('button', { name: new RegExp(`^${name}\\b`) });

/** Gives a picture a tag, as one of those that are selected. @param {Visit} visit @param {string} name @param {string} tag */
async function tagWith(visit, name, tag) {
  const bar = visit.page.locator('selection-bar');
  await tile(visit, name).click({ modifiers: ['Control'] });
  await bar.getByLabel('Tag').fill(tag);
  await visit.page.keyboard.press('Enter');
  await tile(visit, `${name}: .*${tag}`).waitFor();
  await bar.getByRole('button', { name: 'Done' }).click();
}

/** Waits until so many tiles are left. @param {Visit} visit @param {number} count */
const tiles = ({ page }, count) =>
  page.waitForFunction((all) => document.querySelectorAll('.tile').length === all, count);

/** A visit with pictures enough for tiles. @param {number} [count] */
async function withMany(count = 30) {
  const visit = await Visit.begin(browser, site.url);
  await visit.pick(...Array.from({ length: count }, (_, i) => coloured(`p${i}.png`, i)));
  await visit.page.waitForFunction(
    (all) => document.querySelector('.work-line')?.textContent === `${all} pictures`,
    count,
  );
  return visit;
}

test('tags are right, wrong or one’s own, the caption is corrected, and each step is taken back', async () => {
  const visit = await Visit.withPicture(browser, site.url);
  const { page } = visit;
  const tags = () => page.locator('picture-card .tag-label').allInnerTexts();
  const found = await tags();
  assert.ok(found.length > 0);
  await page.getByRole('button', { name: 'Edit caption and tags of sky.png' }).click();
  const add = page.getByLabel('Add tags').first();
  assert.ok(await add.evaluate((element) => element === document.activeElement));
  await add.fill('Grandma’s garden, 祖母の庭');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Remove 祖母の庭' }).waitFor();
  await page.getByRole('button', { name: `${found[0]} is wrong: take it away` }).click();
  await page.getByRole('button', { name: `${found[0]} is wrong: take that back` }).waitFor();
  await page.getByRole('textbox', { name: 'Caption' }).fill('Nothing but sky');
  await page.getByRole('textbox', { name: 'Caption' }).blur();
  await page.getByRole('button', { name: 'Done with sky.png' }).click();
  await page.locator('picture-card .caption', { hasText: 'Nothing but sky' }).waitFor({ state: 'attached' });
  assert.deepEqual(await tags(), ['Grandma’s garden', '祖母の庭', ...found.slice(1)]);

  const undo = page.getByRole('button', { name: 'Undo' });
  await undo.click();
  await page.locator('undo-line').getByText('Taken back: Changed the caption').waitFor();
  await undo.click();
  await page.keyboard.press('Control+z');
  await page.waitForFunction(
    (all) => document.querySelectorAll('picture-card .tag-label').length === all,
    found.length,
  );
  assert.deepEqual(await tags(), found);
  await page.keyboard.press('Control+Shift+z');
  await page.locator('picture-card .tag-label', { hasText: '祖母の庭' }).waitFor();
  await page.keyboard.press('Control+Shift+z');
  await page.getByRole('button', { name: 'Edit caption and tags of sky.png' }).click();
  await page.getByRole('button', { name: `${found[0]} is wrong: take that back` }).click();
  await page.getByRole('button', { name: `${found[0]} is wrong: take it away` }).waitFor();
  await visit.end();
});

test('what was corrected of a few pictures is there on the next visit, but for what cannot be read', async () => {
  const visit = await Visit.withPicture(browser, site.url);
  const { page } = visit;
  await visit.drop({ name: 'letter.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('Dear') });
  await visit.settled('letter.jpg', 'failed');
  await page.getByRole('button', { name: 'Edit caption and tags of sky.png' }).click();
  await visit.card('sky.png').getByLabel('Add tags').fill('Rexy');
  // What is typed is said when the page is about to go, which waits until it is kept.
  const leaving = () => page.evaluate(() => !dispatchEvent(new Event('beforeunload', { cancelable: true })));
  assert.equal(await leaving(), true);
  await page.getByText('Small copies of 1 picture').waitFor();
  await page.locator('.kept-line').getByText('1 file that could not be read is not kept.').waitFor();
  await page.getByRole('textbox', { name: 'Caption' }).fill('Typed, and not entered');
  await page.reload();
  await page.locator('picture-card .tag-label', { hasText: 'Rexy' }).waitFor();
  await page
    .locator('picture-card .caption', { hasText: 'Typed, and not entered' })
    .waitFor({ state: 'attached' });
  // Whoever takes a picture away and gives it again finds what was said of it.
  await page.getByRole('button', { name: 'Remove sky.png' }).click();
  await page.locator('picture-card').waitFor({ state: 'detached' });
  await page.reload();
  await visit.ready();
  await visit.drop(plain('sky.png'));
  await page.locator('picture-card .tag-label', { hasText: 'Rexy' }).waitFor();
  await page
    .locator('picture-card .caption', { hasText: 'Typed, and not entered' })
    .waitFor({ state: 'attached' });
  await visit.end();
});

test('many pictures are selected, tagged, taught and taken away at once, by mouse and by keyboard', async () => {
  const visit = await withMany();
  const { page } = visit;
  const line = page.locator('.selection-line');
  await tile(visit, 'p0.png').click({ modifiers: ['Control'] });
  await tile(visit, 'p3.png').click({ modifiers: ['Shift'] });
  await line.getByText('4 pictures selected').waitFor();
  await page.keyboard.press('Shift+ArrowRight');
  await line.getByText('5 pictures selected').waitFor();
  const marks = await page.evaluate(() => {
    const held = /** @type {Element} */ (document.activeElement);
    const [ring, frame] = [getComputedStyle(held), getComputedStyle(held, '::before')];
    return { offset: ring.outlineOffset, ring: ring.outlineColor, frame: frame.borderTopColor };
  });
  assert.equal(marks.offset, '0px', 'the ring of the keyboard is around the tile');
  assert.notEqual(marks.ring, marks.frame, 'and is told from the frame of what is selected');
  await tile(visit, 'p4.png').click();
  await line.getByText('4 pictures selected').waitFor();

  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const field = page.getByRole('textbox', { name: 'Tag', exact: true, description: 'Write a tag first.' });
  await field.waitFor();
  assert.equal(await field.evaluate((element) => element === document.activeElement), true);
  await page.locator('selection-bar').getByLabel('Tag').fill('trip');
  assert.equal(await page.getByText('Write a tag first.').count(), 0);
  await page.keyboard.press('Enter');
  await tile(visit, 'p3.png: trip').waitFor();
  assert.equal(await page.locator('.tile-word', { hasText: 'trip' }).count(), 4);
  await page.locator('selection-bar').getByLabel('Tag').fill('TRIP');
  await page.getByRole('button', { name: 'Take away' }).click();
  await page.waitForFunction(
    () => ![...document.querySelectorAll('.tile-word')].some((one) => one.textContent === 'trip'),
  );

  await page.locator('selection-bar').getByLabel('Tag').fill('wall of mine');
  await page.getByRole('button', { name: 'Teach' }).click();
  await tile(visit, 'p0.png: wall of mine').waitFor();
  await page.locator('undo-line').getByText('Taught “wall of mine” by 4 pictures.').waitFor();

  await page.getByRole('button', { name: 'Remove pictures' }).click();
  await page.locator('.work-line', { hasText: '26 pictures' }).waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.locator('.work-line', { hasText: '30 pictures' }).waitFor();
  await tile(visit, 'p0.png: wall of mine').waitFor();
  assert.equal(await tile(visit, 'p0.png').getAttribute('aria-posinset'), null);
  const first = page.getByRole('list', { name: 'Pictures' }).getByRole('listitem').first();
  assert.match((await first.locator('.tile').getAttribute('aria-label')) ?? '', /^p0\.png/, 'where it was');

  await page.locator('#select').click();
  await page.getByRole('button', { name: 'Select all' }).click();
  await line.getByText('30 pictures selected').waitFor();
  await tile(visit, 'p1.png').focus();
  await page.keyboard.press('Escape');
  await page.locator('selection-bar').waitFor({ state: 'hidden' });

  // What is typed and not entered goes to the pictures that are selected, and waits for no others.
  for (let step = 0; step < 9; step++) await page.keyboard.press('Control+z');
  await page.locator('undo-line').getByText('There is nothing to take back.').waitFor();
  await tile(visit, 'p1.png').click({ modifiers: ['Control'] });
  await page.locator('selection-bar').getByLabel('Tag').fill('harbour');
  await page.keyboard.press('Escape');
  await page.locator('selection-bar').waitFor({ state: 'hidden' });
  await tile(visit, 'p1.png: .*harbour').waitFor();
  await page.locator('undo-line').getByText('Added “harbour” to p1.png.').waitFor();
  await page.locator('#select').click();
  assert.equal(await page.locator('selection-bar').getByLabel('Tag').inputValue(), '');
  await page.locator('selection-bar').getByLabel('Tag').fill('for nobody');
  await page.getByRole('button', { name: 'Done' }).click();
  await page.locator('#select').click();
  assert.equal(await page.locator('selection-bar').getByLabel('Tag').inputValue(), '');
  await visit.end();
});

test('what people say is there on the next visit, and tells which pictures are shown', async () => {
  const visit = await withMany();
  const { page } = visit;
  for (const name of ['p2.png', 'p7.png']) await tile(visit, name).click({ modifiers: ['Control'] });
  await page.locator('selection-bar').getByLabel('Tag').fill('Grandma');
  await page.keyboard.press('Enter');
  await tile(visit, 'p7.png: Grandma').waitFor();
  const words = Array.from({ length: 50 }, (_, i) => `word ${i}`);
  await page.locator('selection-bar').getByLabel('Tag').fill(words.join(', '));
  await page.locator('selection-bar').getByRole('button', { name: 'Done' }).click();
  await page.locator('undo-line').getByText('to 2 pictures.').waitFor();
  await tile(visit, 'p7.png: Grandma, .*word 49').waitFor();

  await page.locator('picture-filter summary').click();
  await page.getByRole('button', { name: /^Show \d+ more tags$/ }).click();
  const listed = page.locator('.filter-tag');
  await listed.filter({ hasText: 'word 49' }).waitFor();
  assert.equal(
    await listed.nth(40).evaluate((one) => one === document.activeElement),
    true,
    'the first of them',
  );
  await page.getByLabel('With the tags').fill('grand');
  await page.getByRole('button', { name: 'Grandma 2' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('picture-filter summary', { hasText: 'Filter: 2' }).waitFor();
  await tiles(visit, 2);
  await page.getByRole('button', { name: 'Rename the tag' }).click();
  await page.getByLabel('Another name for the tag').fill('Oma, Opa');
  await page.keyboard.press('Enter');
  await page.getByText('A tag has no comma in it: commas part several.').waitFor();
  await page.getByLabel('Another name for the tag').fill('Oma');
  await page.keyboard.press('Enter');
  await tile(visit, 'p2.png: Oma').waitFor();
  await page.locator('.filter-state').getByText('2 pictures: “Oma”', { exact: true }).waitFor();
  // Another tag takes its place, and the filter goes with it, there and back.
  await page.getByRole('button', { name: 'Rename the tag' }).click();
  await page.getByLabel('Another name for the tag').fill('zebra');
  await page.keyboard.press('Enter');
  await tile(visit, 'p2.png: .*zebra').waitFor();
  await page.locator('picture-filter summary', { hasText: 'Filter: 2' }).waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await tile(visit, 'p2.png: Oma').waitFor();
  await page.locator('picture-filter summary', { hasText: 'Filter: 2' }).waitFor();
  await page.locator('picture-filter').getByRole('button', { name: 'Show all' }).click();
  await page.locator('picture-filter summary', { hasText: /^Filter$/ }).waitFor();
  await page.locator('#select').click();
  await page.getByRole('button', { name: 'Select all' }).click();
  await page.getByLabel('Still to be said').selectOption('corrected');
  await page.locator('picture-filter summary', { hasText: 'Filter: 2' }).waitFor();
  await page.locator('.selection-line').getByText('30 pictures selected, 28 of them not shown').waitFor();
  await page.locator('#select').click();
  await page.locator('picture-filter').getByRole('button', { name: 'Show all' }).click();
  await page.locator('picture-filter summary', { hasText: /^Filter$/ }).waitFor();
  // What is typed and not entered is not lost when somebody goes on, or back.
  const first = page.getByRole('list', { name: 'Pictures' }).getByRole('listitem').first();
  await first.locator('.tile').click();
  const detail = page.locator('photo-detail dialog');
  const done = detail.getByRole('button', { name: /^Done with/ });
  await detail.getByRole('button', { name: /^Edit caption and tags/ }).click();
  for (const [tag, way] of /** @type {const} */ ([
    ['half a word', 'Next'],
    ['and another', 'Next'],
    ['and a third', 'Previous'],
    ['the last', 'Close'],
  ])) {
    // It is edited without being asked for, with the keyboard in the field.
    await page.waitForFunction(() => document.activeElement?.matches('photo-detail tag-editor input'));
    await page.keyboard.type(tag);
    await detail.getByRole('button', { name: way }).click();
    await page.locator('undo-line').getByText(`Added “${tag}”`).waitFor();
  }
  await first.locator('.tile').click();
  await detail.getByRole('button', { name: /^Edit caption and tags/ }).click();
  await done.focus();
  await page.keyboard.press('ArrowRight');
  await detail.getByText('2 of 30').waitFor();
  await page.waitForFunction(() => document.activeElement?.ariaLabel?.startsWith('Done with'));
  await done.click();
  await page.keyboard.press('ArrowRight');
  await detail.getByText('3 of 30').waitFor();
  await detail.getByRole('button', { name: /^Edit caption and tags/ }).waitFor();
  await detail.getByRole('button', { name: 'Close' }).click();
  await page.locator('.kept-line', { hasText: '30 pictures' }).waitFor();

  // Another tab has the same pictures, and neither loses what is said in the other.
  const other = new Visit(await page.context().newPage(), site.url);
  await other.page.goto(site.url);
  await tile(other, 'p2.png: Oma').waitFor();
  await tagWith(visit, 'p9.png', 'tabOne');
  await tile(other, 'p9.png: tabOne').waitFor();
  await tagWith(other, 'p9.png', 'tabTwo');
  await tile(visit, 'p9.png: tabOne, tabTwo').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await tile(other, 'p9.png: tabTwo').waitFor();
  await tile(other, 'p8.png').click();
  await other.page.getByRole('button', { name: 'Remove p8.png' }).click();
  await tiles(visit, 29);
  await other.page.getByRole('button', { name: 'Undo' }).click();
  await tiles(visit, 30);
  await other.page.close();
  assert.deepEqual(other.complaints, []);

  // What is said last is kept, however soon the page goes.
  await tile(visit, 'p9.png').click();
  await detail.getByRole('button', { name: /^Edit caption and tags/ }).click();
  const reloaded = page.waitForEvent('load');
  await detail.getByRole('button', { name: 'Remove tabTwo' }).evaluate((button) => {
    /** @type {HTMLButtonElement} */ (button).click();
    location.reload();
  });
  await reloaded;
  await tile(visit, 'p2.png: Oma').waitFor();
  await tile(visit, 'p9.png').waitFor();
  assert.doesNotMatch((await tile(visit, 'p9.png').getAttribute('aria-label')) ?? '', /tab(One|Two)/);
  await visit.ready();
  await page.getByLabel('Find pictures by words').fill('oma');
  await page.keyboard.press('Enter');
  await page.locator('picture-finder').getByText('2 pictures of 30 fit “oma”').waitFor();
  await tiles(visit, 2);
  // Those that somebody looks at are saved, unless they want all.
  await page.locator('save-answers summary').click();
  const saved = async () => {
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: /^List for programs/ }).click();
    return JSON.parse(readFileSync(await (await saving).path(), 'utf8')).length;
  };
  assert.equal(await saved(), 2);
  await page.getByLabel('All 30 pictures').check();
  await page.locator('.save-line', { hasText: 'Saved what is known of 2 pictures.' }).waitFor();
  assert.equal(await saved(), 30);
  await visit.end();
});

test('near-duplicates stand beside each other, with all but the best selected', async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  const samples = new URL('../../www/samples/', import.meta.url);
  const names = readdirSync(samples).filter((name) => name.endsWith('.webp'));
  assert.ok(names.length >= 3);
  const files = names.map((name) => ({
    name,
    mimeType: 'image/webp',
    buffer: readFileSync(new URL(name, samples)),
  }));
  const [first, second] = files;
  const house = files.find(({ name }) => name === 'house.webp');
  assert.ok(first && second && house);
  // The same picture in a file that is a little longer.
  const longer = (/** @type {import('./support/pictures.js').File} */ file, /** @type {string} */ name) => ({
    ...file,
    name,
    buffer: Buffer.concat([file.buffer, Buffer.alloc(9)]),
  });
  // The same picture once more with three fifths of its pixels' columns and rows, as JPEG: to the model
  // they have a cosine of 0.84.
  const smaller = await page.evaluate(
    async (bytes) => {
      const picture = await createImageBitmap(new Blob([Uint8Array.from(bytes)]));
      const canvas = new OffscreenCanvas(picture.width * 0.6, picture.height * 0.6);
      canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
      const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.6 });
      return [...new Uint8Array(await blob.arrayBuffer())];
    },
    [...house.buffer],
  );
  const small = { name: 'small.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(smaller) };
  const copies = [longer(first, 'more.webp'), longer(second, 'other.webp'), small];
  await visit.pick(...files, ...copies);
  for (const { name } of copies) await visit.settled(name);
  await page.locator('picture-filter summary').click();
  // All are compared, and so all are shown, whatever the filter hid.
  await page.locator('picture-filter select').first().selectOption({ index: 1 });
  await page.waitForFunction(
    (all) => document.querySelectorAll('picture-card, .tile').length < all,
    files.length + 3,
  );
  await page.getByRole('button', { name: 'Find near-duplicates' }).click();
  await page.locator('picture-finder').getByText('3 groups of 6 pictures that are nearly the same').waitFor();
  await tiles(visit, 6);
  const tops = await page
    .locator('.tile')
    .evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().top)));
  assert.deepEqual(
    tops,
    [0, 0, 2, 2, 4, 4].map((place) => tops[place]),
  );
  const height = await page
    .locator('.tile')
    .first()
    .evaluate((one) => one.clientHeight);
  assert.ok((tops[2] ?? 0) - (tops[0] ?? 0) > height + 20, 'groups are apart');
  assert.equal(await tile(visit, 'more.webp').getAttribute('aria-pressed'), 'false', 'the best of them');
  const told = (/** @type {string} */ name) => tile(visit, name).locator('.tile-word').innerText();
  await tile(visit, 'more.webp').filter({ hasText: / × / }).waitFor();
  const longest = (await told('more.webp')).split('\n');
  const size = `${Math.round((first.buffer.length + 9) / 1000)} kB`;
  assert.deepEqual(longest.slice(0, 3), ['Stays: largest', 'more.webp', size]);
  assert.match(longest[3] ?? '', /^[\d,]+ × [\d,]+$/);
  assert.deepEqual((await told(first.name)).split('\n')[0], first.name, 'this one does not stay');
  await tile(visit, `more.webp: Stays: largest, ${size}`).waitFor();
  assert.equal(await tile(visit, first.name).getAttribute('aria-pressed'), 'true');
  await page.getByRole('button', { name: 'Remove pictures' }).click();
  await page.locator('.work-line', { hasText: `${files.length} pictures` }).waitFor();
  await visit.end();
});

test('lists of labels are kept, opened and saved, with what their labels are below', async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  await visit.ready();
  const labels = page.getByLabel('One label on each line');
  await labels.fill('pets|dogs|Rex\nsea: the ocean');
  await page.locator('label-editor summary', { hasText: 'Lists of your own' }).click();
  await page.getByLabel('Keep these labels as').fill('Ours');
  await page.keyboard.press('Enter');
  await page.getByText('Kept as “Ours”.').waitFor();
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save this list' }).click();
  const saved = await (await saving).path();
  assert.equal(readFileSync(saved, 'utf8'), 'pets|dogs|Rex\nsea: the ocean\n');

  await page.setInputFiles('#labels-file', {
    name: 'words.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('cloud\n犬\n'),
  });
  await page.getByText('Read words.txt.').waitFor();
  assert.equal(await labels.inputValue(), 'cloud\n犬\n');
  await page.setInputFiles('#labels-file', {
    name: 'no.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from([255, 254, 1]),
  });
  await page.getByText('no.txt is not a text in UTF-8.').waitFor();

  await page.reload();
  await visit.ready();
  await page.locator('label-editor summary', { hasText: 'Lists of your own' }).click();
  await page.getByLabel('Your lists').selectOption('Ours');
  assert.equal(await labels.inputValue(), 'pets|dogs|Rex\nsea: the ocean');
  assert.equal(await page.getByLabel('Your lists').inputValue(), 'Ours');
  await page.getByRole('button', { name: 'Restore the first labels' }).click();
  assert.equal(await page.getByLabel('Your lists').inputValue(), '', 'it is not that list any more');
  await page.getByLabel('Your lists').selectOption('Ours');
  await page.getByRole('button', { name: 'Delete' }).click();
  assert.equal(await page.getByLabel('Your lists').locator('option').count(), 1);
  await visit.end();
});
