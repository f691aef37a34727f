import './support/dom.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { csv, downloadsOf, json } from '../../www/export.js';
import { mergedXmp, readXmp } from '../../www/files/xmp-merge.js';
import { matcher, readAnswers } from '../../www/files/import.js';
import { readText } from '../../www/files/texts.js';

/** Names in many scripts, and what breaks tables, lists, archives and XML. */
const NAMES = [
  'plain.jpg',
  'Ferien/Straße/Übung.JPG',
  'Волков/щенок.png',
  'Ελλάδα/σκύλος.jpg',
  'ქართული/ძაღლი.jpg',
  'հայերեն/շուն.jpg',
  'עברית/כלב.jpg',
  'العربية/كلب.jpg',
  'हिन्दी/कुत्ता.jpg',
  'বাংলা/কুকুর.jpg',
  'தமிழ்/நாய்.jpg',
  'ไทย/หมา.jpg',
  'ລາວ/ໝາ.jpg',
  'ខ្មែរ/ឆ្កែ.jpg',
  'မြန်မာ/ခွေး.jpg',
  'አማርኛ/ውሻ.jpg',
  'ᏣᎳᎩ/ᎩᎵ.jpg',
  'ᐃᓄᒃᑎᑐᑦ/ᕿᒻᒥᖅ.jpg',
  'монгол/ᠨᠣᠬᠠᠢ.jpg',
  'བོད་ཡིག/ཁྱི.jpg',
  '日本語/犬 🐕‍🦺.png',
  '한국어/개.webp',
  '漢字/𠮷野家.jpg',
  '𞤆𞤵𞤤𞤢𞤪/𞤪𞤢𞤱𞤢.jpg',
  'a, "b"; c.jpg',
  "it's/'quoted'.jpg",
  '=1+1.jpg',
  "'=1+1.jpg",
  '-x.jpg',
  '@y.jpg',
  '<b>&amp;.jpg',
  '100%.jpg',
  'no ending',
  'two.dots.in.it.jpeg',
  '.hidden-looking',
];

const rows = NAMES.map((path, i) => ({
  path,
  tags: [path.replace(/[;,]|\..*$/g, '').trim() || 'x', `tag ${i}`, '=SUM(A1)', 'R&D <b>'],
  hierarchy: [`animal|${i}`, 'flat'],
  caption: i % 3 === 0 ? '' : `${path} "quoted", and\non a second line`,
}));
const pictures = rows.map(({ path }) => ({ path, name: path.slice(path.lastIndexOf('/') + 1) }));

/** @param {typeof rows} rows @param {import('../../www/export.js').Format} format */
async function saved(rows, format, options) {
  const files = [];
  for await (const { name, blob } of downloadsOf(rows, format, options)) files.push(new File([blob], name));
  return files;
}

/** What is read, by the picture that it is about. */
async function readBack(files) {
  const { rows: read, troubles } = await readAnswers(files);
  assert.deepEqual(troubles, []);
  const find = matcher(pictures, read);
  return new Map(read.map((row) => [find(row)?.path, row]));
}

test('tables, lists and sidecars bring everything back', async () => {
  for (const format of /** @type {const} */ (['csv', 'json', 'xmp'])) {
    const read = await readBack(await saved(rows, format));
    for (const { path, tags, hierarchy, caption } of rows) {
      const row = read.get(path);
      const about = `${format}: ${path}`;
      assert.deepEqual(row?.tags, tags, about);
      assert.equal(row?.caption, caption, about);
      assert.deepEqual(row?.hierarchy, format === 'xmp' ? [hierarchy[0]] : [], about);
    }
    assert.equal(read.size, rows.length);
  }
});

test('texts bring back what they hold, and lists beside them which part is what', async () => {
  for (const form of [{}, { prefix: 'sks, ', separator: '. ', suffix: ' --end' }, { separator: '\n' }]) {
    const { rows: read, troubles } = await readAnswers(await saved(rows, 'txt', form));
    assert.deepEqual(troubles, []);
    const find = matcher(pictures, read);
    for (const kind of [undefined, 'parts']) {
      const kept = new Map(read.filter(({ listed }) => listed === kind).map((row) => [find(row)?.path, row]));
      for (const { path, tags, caption } of rows) {
        const { text = '', ...row } = kept.get(path) ?? {};
        const said = kind
          ? { ...row, isSure: true }
          : readText(text, { form, caption, isTag: (word) => tags.includes(word) });
        assert.deepEqual([said.tags, said.caption.trim()], [tags, caption.trim()], path);
      }
    }
  }
});

