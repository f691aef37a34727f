import './support/dom.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { unzipSync, strFromU8 } from 'fflate';
import {
  csv,
  downloadsOf,
  filesOf,
  html,
  json,
  markdown,
  newTally,
  sidecars,
  texts,
} from '../../www/export.js';
import { withXmp, xmpOf } from '../../www/files/xmp-embed.js';
import { mergedXmp, readXmp } from '../../www/files/xmp-merge.js';
import { JFIF, jpeg, png, rated, sampleWebp, segment } from './support/files.js';

/** @template T @param {AsyncIterable<T>} some @returns {Promise<T[]>} */
async function allOf(some) {
  const all = [];
  for await (const one of some) all.push(one);
  return all;
}

const row = (path, tags = ['dog'], caption = 'a dog on a beach', hierarchy = ['animal|dog']) => ({
  path,
  tags,
  caption,
  hierarchy,
});

test('a table keeps every name whole, and none becomes a formula', () => {
  const rows = [
    row('a, "b".jpg', ['dog', 'sea, wide'], 'two\nlines'),
    row('=1+1.jpg', [], ''),
    row('写真/犬.png', ['犬']),
  ];
  assert.equal(
    csv(rows),
    '\ufeffpicture,tags,caption,rejected\r\n' +
      '"a, ""b"".jpg","dog; sea, wide","two\nlines",\r\n' +
      "'=1+1.jpg,,,\r\n" +
      '写真/犬.png,犬,a dog on a beach,\r\n',
  );
});

test('a list for programs has what is known, and no more', () => {
  assert.deepEqual(JSON.parse(json([row('a.jpg'), row('b.jpg', ['cat'], '')])), [
    { picture: 'a.jpg', tags: ['dog'], caption: 'a dog on a beach' },
    { picture: 'b.jpg', tags: ['cat'] },
  ]);
});

test('texts begin with the caption, and no two files have one name', () => {
  const files = texts([
    row('a.jpg'),
    row('a.png', ['cat'], ''),
    row('b.jpg'),
    row('b.jpg', ['cat'], ''),
    row('d/a.jpg'),
    row('noending'),
  ]);
  assert.deepEqual(
    [...files],
    [
      ['a.jpg.txt', 'a dog on a beach, dog'],
      ['a.png.txt', 'cat'],
      ['b.jpg.txt', 'a dog on a beach, dog'],
      ['b (2).txt', 'cat'],
      ['d/a.txt', 'a dog on a beach, dog'],
      ['noending.txt', 'a dog on a beach, dog'],
    ],
  );
});

test('sidecars lie in their folders, and never outside of the archive', () => {
  const files = sidecars([row('Holiday/day 1/a.jpg'), row('../../etc/passwd'), row('/x/./b.jpg')]);
  assert.deepEqual([...files.keys()], ['Holiday/day 1/a.jpg.xmp', 'etc/passwd.xmp', 'x/b.jpg.xmp']);
  const text = files.get('Holiday/day 1/a.jpg.xmp') ?? '';
  assert.match(text, /<dc:subject>\s*<rdf:Bag>\s*<rdf:li>dog<\/rdf:li>/);
  assert.match(text, /<lr:hierarchicalSubject>\s*<rdf:Bag>\s*<rdf:li>animal\|dog<\/rdf:li>/);
  assert.match(text, /<rdf:li xml:lang="x-default">a dog on a beach<\/rdf:li>/);
});

test('texts hold what somebody wants, as they want it', () => {
  const rows = [row('a.jpg', ['dog', 'sea']), row('b.jpg', [], 'a boat'), row('c.jpg', ['cat'], '')];
  const made = (/** @type {import('../../www/export.js').Options} */ options) => [...texts(rows, options)];
  assert.deepEqual(made({ parts: 'tags', prefix: 'sks, ', separator: ' | ', suffix: '.' }), [
    ['a.txt', 'sks, dog | sea.'],
    ['c.txt', 'sks, cat.'],
  ]);
  assert.deepEqual(made({ parts: 'caption' }), [
    ['a.txt', 'a dog on a beach'],
    ['b.txt', 'a boat'],
  ]);
});

test('a name that a picture has itself is given to no other', () => {
  const files = sidecars([row('a.jpg'), row('a.jpg'), row('a (2).jpg')]);
  assert.deepEqual([...files.keys()], ['a.jpg.xmp', 'a (3).jpg.xmp', 'a (2).jpg.xmp']);
});

