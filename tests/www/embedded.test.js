// What pictures say of themselves is read out of their files, and stands beside what models and people say.

import './support/dom.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { Corrections } from '../../www/corrections.js';
import { FileWords } from '../../www/file-words.js';
import { hasWords, shownCaptions } from '../../www/said.js';
import { embeddedIn as embedded } from '../../www/files/embedded.js';
import { readFiled } from '../../www/files/filed.js';
import { withXmp } from '../../www/files/xmp-embed.js';
import { mergedXmp } from '../../www/files/xmp-merge.js';
import { withFiled } from '../../www/tagging.js';
import { EXIF, exifSegment, jpeg, png, sampleWebp, segment, withIptc } from './support/files.js';

/** @param {Blob} blob */
const embeddedIn = async (blob) => (await embedded(blob)).filed;

const CONTENT = { subjects: ['Grandma', 'sea; wide', 'sea; wide', '犬'], description: 'two\nlines' };
const FILED = {
  tags: ['Grandma', 'sea wide', '犬'],
  spelled: new Map([['sea wide', 'sea; wide']]),
  caption: 'two\nlines',
};
const packet = mergedXmp(null, CONTENT);

test('keywords and sentences are read out of every kind of picture that holds them', async () => {
  for (const bytes of [jpeg(EXIF), png(), sampleWebp()]) {
    assert.equal(await embeddedIn(new Blob([bytes])), null);
    const written = withXmp(bytes, packet);
    assert.ok(written);
    assert.deepEqual(await embeddedIn(new Blob([written, new Uint8Array(600_000)])), FILED);
  }
  // Behind a long profile.
  const profiles = Array.from({ length: 8 }, () => segment(0xe2, Buffer.alloc(60_000)));
  const late = segment(0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${packet}`));
  assert.deepEqual(await embeddedIn(new Blob([jpeg(...profiles, late), new Uint8Array(9)])), FILED);
});

test('keywords that are below others are keywords, and where they are is told', async () => {
  const subjects = ['Minka', 'pets|Rex', 'sea'];
  const written = withXmp(
    jpeg(EXIF),
    mergedXmp(null, { subjects, hierarchicalSubjects: ['pets | cats|Minka'] }),
  );
  const filed = { tags: ['Minka', 'Rex', 'sea'], paths: ['pets|cats|Minka', 'pets|Rex'], caption: '' };
  assert.deepEqual(await embeddedIn(new Blob([written])), filed);
  assert.deepEqual(readFiled(filed), filed, 'it is kept');
});

test('keywords and a caption of IPTC records count where XMP says nothing', async () => {
  const records = /** @type {[number, string][]} */ ([
    [25, 'Grandma'],
    [25, '犬, Hund'],
    [120, 'Großmutter und Hund'],
  ]);
  assert.equal(
    (await embeddedIn(new Blob([withIptc([[120, '海と犬']])])))?.caption,
    '海と犬',
    'of whatever script',
  );
  const spelled = new Map([['犬 Hund', '犬, Hund']]);
  const said = { tags: ['Grandma', '犬 Hund'], spelled, caption: 'Großmutter und Hund' };
  assert.deepEqual(await embeddedIn(new Blob([withIptc(records)])), said);
  const latin = withIptc([[25, Buffer.from('Großmutter', 'latin1')]]);
  assert.deepEqual((await embeddedIn(new Blob([latin])))?.tags, ['Großmutter']);

  const xmp = (/** @type {string} */ text) =>
    segment(0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${text}`));
  const newer = withIptc(records, xmp(packet));
  assert.deepEqual(await embeddedIn(new Blob([newer])), FILED);
  const half = withIptc(records, xmp(mergedXmp(null, { subjects: ['sea'] })));
  assert.deepEqual(await embeddedIn(new Blob([half])), { tags: ['sea'], caption: said.caption });
  const damaged = withIptc([[25, 'x']]).subarray(0, 30);
  assert.equal(await embeddedIn(new Blob([damaged])), null);
});