test('a caption that nobody knows is told from tags', () => {
  const isTag = (/** @type {string} */ word) => ['dolphin', 'animal', 'sea', '海', 'sky'].includes(word);
  const read = (/** @type {string} */ text, form = {}, caption = '') =>
    readText(text, { form, caption, isTag });
  for (const [text, caption, tags, isSure] of /** @type {[string, string, string[], boolean][]} */ ([
    [
      'our dolphin trip, Madeira, dolphin, animal',
      'our dolphin trip',
      ['Madeira', 'dolphin', 'animal'],
      false,
    ],
    ['our dolphin trip, Madeira', 'our dolphin trip', ['Madeira'], false],
    ['our dolphin trip, dolphin', 'our dolphin trip', ['dolphin'], true],
    ['our dolphin trip', 'our dolphin trip', [], true],
    ['our trip, at last, to the island, sea', 'our trip, at last, to the island', ['sea'], false],
    [
      'we went out to see them, with all of us, Madeira',
      'we went out to see them, with all of us',
      ['Madeira'],
      false,
    ],
    ['うちのイルカの旅, マデイラ, 海', 'うちのイルカの旅', ['マデイラ', '海'], false],
    ['マデイラ, 海', '', ['マデイラ', '海'], true],
    ['Madeira, dolphin', '', ['Madeira', 'dolphin'], true],
    ['dolphin, our trip to sea', '', ['dolphin', 'our trip to sea'], true],
    [
      '1girl, solo, long hair, looking at viewer',
      '',
      ['1girl', 'solo', 'long hair', 'looking at viewer'],
      true,
    ],
    [
      'a woman on a chair, holding a red umbrella, in the rain',
      'a woman on a chair, holding a red umbrella, in the rain',
      [],
      false,
    ],
  ])) {
    assert.deepEqual(read(text), { caption, tags, isSure }, text);
  }
  const form = { prefix: 'sks ', separator: '. ', suffix: '!' };
  assert.deepEqual(read('sks We went out. Madeira. sea!', form), {
    caption: 'We went out',
    tags: ['Madeira', 'sea'],
    isSure: false,
  });
  assert.deepEqual(read('We went out\nMadeira\nsea', { separator: '\n' }).tags, ['Madeira', 'sea']);
  assert.deepEqual(read('dolphin, sea', form).tags, ['dolphin', 'sea'], 'texts of others have commas');
  assert.equal(read('Madeira, at night', { parts: 'caption' }).caption, 'Madeira, at night');
  assert.deepEqual(read('our dolphin trip, sea', { parts: 'tags' }).tags, ['our dolphin trip', 'sea']);
  assert.deepEqual(read('a dog, sea', {}, 'a dog'), { caption: 'a dog', tags: ['sea'], isSure: true });
  assert.equal(read('a dog, by the quiet sea', {}, 'a dog').isSure, false, 'it may go on');
});

test('pictures that differ in their endings alone are told apart', async () => {
  const twins = ['a.jpg', 'a.png', 'd/b.jpg'].map((path) => ({ ...rows[0], path, tags: [path] }));
  for (const format of /** @type {const} */ (['txt', 'xmp'])) {
    const { rows: read } = await readAnswers(await saved(twins, format));
    const find = matcher(twins.map(({ path }) => ({ path, name: path })));
    for (const row of read) {
      const [own] = row.text === undefined ? row.tags : [row.text.split(', ').at(-1)];
      assert.equal(find(row)?.path, own);
    }
  }
});

/** @param {string} name @param {BlobPart} content */
const file = (name, content) => new File([content], name);

test('tables are read as spreadsheets and people leave them', async () => {
  const [{ rows: read }, semicolons, wide] = await Promise.all([
    readAnswers([
      file('x.csv', 'Caption,extra,Picture , TAGS\nc,,a.jpg, dog ;cat;\n\n,,b.jpg\n"q""q",,c.jpg,"open'),
    ]),
    readAnswers([file('x.csv', '\ufeffpicture;tags;caption\r\na.jpg;"dog; cat";"1;2"\r\nb.jpg;;x')]),
    readAnswers([file('x.csv', Buffer.from('\ufeffpicture\ttags\na.jpg\t犬', 'utf16le'))]),
  ]);
  assert.deepEqual(read, [
    { path: 'a.jpg', exact: true, tags: ['dog', 'cat'], hierarchy: [], caption: 'c' },
    { path: 'c.jpg', exact: true, tags: ['open'], hierarchy: [], caption: 'q"q' },
  ]);
  assert.deepEqual(
    semicolons.rows.map(({ tags, caption }) => [tags, caption]),
    [
      [['dog', 'cat'], '1;2'],
      [[], 'x'],
    ],
  );
  assert.deepEqual(wide.rows[0]?.tags, ['犬']);
});