test('alternative texts are texts, whatever is in them', () => {
  const rows = [
    row('d 1/"犬" & (1)\'.jpg', ['dog'], '<img onerror="x"> & [a](b) *c*\n# two'),
    row('javascript:alert(1).png', ['x', 'y'], ''),
  ];
  assert.equal(
    html(rows),
    '<!doctype html>\n<meta charset="utf-8" />\n<title>Pictures</title>\n<ul>\n' +
      '<li><img src="d%201/%22%E7%8A%AC%22%20%26%20%281%29%27.jpg"' +
      ' alt="&lt;img onerror=&quot;x&quot;&gt; &amp; [a](b) *c*\n# two" /></li>\n' +
      '<li><img src="javascript%3Aalert%281%29.png" alt="x, y" /></li>\n</ul>\n',
  );
  assert.equal(
    markdown(rows),
    '![\\<img onerror="x"\\> \\& \\[a\\](b) \\*c\\* \\# two](d%201/%22%E7%8A%AC%22%20%26%20%281%29%27.jpg)\n\n' +
      '![x, y](javascript%3Aalert%281%29.png)\n',
  );
});

/** @param {object[]} rows @param {import('../../www/export.js').Format} format @param {...any} more */
async function archive(rows, format, ...more) {
  const files = [];
  for await (const file of downloadsOf(rows, format, ...more)) files.push(file);
  assert.equal(files.length, 1);
  const bytes = new Uint8Array(await files[0].blob.arrayBuffer());
  return { name: files[0].name, files: unzipSync(bytes) };
}

test('an archive holds each file', async () => {
  const { name, files } = await archive([row('a.jpg'), row('b.jpg', ['<&>'], '')], 'xmp');
  assert.equal(name, 'ocelli-sidecars.zip');
  assert.deepEqual(Object.keys(files), ['a.jpg.xmp', 'b.jpg.xmp']);
  assert.match(strFromU8(files['b.jpg.xmp']), /<rdf:li>&lt;&amp;&gt;<\/rdf:li>/);
});

