// Pictures that were seen before are known again by what is in them, and answered without being looked at.

import './support/dom.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { contentOf, digestsOf, sampleOf } from '../../www/library/content.js';
import { xmpPacket } from 'ocelli';
import { withXmp } from '../../www/files/xmp-embed.js';
import { Session } from '../../www/session.js';
import { EXIF, jpeg, png, sampleWebp, segment } from './support/files.js';

const QUESTION = { labels: ['cat', 'dog'], template: '{}', vocabulary: null };

/** A session whose tagger writes down what it looks at. */
async function begin() {
  /** @type {string[]} */
  const looked = [];
  const tagger = {
    runtime: { variant: 'simd128', threads: 1, why: '' },
    calibration: { temperature: 1, sureThreshold: null, noneOffset: 0 },
    dispose() {},
    prepare: async () => {},
    embedTexts: async (texts) => texts.map(() => Float32Array.of(0.6, 0.8)),
    async embedImages([file]) {
      looked.push(file.name);
      return [Float32Array.of(file.size, 1)];
    },
    tag: async (embeddings, labels) =>
      embeddings.map(() => labels.map((label, index) => ({ label, score: 0.5, index }))),
  };
  const never = { load: () => new Promise(() => {}) };
  const loaders = { Captioner: never, Matcher: never, Answerer: never, Classifier: never };
  const session = new Session(
    /** @type {any} */ ({ ...loaders, Tagger: { load: async () => tagger } }),
    QUESTION,
    {},
  );
  await session.tags.use({ id: 'm', title: 'm' });
  return { session, looked };
}

/** @param {string} name @param {string} content @param {number} [lastModified] */
const file = (name, content, lastModified = 1000) => new File([content], name, { lastModified });