test('an apostrophe that says "no formula" is taken away, and only that', async () => {
  for (const caption of ['=1', "'=1", "''=1", "'tis", "'", '', '-', "'-", '\t', '+a,"b"']) {
    const [row] = (await readAnswers([file('o.csv', csv([{ ...rows[0], caption }]))])).rows;
    assert.equal(row?.caption, caption.trim(), JSON.stringify(caption));
  }
});

test('what is none of these, or damaged, is told, and the others are read', async () => {
  const { rows: read, troubles } = await readAnswers([
    file('numbers.csv', 'a,b\n1,2'),
    file('empty.csv', ''),
    file('cut.json', '[{"picture": "a'),
    file('package.json', '{"name": "x"}'),
    file('odd.json', '[{"picture": "a.jpg", "tags": [1, "x", null, ""], "caption": 5}]'),
    file('latin.txt', Uint8Array.of(0xe4, 0xf6)),
    file('damaged.jpg.xmp', '<x:xmpmeta'),
    file('entities.xmp', '<!DOCTYPE x><x/>'),
    file('long.txt', 'a'.repeat(4_000_001)),
    file('none.zip', 'no archive'),
    file('good.txt', 'a dog\non a beach, dog,, '),
    file('blank.txt', ' \n'),
  ]);
  assert.deepEqual(
    read.map(({ path, exact, tags, text }) => ({ path, exact, all: text ?? tags })),
    [
      { path: 'a.jpg', exact: true, all: ['x'] },
      { path: 'good', exact: false, all: 'a dog\non a beach, dog,,' },
    ],
  );
  assert.deepEqual(
    troubles.map(({ name }) => name),
    [
      'numbers.csv',
      'empty.csv',
      'cut.json',
      'package.json',
      'latin.txt',
      'damaged.jpg.xmp',
      'entities.xmp',
      'long.txt',
      'none.zip',
    ],
  );
  for (const { sentence } of troubles) assert.match(sentence, /^\p{Lu}.*\.$/u);
});

test('archives are read whatever has made them, without what is no answer', async () => {
  const zip = zipSync({
    'a/b.jpg': strToU8('a picture'),
    'a/b.txt': [strToU8('dog, sea'), { level: 0 }],
    'a/._b.txt': strToU8('of a system'),
    '__MACOSX/a/b.txt': strToU8('of a system'),
    'inner.zip': zipSync({ 'c.txt': strToU8('too deep') }),
    'ocelli.json': strToU8(json([rows[0]])),
  });
  const comment = new Uint8Array([...zip, 0, 0, 0]);
  const { rows: read, troubles } = await readAnswers([file('x.zip', zip), file('y.ZIP', comment)]);
  assert.deepEqual(troubles, []);
  assert.deepEqual(read.map(({ path }) => path).slice(0, 2), ['a/b', 'plain.jpg']);
});

/** @param {(view: DataView, directory: number) => void} change @param {Uint8Array} [zip] */
async function spoilt(change, zip = zipSync({ 'a.txt': strToU8('dog '.repeat(100)) })) {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.length);
  change(view, view.getUint32(zip.length - 22 + 16, true));
  const { rows: read, troubles } = await readAnswers([file('x.zip', zip)]);
  assert.equal(read.length, 0);
  return troubles[0]?.sentence;
}