test('so do a description of EXIF and the fields of Windows, but for what cameras write there themselves', async () => {
  const described = (/** @type {[number, number, Buffer][]} */ fields) =>
    embeddedIn(new Blob([jpeg(exifSegment(fields))]));
  const description = (/** @type {string} */ text) =>
    /** @type {[number, number, Buffer]} */ ([0x10e, 2, Buffer.from(`${text}\0`)]);
  const wide = (/** @type {number} */ tag, /** @type {string} */ text) =>
    /** @type {[number, number, Buffer]} */ ([tag, 1, Buffer.from(`${text}\0`, 'utf16le')]);
  assert.deepEqual(await described([description('Oma im Grünen')]), { tags: [], caption: 'Oma im Grünen' });
  assert.deepEqual(await described([wide(0x9c9c, 'Ömchen am Meer'), wide(0x9c9e, 'Oma;Ferien am Meer;犬')]), {
    tags: ['Oma', 'Ferien am Meer', '犬'],
    caption: 'Ömchen am Meer',
  });
  for (const junk of ['OLYMPUS DIGITAL CAMERA         ', 'SONY DSC', '          ']) {
    assert.equal(await described([description(junk)]), null);
  }
});

test('when it was taken is told by EXIF data, whatever else is told', async () => {
  // One entry that leads to the EXIF part, and in it one: DateTimeOriginal.
  const dated = (/** @type {string} */ date) => {
    const tiff = Buffer.alloc(64);
    tiff.write('II*\0', 'latin1');
    tiff.writeUInt32LE(8, 4);
    for (const [at, tag, type, length, value] of [
      [8, 0x8769, 4, 1, 26],
      [26, 0x9003, 2, 20, 44],
    ]) {
      tiff.writeUInt16LE(1, at);
      tiff.writeUInt16LE(tag, at + 2);
      tiff.writeUInt16LE(type, at + 4);
      tiff.writeUInt32LE(length, at + 6);
      tiff.writeUInt32LE(value, at + 10);
    }
    tiff.write(date, 44, 'latin1');
    return jpeg(segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), tiff])));
  };
  const taken = new Date(2019, 6, 4, 12, 34, 56).getTime();
  const picture = dated('2019:07:04 12:34:56');
  assert.deepEqual(await embeddedIn(new Blob([picture])), { tags: [], caption: '', taken });
  const written = withXmp(picture, packet);
  assert.deepEqual(await embeddedIn(new Blob([written])), { ...FILED, taken });
  assert.deepEqual(readFiled({ ...FILED, taken }), { ...FILED, taken });
  for (const nothing of ['0000:00:00 00:00:00', '    :  :     :  :  ', 'no date at all, you ']) {
    assert.equal(await embeddedIn(new Blob([dated(nothing)])), null);
  }
  assert.deepEqual(readFiled({ ...FILED, taken: 'today' }), FILED);
});

test('what is damaged, empty or endless says nothing', async () => {
  assert.equal(await embeddedIn(new Blob(['no picture'])), null);
  assert.equal(await embeddedIn(new Blob([])), null);
  const empty = withXmp(png(), mergedXmp(null, {}));
  assert.equal(await embeddedIn(new Blob([empty])), null);
  const endless = withXmp(png(), packet.replace('Grandma', 'x'.repeat(600_000)));
  assert.equal(await embeddedIn(new Blob([endless])), null);
  await assert.rejects(embeddedIn(new Blob([withXmp(png(), '<x>')])));
  assert.equal(readFiled({ tags: [1], caption: '' }), undefined);
  assert.deepEqual(readFiled(FILED), FILED);
});