/** @param {Session} session */
async function done(session) {
  while (session.pictures.some((one) => session.tags.jobs.get(one)?.status !== 'done')) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** What a library keeps of a file. @param {File} original @param {object} [more] */
async function entryOf(original, more) {
  const key = `${original.name}|${original.size}|${original.lastModified}`;
  return {
    key,
    quick: key,
    size: original.size,
    content: await contentOf(original),
    sample: await sampleOf(original),
    name: original.name,
    path: original.name,
    batch: 1,
    index: 0,
    taken: original.lastModified,
    copy: new Blob(['small']),
    embedding: Float32Array.of(1, 0),
    tagger: 'probe',
    captions: [{ caption: 'as it was' }],
    captionModel: 'c',
    said: { own: ['Rex'], gone: [], caption: null },
    ...more,
  };
}

const PROBE = { id: 'probe', answer: Float32Array.of(0.6, 0.8) };

/** A session with what was kept of files, and a tagger that knows it again. */
async function withKept(...entries) {
  const begun = await begin();
  begun.session.tags.leave();
  begun.session.restore(entries, PROBE);
  await begun.session.tags.use({ id: 'm', title: 'm' });
  await done(begun.session);
  assert.deepEqual(begun.looked, []);
  return begun;
}

test('a file that was renamed or moved is known again, with what people said of it', async () => {
  const { session, looked } = await withKept(await entryOf(file('a.jpg', 'picture')));
  const [picture] = session.pictures;
  await session.add([file('trip/b.jpg', 'picture', 2000)]);
  await done(session);
  assert.deepEqual(session.pictures, [picture], 'it is the same picture');
  assert.deepEqual([picture.name, picture.path], ['b.jpg', 'trip/b.jpg']);
  assert.equal(picture.file.size, 7, 'the original is here');
  assert.deepEqual(looked, []);
  assert.deepEqual(
    session
      .answerOf(picture)
      .tags.filter(({ own }) => own)
      .map(({ label }) => label),
    ['Rex'],
  );
});

test('a copy of a file beside it has what is known of it, and is a picture of its own', async () => {
  const original = file('a.jpg', 'picture');
  const { session, looked } = await withKept(await entryOf(original));
  await session.add([file('copy.jpg', 'picture', 3000), original]);
  await done(session);
  assert.deepEqual(
    session.pictures.map(({ name }) => name),
    ['copy.jpg', 'a.jpg'],
  );
  assert.deepEqual(looked, [], 'neither is looked at');
  const [copy, first] = session.pictures;
  assert.equal(session.corrections.of(copy), session.corrections.of(first));
  session.corrections.put(copy, undefined);
  assert.deepEqual(
    session.corrections.of(first)?.own,
    ['Rex'],
    'what is said of one is not said of the other',
  );
});

test('two pictures of one name, length and date are two', async () => {
  const { session, looked } = await withKept(await entryOf(file('a.jpg', 'picture')));
  const [kept] = session.pictures;
  await session.add([file('a.jpg', 'another')]);
  await session.add([file('a.jpg', 'a third')]);
  await done(session);
  assert.deepEqual(looked, ['a.jpg', 'a.jpg']);
  assert.equal(session.pictures.length, 3);
  assert.equal(kept.file.size, 5, 'the copy stays what it was');
  assert.deepEqual(session.corrections.of(session.pictures[0]), undefined);
  // The first comes back to its own.
  await session.add([file('a.jpg', 'picture')]);
  assert.equal(session.pictures.length, 3);
  assert.equal(kept.file.size, 7);
});

test('an original that is here is told from its copy, and from another of its name, length and date', async () => {
  const { session } = await withKept(await entryOf(file('a.jpg', 'picture')));
  const isHere = (/** @type {File} */ one) => session.recognition.isHere(one, one.name);
  assert.equal(await isHere(file('a.jpg', 'picture')), false, 'there is only a copy');
  await session.add([file('a.jpg', 'picture')]);
  assert.equal(await isHere(file('a.jpg', 'picture')), true);
  assert.equal(await isHere(file('a.jpg', 'another')), false);
  assert.equal(await isHere(file('b.jpg', 'picture')), false, 'a copy of it beside it is a file of its own');
  assert.equal(await session.recognition.hasTwin(file('b.jpg', 'picture')), true);
  assert.equal(await session.recognition.hasTwin(file('b.jpg', 'another')), false);
});

test('what an earlier version of the page kept is known by its name, length and date', async () => {
  const old = await entryOf(file('a.jpg', 'picture'), { content: null, sample: null });
  const { session, looked } = await withKept(old);
  const [picture] = session.pictures;
  await session.add([file('a.jpg', 'picture')]);
  assert.equal(session.pictures.length, 1);
  assert.equal(picture.file.size, 7);
  assert.deepEqual(looked, []);
  assert.ok(session.recognition.isUnread(picture), 'what is in it is still to be kept');
  assert.equal(await session.recognition.contentOf(picture), await contentOf(file('x', 'picture')));
});

test('a batch keeps its order, whatever of it may have been seen before', async () => {
  const { session } = await withKept(await entryOf(file('a.jpg', 'picture')));
  await session.add(
    ['longer one', 'another', 'the longest', 'a third'].map((text, i) => file(`${i}.jpg`, text)),
  );
  assert.deepEqual(
    session.pictures.map(({ name }) => name),
    ['0.jpg', '1.jpg', '2.jpg', '3.jpg', 'a.jpg'],
  );
  const undo = session.remove(session.pictures[4]);
  undo();
  assert.ok(!session.recognition.hasOriginal(session.pictures[4]));
});

test('a file of several pieces has a digest of its own', async () => {
  const long = new Uint8Array((16 << 20) + 5);
  const one = await contentOf(new Blob([long]));
  assert.match(one, /^[0-9a-f]{64}$/);
  long[long.length - 1] = 1;
  assert.notEqual(await contentOf(new Blob([long])), one);
  long[8 << 20] = 7;
  assert.notEqual(await sampleOf(new Blob([long])), await sampleOf(new Blob([long.slice(0, -1)])));
});

test('a file that is read once has the digests that it has otherwise', async () => {
  for (const size of [0, 5, 9000, 40_000, (16 << 20) + 5]) {
    const blob = new Blob([Uint8Array.from({ length: size }, (_, i) => (i * i) >> 3)]);
    const [content, sample] = [await contentOf(blob), await sampleOf(blob)];
    assert.deepEqual(await digestsOf(blob), { content, sample, pixels: null });
  }
});

test('the digest of pixels is the same whatever is written into a picture, and of no two pictures', async () => {
  const of = async (bytes) => (await digestsOf(new Blob([bytes]))).pixels;
  for (const [bytes, fromEnd] of /** @type {const} */ ([
    [jpeg(EXIF), 3],
    [png(), 18],
    [sampleWebp(), 5],
  ])) {
    const written = withXmp(bytes, xmpPacket({ subjects: ['Rex'] }));
    const pixels = await of(bytes);
    assert.match(pixels ?? '', /^[0-9a-f]{64}$/);
    assert.equal(await of(written), pixels);
    const other = Buffer.from(bytes);
    const at = other.length - fromEnd;
    other[at] = (other[at] ?? 0) ^ 1;
    assert.notEqual(await of(other), pixels);
  }
  assert.equal(await of(Buffer.from('\xff\xd8\xffnonsense', 'latin1')), null);
});

test('a picture that another program has written into is the same, and its words are read again', async () => {
  const { session, looked } = await begin();
  const say = (...subjects) => withXmp(jpeg(EXIF), xmpPacket({ subjects }));
  const made = (bytes, lastModified, folder) =>
    Object.defineProperty(new File([bytes], 'a.jpg', { lastModified }), 'webkitRelativePath', {
      value: `${folder}/a.jpg`,
    });
  await session.add([made(say('sea'), 1, 'Trip')]);
  await done(session);
  const [picture] = session.pictures;
  await session.readFiles();
  await session.recognition.contentOf(picture);
  session.corrections.put(picture, { own: ['Rex'], gone: [], caption: 'Rex by the sea' });
  await session.add([made(say('ice', 'rated'), 2, 'Trip')]);
  await session.readFiles();
  assert.equal(session.pictures.length, 1);
  assert.equal(session.pictures[0], picture);
  assert.deepEqual(session.fileWords.of(picture)?.tags, ['ice', 'rated']);
  assert.equal(session.corrections.of(picture)?.caption, 'Rex by the sea');
  assert.equal(picture.key, `Trip/a.jpg|${picture.file.size}|2`);
  assert.equal(picture.size, picture.file.size);
  assert.equal(looked.length, 1);
  // Elsewhere it may be a copy, which both are then; and other pixels in the same place are another picture.
  await session.add([made(say('fog'), 3, 'Backup')]);
  const other = Buffer.from(say('sea'));
  other[other.length - 3] = (other[other.length - 3] ?? 0) ^ 1;
  await session.add([made(other, 4, 'Trip')]);
  await done(session);
  assert.equal(session.pictures.length, 3);
});

test('a picture that another program has turned is the same, and is looked at again', async () => {
  const exif = (/** @type {number} */ turn) =>
    segment(
      0xe1,
      `Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0${String.fromCharCode(turn)}\0\0\0\0\0\0\0`,
    );
  const turned = (/** @type {number} */ turn, /** @type {number} */ lastModified) =>
    new File([jpeg(exif(turn))], 'a.jpg', { lastModified });
  const before = turned(6, 1);
  const { pixels } = await digestsOf(before);
  assert.match(pixels ?? '', /^[0-9a-f]{64}\/6$/);
  const { session, looked } = await withKept(await entryOf(before, { pixels }));
  const [picture] = session.pictures;
  /** @type {unknown[]} */
  const told = [];
  session.addEventListener('turned', (event) => told.push(/** @type {CustomEvent} */ (event).detail));
  await session.add([turned(1, 2)]);
  await done(session);
  assert.deepEqual(session.pictures, [picture]);
  assert.deepEqual(session.corrections.of(picture)?.own, ['Rex']);
  assert.deepEqual([looked, told], [['a.jpg'], [picture]]);
  assert.equal(picture.pixels, pixels?.slice(0, 64));
  // A star turns nothing.
  const starred = withXmp(jpeg(exif(1)), xmpPacket({ subjects: ['star'] }));
  await session.add([
    new File([/** @type {Uint8Array<ArrayBuffer>} */ (starred)], 'a.jpg', { lastModified: 3 }),
  ]);
  await done(session);
  assert.deepEqual([looked.length, told.length, session.pictures.length], [1, 1, 1]);
});

test('a picture that was moved and written into since the last visit is known by its pixels', async () => {
  const say = (...subjects) => withXmp(jpeg(EXIF), xmpPacket({ subjects }));
  const before = new File([say('sea')], 'a.jpg', { lastModified: 1 });
  const { pixels } = await digestsOf(before);
  const { session, looked } = await withKept(await entryOf(before, { pixels }));
  await session.add([new File([say('slow', 'sloth')], 'sloth day.jpg', { lastModified: 2 })]);
  await done(session);
  assert.deepEqual(
    session.pictures.map(({ name }) => name),
    ['sloth day.jpg'],
  );
  assert.deepEqual(session.corrections.of(session.pictures[0])?.own, ['Rex']);
  assert.deepEqual(looked, []);
  // Once it is here, another file of its pixels is a copy.
  await session.add([new File([say('a copy')], 'copy.jpg', { lastModified: 3 })]);
  await done(session);
  assert.equal(session.pictures.length, 2);
});

test('a file that comes once more is there already, and one that is like it is not', async () => {
  const { session, looked } = await begin();
  assert.equal(await session.add([file('a.png', 'sea'), file('b.png', 'ice')]), 0);
  await done(session);
  assert.equal(await session.add([file('a.png', 'sea'), file('b.png', 'fog'), file('c.png', 'sea')]), 1);
  await done(session);
  assert.deepEqual(session.pictures.map(({ name }) => name).sort(), ['a.png', 'b.png', 'b.png', 'c.png']);
  assert.deepEqual(looked, ['a.png', 'b.png', 'b.png'], 'of one content one is looked at');
});