test('archives that lie or are too large are refused', async () => {
  const damaged = 'This archive is damaged, or locked.';
  const tooLarge = 'This archive holds more than is read of one.';
  assert.equal(await spoilt((view, at) => view.setUint32(at + 24, 400 - 1, true)), damaged);
  assert.equal(await spoilt((view, at) => view.setUint32(at + 24, 400 + 1, true)), damaged);
  assert.equal(await spoilt((view, at) => view.setUint32(at + 24, 200_000_001, true)), tooLarge);
  assert.equal(await spoilt((view, at) => view.setUint32(at + 20, 0xfffff, true)), damaged);
  assert.equal(await spoilt((view, at) => view.setUint16(at + 8, 1, true)), damaged);
  assert.equal(await spoilt((view, at) => view.setUint16(at + 10, 99, true)), damaged);
  assert.equal(await spoilt((view, at) => view.setUint32(at + 42, 0xffffff, true)), damaged);
  assert.equal(await spoilt((view) => view.setUint16(view.byteLength - 12, 0xffff, true)), tooLarge);
  assert.equal(await spoilt((view) => view.setUint16(view.byteLength - 12, 5, true)), damaged);
  // Zeros, a thousand times as long as they claim.
  const zeros = deflateRawSync(Buffer.alloc(2 ** 27));
  const bomb = zipSync({ 'a.txt': [zeros, { level: 0 }] });
  const started = performance.now();
  const sentence = await spoilt((view, at) => view.setUint16(at + 10, 8, true), bomb);
  assert.equal(sentence, damaged);
  assert.ok(performance.now() - started < 2000, 'it is given up before it is unpacked');

  const whole = zipSync({ 'a.txt': strToU8('dog') });
  for (let length = 0; length < whole.length; length++) {
    const { rows: read, troubles } = await readAnswers([file('x.zip', whole.subarray(0, length))]);
    assert.deepEqual([read.length, troubles.length], [0, 1]);
  }
});

test('a row finds its picture by as many folders as both know', () => {
  const find = (/** @type {string[]} */ paths, /** @type {string} */ path, exact = true) =>
    matcher(paths.map((one) => ({ path: one, name: one })))({ path, exact })?.path ?? null;
  const two = ['A/c.jpg', 'B/c.jpg'];
  for (const [paths, path, expected] of /** @type {[string[], string, string | null][]} */ ([
    [two, 'A/c.jpg', 'A/c.jpg'],
    [two, 'x/y/B/c.jpg', 'B/c.jpg'],
    [two, 'B\\c.jpg', 'B/c.jpg'],
    [two, 'c.jpg', null],
    [two, 'C/c.jpg', null],
    [['c.jpg'], 'deep/down/c.jpg', 'c.jpg'],
    [['c.jpg', 'A/c.jpg'], 'c.jpg', 'c.jpg'],
    [['c.jpg', 'A/c.jpg'], 'x/A/c.jpg', 'A/c.jpg'],
    [['c.jpg', 'c.jpg'], 'c.jpg', null],
    [['a:b.jpg'], 'a_b.jpg', 'a:b.jpg'],
    [['a:b.jpg', 'a_b.jpg'], 'a:b.jpg', 'a:b.jpg'],
    [['a:b.jpg', 'a?b.jpg'], 'a_b.jpg', null],
    [['u\u0308.jpg'], '\u00fc.jpg', 'u\u0308.jpg'],
    [['c.jpg'], 'c.png', null],
    [['c.jpg'], '', null],
    [[], 'c.jpg', null],
  ])) {
    assert.equal(find(paths, path), expected, `${path} among ${paths.join(', ')}`);
  }
  assert.equal(find(['A/c.jpg', 'B/c.png'], 'B/c', false), 'B/c.png');
  assert.equal(find(['c.jpg', 'c.png'], 'c', false), null);
  assert.equal(find(['c', 'c.png'], 'c', false), 'c');
  assert.equal(find(['my.day.jpg'], 'my.day', false), 'my.day.jpg');
});

test('two rows that could both mean one picture mean none', () => {
  const picture = { path: 'c.jpg', name: 'c.jpg' };
  const row = (/** @type {string} */ path, exact = true) => ({ path, exact });
  const doubtful = [row('A/c.jpg'), row('B/c.jpg'), row('c.jpg')];
  const find = matcher([picture], doubtful);
  assert.deepEqual(doubtful.map(find), [null, null, picture]);
  const sure = [row('A/c.jpg'), row('A/c', false)];
  assert.deepEqual(sure.map(matcher([picture], sure)), [picture, picture]);
});

test('names survive in archives, as other programs read them', async () => {
  const [archive] = await saved(rows, 'xmp');
  const names = Object.keys(unzipSync(new Uint8Array(await /** @type {File} */ (archive).arrayBuffer())));
  assert.deepEqual(
    names,
    NAMES.map((name) => `${name}.xmp`),
  );
});