test('what people have confirmed is read anew only where it was not known, and what they say here counts for more', async () => {
  const packet = mergedXmp(null, { subjects: ['sea', 'Rex', 'dog'], confirmed: ['Rex', 'sea'] });
  const file = () => new Blob([withXmp(png(), packet) ?? '']);
  const filed = { tags: ['sea', 'Rex', 'dog'], own: ['Rex', 'sea'], caption: '' };
  assert.deepEqual(await embeddedIn(file()), filed);
  assert.deepEqual(readFiled(filed), filed);
  assert.equal(readFiled({ ...filed, own: [1] })?.own, undefined);

  const words = new FileWords();
  const corrections = new Corrections();
  const picture = /** @type {any} */ ({ file: file() });
  corrections.put(picture, { own: ['boat'], gone: ['sea'], caption: null });
  corrections.confirm(await words.read([picture]));
  assert.deepEqual(corrections.of(picture), { own: ['boat', 'Rex'], gone: ['sea'], caption: null });
  // Somebody takes it back, and opens the folder again on the next visit.
  corrections.put(picture, corrections.changed(picture, { unsay: ['Rex'] }));
  picture.file = file();
  corrections.confirm(await words.read([picture]));
  assert.deepEqual(corrections.of(picture)?.own, ['boat']);
});

test('pictures that come while others are read are read as well', async () => {
  const packet = mergedXmp(null, { subjects: ['sea'] });
  const [first, second] = [0, 1].map(() => {
    return /** @type {any} */ ({ file: new Blob([withXmp(png(), packet) ?? '']) });
  });
  const words = new FileWords();
  const reading = words.read([first]);
  assert.equal((await words.read([first, second])).size, 0);
  await reading;
  for (const one of [first, second]) assert.deepEqual(words.of(one)?.tags, ['sea']);
});

test('what a file says is the caption, unless somebody says something else', async () => {
  const words = new FileWords();
  const [corrections, picture] = [new Corrections(), /** @type {any} */ ({})];
  let found = [{ caption: 'a fox' }];
  const session = /** @type {any} */ ({
    fileWords: words,
    corrections,
    captionsOf: () => corrections.captions(picture, found),
    tags: { jobs: new Map([[picture, { result: { tags: [{ label: 'fox' }] } }]]) },
    captions: { jobs: new Map([[picture, { result: found }]]) },
  });
  assert.equal(shownCaptions(session, picture), found);
  assert.equal(hasWords(session, picture), false);
  words.put(picture, { tags: [], caption: 'Anna at the sea' });
  const shown = shownCaptions(session, picture);
  assert.deepEqual(shown, [{ caption: 'Anna at the sea', filed: true }, { caption: 'a fox' }]);
  assert.equal(shownCaptions(session, picture), shown, 'the same as long as it is');
  assert.equal(hasWords(session, picture), true);
  found = null;
  assert.deepEqual(shownCaptions(session, picture), [{ caption: 'Anna at the sea', filed: true }]);
  corrections.put(picture, { own: [], gone: [], caption: 'a fox at the sea' });
  assert.equal(shownCaptions(session, picture)?.[0]?.caption, 'a fox at the sea');
  // What models find may have been saved in the picture.
  corrections.put(picture, undefined);
  words.put(picture, { tags: ['fox'], caption: 'a fox' });
  assert.equal(hasWords(session, picture), false);
  for (const more of [
    { own: ['fox'] },
    { gone: ['dog'] },
    { captionIsOwn: true },
    { tags: ['fox', 'Rex'] },
  ]) {
    words.put(picture, { tags: ['fox'], caption: 'a fox', ...more });
    assert.equal(hasWords(session, picture), true, JSON.stringify(more));
  }
});

test('a file’s keywords stand behind one’s own, and once', () => {
  const tag = (label, more) => ({ label, score: 0.5, index: 0, ...more });
  const answer = { tags: [tag('Rex', { own: true }), tag('dog')], sure: false };
  const filed = ['Dog', 'rex', 'garden'];
  const whole = withFiled(answer, filed);
  assert.deepEqual(
    whole.tags.map(({ label, filed = false }) => [label, filed]),
    [
      ['Rex', false],
      ['garden', true],
      ['dog', false],
    ],
  );
  assert.ok(whole.sure, 'nobody need be unsure of what the file says');
  assert.equal(withFiled(answer, filed), whole, 'the same as long as nothing changes');
  assert.equal(withFiled(answer, []), answer);
});