test('pictures have their keywords in them, or beside them', async () => {
  const theirs = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>';
  const damaged = jpeg(JFIF, segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0<damaged'));
  const unreadable = { arrayBuffer: () => Promise.reject(new Error('moved')) };
  const rows = [
    { ...row('d/a.jpg'), original: new Blob([jpeg(JFIF)]) },
    { ...row('d/b.png'), original: new Blob([png()]) },
    { ...row('c.webp'), original: new Blob([sampleWebp()]) },
    { ...row('e.jpg'), original: new Blob([jpeg(segment(0xe1, `http://ns.adobe.com/xap/1.0/\0${theirs}`))]) },
    { ...row('f.gif'), original: new Blob(['GIF89a']) },
    { ...row('g.jpg'), original: new Blob([damaged]) },
    { ...row('h.jpg'), original: null },
    { ...row('i.jpg'), original: unreadable },
  ];
  const tally = newTally();
  /** @type {number[]} */
  const told = [];
  const { name, files } = await archive(rows, 'pictures', {}, tally, (/** @type {number} */ done) =>
    told.push(done),
  );
  assert.equal(name, 'ocelli-pictures.zip');
  assert.deepEqual(Object.keys(files), [
    ...['d/a.jpg', 'd/b.png', 'c.webp', 'e.jpg'],
    ...['f.gif', 'f.gif.xmp', 'g.jpg', 'g.jpg.xmp'],
  ]);
  assert.deepEqual(tally, { within: 4, beside: 2, bare: 0, absent: 2 });
  assert.equal(told.at(-1), 8);
  const said = { tags: ['dog'], hierarchy: ['animal|dog'], caption: 'a dog on a beach' };
  for (const inside of ['d/a.jpg', 'd/b.png', 'c.webp', 'e.jpg']) {
    assert.deepEqual(readXmp(xmpOf(files[inside]) ?? ''), said);
  }
  assert.deepEqual(readXmp(strFromU8(files['g.jpg.xmp'])), said);
  assert.deepEqual(Buffer.from(files['g.jpg']), damaged, 'what is not understood is not written to');
});

test('all else in a sidecar that was read is in the one that is saved', async () => {
  const theirs = rated(mergedXmp(null, { subjects: ['Opa'], description: 'Opa vor der Burg' }), 4);
  assert.match(theirs, /Rating/);
  const rows = [
    { ...row('a.jpg'), sidecar: new Blob([theirs]) },
    { ...row('b.jpg'), sidecar: new Blob(['<damaged']) },
  ];
  const { files } = await archive(rows, 'xmp', { keepCaption: true });
  const [merged = '', fresh = ''] = Object.values(files).map((bytes) => strFromU8(bytes));
  assert.match(merged, /xmp:Rating="4"/);
  assert.deepEqual(
    [readXmp(merged).tags.sort(), readXmp(merged).caption],
    [['Opa', 'dog'], 'Opa vor der Burg'],
  );
  assert.equal(readXmp(fresh).caption, 'a dog on a beach');

  const whole = [{ ...rows[0], original: new Blob([jpeg(JFIF)]) }];
  const copies = await archive(whole, 'pictures', { keepCaption: true });
  assert.deepEqual(Object.keys(copies.files), ['a.jpg', 'a.jpg.xmp']);
  assert.match(strFromU8(copies.files['a.jpg.xmp']), /xmp:Rating="4"/);
});

test('what the picture of an earlier visit says besides is in a new sidecar', async () => {
  const theirs = mergedXmp(null, { subjects: ['Opa'] });
  const saved = async (/** @type {object} */ more) => {
    const { files } = await archive([{ ...row('a.jpg'), ...more }], 'xmp');
    return Object.values(files).map((bytes) => strFromU8(bytes))[0] ?? '';
  };
  const packet = new Blob([rated(theirs, 4)]);
  assert.match(await saved({ original: null, packet }), /xmp:Rating="4"/);
  // The file, where it is here, says what is so now.
  const original = new Blob([withXmp(jpeg(JFIF), rated(theirs, 5))]);
  assert.match(await saved({ original, packet }), /xmp:Rating="5"/);
});

test('a sidecar is called as the one that was read, unless two pictures could mean it', async () => {
  const theirs = mergedXmp(null, { subjects: ['Opa'] });
  const named = (/** @type {string} */ path, /** @type {string} */ name) => ({
    ...row(path),
    sidecar: new File([theirs], name),
  });
  const namesFor = async (/** @type {any[]} */ rows) =>
    (await allOf(filesOf(rows, 'xmp'))).map(({ name }) => name);
  assert.deepEqual(
    await namesFor([named('Trip/a.jpg', 'a.XMP'), named('Trip/b.jpg', 'b.jpg.xmp'), row('Trip/c.jpg')]),
    ['Trip/a.XMP', 'Trip/b.jpg.xmp', 'Trip/c.jpg.xmp'],
  );
  assert.deepEqual(await namesFor([named('a.jpg', 'a.xmp'), row('a.cr2')]), ['a.jpg.xmp', 'a.cr2.xmp']);
  assert.deepEqual(await namesFor([named('a.jpg', 'b.xmp'), named('x/b.jpg', 'a/../b.xmp')]), [
    'a.jpg.xmp',
    'x/b.jpg.xmp',
  ]);
});

test('a caption that a file has already stays, in it and in a sidecar, unless somebody has written another', async () => {
  const there = { ...row('a.jpg'), captionThere: 'Grandma at sea', original: new Blob([jpeg(JFIF)]) };
  const own = { ...there, path: 'b.jpg', captionIsOwn: true };
  const captions = async (/** @type {object} */ options) => {
    const inside = await archive([there, own], 'pictures', options);
    const beside = await archive([there, own], 'xmp', options);
    const packets = [
      ...Object.values(inside.files).map((bytes) => xmpOf(bytes) ?? ''),
      ...Object.values(beside.files).map((bytes) => strFromU8(bytes)),
    ];
    return packets.map((packet) => readXmp(packet).caption);
  };
  const [theirs, ours] = ['Grandma at sea', 'a dog on a beach'];
  assert.deepEqual(await captions({ keepCaption: true }), [theirs, ours, theirs, ours]);
  assert.deepEqual(await captions({ keepCaption: false }), [ours, ours, ours, ours]);
  for (const format of /** @type {const} */ (['csv', 'json', 'html', 'markdown'])) {
    for await (const { blob } of downloadsOf([there, own], format, { keepCaption: true })) {
      const text = await blob.text();
      assert.ok(text.includes(theirs) && text.includes(ours), format);
    }
  }
});

test('pictures of which nothing is known are among them, as they were', async () => {
  const bare = { tags: [], hierarchy: [], caption: '' };
  const unreadable = { slice: () => ({ arrayBuffer: () => Promise.reject(new Error('moved')) }) };
  const rows = [
    { ...row('a.jpg'), original: new Blob([jpeg(JFIF)]) },
    { ...bare, path: 'b.png', original: new Blob([png()]) },
    { ...bare, path: 'damaged.jpg', original: new Blob(['nothing']) },
    { ...bare, path: 'gone.jpg', original: unreadable },
  ];
  const tally = newTally();
  const { files } = await archive(/** @type {any} */ (rows), 'pictures', {}, tally);
  assert.deepEqual(Object.keys(files), ['a.jpg', 'b.png', 'damaged.jpg']);
  assert.deepEqual(Buffer.from(files['b.png']), Buffer.from(png()));
  assert.deepEqual(tally, { within: 1, beside: 0, bare: 2, absent: 1 });
});

test('an archive ends where somebody stops it', async () => {
  const stop = () => {
    throw new Error('stopped');
  };
  await assert.rejects(archive([row('a.jpg'), row('b.jpg')], 'txt', {}, newTally(), stop), /stopped/);
});

test('more files than an archive can count go into several', async () => {
  const rows = Array.from({ length: 60_001 }, (_, i) => row(`${i}.jpg`));
  const files = [];
  for await (const file of downloadsOf(rows, 'txt')) files.push(file);
  assert.deepEqual(
    files.map(({ name }) => name),
    ['ocelli-texts.zip', 'ocelli-texts-2.zip'],
  );
  const last = /** @type {{ blob: Blob }} */ (files[1]);
  assert.deepEqual(Object.keys(unzipSync(new Uint8Array(await last.blob.arrayBuffer()))), [
    '60000.txt',
    'metadata.jsonl',
  ]);
});

test('lists may be replaced in a folder, texts where somebody says so', async () => {
  for (const [format, options, replace] of /** @type {const} */ ([
    ['csv', {}, true],
    ['html', {}, true],
    ['txt', {}, false],
    ['txt', { replaceTexts: true }, true],
    ['xmp', {}, undefined],
  ])) {
    const files = filesOf([row('a.jpg')], format, options);
    for await (const file of files) if (!/jsonl$/.test(file.name)) assert.equal(file.replace, replace);
  }
});

test('beside texts, each folder has a list of what they hold, which takes nothing from lists of others', async () => {
  const rows = [row('Trip/day 1/a.jpg', ['dog', 'sea'], 'Rex, at last'), row('b.jpg', [], 'a boat')];
  /** @param {import('../../www/export.js').Options} [options] */
  const lists = async (options) => {
    const files = await allOf(filesOf([...rows, row('c.jpg', [], '')], 'txt', options));
    return files.filter(({ name }) => name.endsWith('metadata.jsonl'));
  };
  const [below, above, ...more] = await lists();
  assert.deepEqual([below?.name, above?.name, more], ['Trip/day 1/metadata.jsonl', 'metadata.jsonl', []]);
  assert.equal(
    await below?.blob.text(),
    '{"file_name":"a.jpg","text":"Rex, at last, dog, sea","caption":"Rex, at last","tags":["dog","sea"]}\n',
  );
  assert.match((await (await lists({ parts: 'tags' }))[0]?.blob.text()) ?? '', /"caption":"","tags":\["dog"/);

  const theirs =
    '{"file_name":"b.jpg","text":"their words","score":1}\n\n{"file_name":"x.jpg","text":"another"}\n';
  const onto = async (/** @type {any} */ list, /** @type {string} */ there) =>
    (await (await list.onto(new File([there], 'metadata.jsonl'))).text()).trim().split('\n').map(JSON.parse);
  const kept = await onto(above, theirs);
  assert.deepEqual(kept, theirs.split(/\n+/).filter(Boolean).map(JSON.parse));
  const [, replacing] = await lists({ replaceTexts: true });
  const [first, second] = await onto(replacing, theirs);
  assert.deepEqual(first, { file_name: 'b.jpg', text: 'a boat', score: 1, caption: 'a boat', tags: [] });
  assert.equal(second.text, 'another');
  for (const other of ['{"a": 1}', 'no list', '[1]\n']) {
    await assert.rejects(onto(above, other), { code: 'answers-damaged' }, 'what is none is not written over');
  }
});