test('tags that are wrong come back as such, and are no keywords any more', async () => {
  const said = rows.map((row, i) => ({ ...row, gone: i % 2 ? [] : ['cat', '=SUM(B2)', 'a & b'] }));
  for (const format of /** @type {const} */ (['csv', 'json', 'xmp'])) {
    const read = await readBack(await saved(said, format));
    for (const { path, gone, tags } of said) {
      assert.deepEqual(read.get(path)?.gone ?? [], gone, `${format}: ${path}`);
      assert.deepEqual(read.get(path)?.tags, tags);
    }
  }
  const content = { subjects: ['dog'], hierarchicalSubjects: ['animal|dog'] };
  const before = mergedXmp(
    mergedXmp(null, { subjects: ['Cat', 'sea'], hierarchicalSubjects: ['animal|cat'] }),
    content,
  );
  const after = readXmp(mergedXmp(before, { ...content, rejected: ['cat'] }));
  assert.deepEqual(after, { gone: ['cat'], tags: ['sea', 'dog'], hierarchy: ['animal|dog'], caption: '' });
  const again = readXmp(mergedXmp(mergedXmp(before, { ...content, rejected: ['cat'] }), content));
  assert.equal(again.gone, undefined, 'what is wrong no longer is so nowhere');
});

test('tags that people have confirmed come back as such, in their order, as long as they are keywords', async () => {
  const said = rows.map((row, i) => ({ ...row, own: i % 2 ? [] : ['R&D <b>', `tag ${i}`] }));
  for (const format of /** @type {const} */ (['json', 'xmp'])) {
    const read = await readBack(await saved(said, format));
    for (const { path, own } of said) assert.deepEqual(read.get(path)?.own ?? [], own, `${format}: ${path}`);
  }
  const packet = mergedXmp(null, { subjects: ['dog', 'sea', 'sun'], confirmed: ['sun', 'sea'] });
  const others = packet.replace('<rdf:li>sea</rdf:li>', '');
  assert.deepEqual(readXmp(others).own, ['sun'], 'another program has taken one away');
  const rejected = packet.replaceAll('ocelli:confirmed', 'ocelli:rejected');
  const both = packet.replace(
    /<ocelli:confirmed.*<\/ocelli:confirmed>/s,
    (one) =>
      one +
      (/<ocelli:rejected.*<\/ocelli:rejected>/s.exec(rejected)?.[0] ?? '').replace(/<rdf:li>sea.*?li>/, ''),
  );
  const { own, gone } = readXmp(both);
  assert.deepEqual([own, gone], [['sea'], ['sun']], 'what is wrong is not right as well');
  assert.equal(readXmp(mergedXmp(packet, { subjects: ['dog'] })).own, undefined, 'nobody says so any more');
  const odd = file('odd.json', '[{"picture": "a.jpg", "tags": ["dog"], "own": ["dog", 5, null, ""]}]');
  const [row] = (await readAnswers([odd])).rows;
  assert.deepEqual(row?.own, ['dog']);
});

test('what stands in the place of pictures comes back from web pages and Markdown', async () => {
  for (const format of /** @type {const} */ (['html', 'markdown'])) {
    const read = await readBack(await saved(rows, format));
    assert.equal(read.size, rows.length);
    for (const { path, tags, caption } of rows) {
      const instead = caption || tags.join(', ');
      const expected = format === 'html' ? instead : instead.replace(/\s*\n+\s*/g, ' ');
      assert.equal(read.get(path)?.alternative, expected, `${format}: ${path}`);
    }
  }
  const { rows: none } = await readAnswers([
    file('x.html', '<img src="a.jpg" alt="'),
    file('y.md', '![![![]('),
  ]);
  assert.deepEqual(none, []);
});

test('a folder may be called otherwise than where files were saved, if enough is below it', () => {
  const named = (/** @type {string} */ path) => ({ path, name: path.split('/').at(-1) ?? path });
  const pictures = ['a.jpg', 'b.jpg', 'day 1/c.jpg', 'day 2/c.jpg'].map((name) => named(`Holiday/${name}`));
  const rows = ['a.jpg', 'b.jpg', 'day 1/c.jpg', 'day 2/c.jpg', 'gone.jpg'].map((name) => ({
    path: `H/${name}`,
    exact: true,
  }));
  const found = (/** @type {typeof pictures} */ there, /** @type {typeof rows} */ some) =>
    some.map((row) => matcher(there, some)(row)?.path ?? null);
  assert.deepEqual(found(pictures, rows), [...pictures.map(({ path }) => path), null]);
  assert.deepEqual(found(pictures, rows.slice(0, 2)), [null, null], 'two may be called so by chance');
  const two = [...pictures, ...pictures.map(({ path }) => named(path.replace('Holiday', 'Copies')))];
  assert.ok(
    found(two, rows).every((path) => path === null),
    'nobody knows which is meant',
  );
  const stems = rows.map(({ path }) => ({ path: path.replace('.jpg', ''), exact: false }));
  assert.deepEqual(
    found(pictures, stems).slice(0, 4),
    pictures.map(({ path }) => path),
  );
});
