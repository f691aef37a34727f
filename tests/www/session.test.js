import assert from 'node:assert/strict';
import test from 'node:test';
import { Session } from '../../www/session.js';

/** The page's session over stand-ins for the package's classes. */

const QUESTION = { labels: ['cat', 'dog'], template: 'a photo of a {}.', vocabulary: null };
const runtime = { variant: 'simd128', threads: 1, why: 'This is a test.' };

/** What the tagger was asked, and a session whose pictures are tagged by it. @param {'wasm' | 'webgpu'} [device] */
function begin(device = 'wasm') {
  /** @type {{ embedded: string[], together: number[], tagged: number[], hold: Promise<void> | null }} */
  const log = { embedded: [], together: [], tagged: [], hold: null };
  const tagger = {
    runtime: { ...runtime, device },
    calibration: { temperature: 1, sureThreshold: null, noneOffset: 0 },
    dispose() {},
    prepare: async () => {},
    embedTexts: async (texts) => texts.map(() => Float32Array.of(0.6, 0.8)),
    async embedImages(files) {
      if (log.hold) await log.hold;
      log.together.push(files.length);
      return files.map(({ name }) => {
        log.embedded.push(name);
        if (name.startsWith('bad')) {
          throw Object.assign(new Error('The file is damaged.'), { code: 'image-damaged' });
        }
        return Float32Array.of(Number(name), 1);
      });
    },
    async tag(embeddings, labels, { signal }) {
      signal.throwIfAborted();
      log.tagged.push(embeddings.length);
      return embeddings.map(([x]) => labels.map((label, index) => ({ label, score: x / 100, index })));
    },
  };
  const never = { load: () => new Promise(() => {}) };
  const loaders = {
    Tagger: { load: async () => ({ ...tagger }) },
    Captioner: never,
    Matcher: never,
    Answerer: never,
    Classifier: never,
  };
  const session = new Session(/** @type {any} */ (loaders), QUESTION, {});
  return { session, log };
}

const files = (...names) => names.map((name) => new File([], String(name)));

/** Waits until all that is wanted has come. @param {() => boolean} done */
async function until(done) {
  for (let round = 0; !done(); round++) {
    assert.ok(round < 1000, 'it never comes');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const states = (session) => session.pictures.map((one) => session.tags.jobs.get(one).status);

test('another question is answered by what is known of the pictures, several in a turn', async () => {
  const { session, log } = begin();
  await session.tags.use({ id: 'm', title: 'm' });
  session.add(files(...Array.from({ length: 140 }, (_, i) => i)));
  await until(() => states(session).every((state) => state === 'done'));
  assert.deepEqual([log.embedded.length, log.tagged.length], [140, 140]);
  log.tagged.length = 0;
  session.ask({ ...QUESTION, labels: ['boat'] });
  assert.ok(states(session).every((state) => state !== 'done'));
  await until(() => states(session).every((state) => state === 'done'));
  assert.equal(log.embedded.length, 140, 'no picture is looked at again');
  assert.deepEqual(log.tagged, [64, 64, 12]);
  // What scores less is left out at once, and comes back at once.
  const shown = () => [0, 39].map((place) => session.answerOf(session.pictures[place]).tags);
  const boat = (score) => ({ label: 'boat', score, index: 0 });
  session.threshold = 0.2;
  assert.deepEqual(shown(), [[], [boat(0.39)]]);
  session.corrections.put(session.pictures[0], { own: ['boat'], gone: [], caption: null });
  assert.equal(shown()[0].length, 1, 'whatever people have said');
  session.threshold = 0;
  assert.deepEqual(shown()[1], [boat(0.39)]);
  assert.equal(log.tagged.length, 3, 'nothing was asked anew');
});

test('a damaged picture fails alone, and is tried again when it is asked for', async () => {
  const { session, log } = begin();
  await session.tags.use({ id: 'm', title: 'm' });
  session.add(files(1, 'bad', 2));
  await until(() => !states(session).some((state) => state === 'waiting' || state === 'running'));
  assert.deepEqual(states(session), ['done', 'failed', 'done']);
  session.ask(QUESTION);
  await until(() => !states(session).some((state) => state === 'waiting' || state === 'running'));
  assert.deepEqual(states(session), ['done', 'failed', 'done']);
  assert.equal(log.embedded.filter((name) => name === 'bad').length, 1);
  session.retry(session.pictures[1]);
  await until(() => log.embedded.filter((name) => name === 'bad').length === 2);
});

test('what somebody looks at comes first, and what is removed or stopped does not come', async () => {
  const { session, log } = begin();
  const gate = deferred();
  log.hold = gate.promise;
  await session.tags.use({ id: 'm', title: 'm' });
  session.add(files(1, 2, 3, 4, 5, 6));
  const { pictures } = session;
  session.prefer([pictures[4], pictures[3]]);
  session.remove(pictures[1]);
  gate.resolve();
  log.hold = null;
  await until(() => states(session).every((state) => state === 'done'));
  assert.deepEqual(log.embedded, ['1', '5', '4', '3', '6']);
  // Known ones share a turn; when it is taken from them, all of them wait again.
  session.ask(QUESTION);
  session.stop();
  assert.ok(states(session).every((state) => state === 'stopped'));
  session.resume();
  await until(() => states(session).every((state) => state === 'done'));
  assert.equal(log.embedded.length, 5);
});

/** A promise, and what ends it. */
function deferred() {
  /** @type {any} */
  const made = {};
  made.promise = new Promise((resolve) => (made.resolve = resolve));
  return made;
}

test('a model that is loaded again goes on where it was: what it knows and has answered stands', async () => {
  const { session, log } = begin();
  await session.tags.use({ id: 'm', title: 'm' });
  session.add(files(1, 2));
  await until(() => states(session).every((state) => state === 'done'));
  await session.tags.reload();
  assert.equal(session.tags.status, 'ready');
  assert.ok(states(session).every((state) => state === 'done'));
  assert.deepEqual([log.embedded.length, log.tagged.length], [2, 2]);
  await session.add([new File(['another'], '3')]);
  session.ask({ ...QUESTION, labels: ['boat'] });
  await until(() => states(session).every((state) => state === 'done'));
  assert.deepEqual(log.embedded, ['1', '2', '3'], 'of those before, all is known');
});

test('a GPU takes several pictures in a turn; one that is damaged fails alone', async () => {
  const { session, log } = begin('webgpu');
  session.add(files(...Array.from({ length: 20 }, (_, i) => (i === 3 ? 'bad' : i))));
  await session.tags.use({ id: 'm', title: 'm' });
  await until(() => states(session).every((one) => one === 'done' || one === 'failed'));
  // Sixteen, then those each alone, then the others.
  assert.deepEqual(log.together, [16, ...Array.from({ length: 16 }, () => 1), 4]);
  assert.deepEqual(
    session.pictures.filter((one) => session.tags.jobs.get(one).status === 'failed').map(({ name }) => name),
    ['bad'],
  );
});

test('what is taken away from an arrangement comes back to where it was before that', async () => {
  const { session } = begin();
  await session.add(files(1, 2, 3, 4, 5));
  const order = () => session.pictures.map(({ name }) => name).join('');
  const [, second, , fourth] = session.pictures;
  session.arrange([fourth, second], { alone: true });
  assert.equal(order(), '42135');
  const back = session.remove(second);
  assert.equal(session.arranged, 1, 'what is gone does not count');
  // Of near-duplicates nothing is left to say then.
  session.arrange(null);
  back();
  assert.equal(order(), '12345');
  session.arrange([fourth, second]);
  session.remove(fourth)();
  assert.equal(order(), '42135', 'as they are arranged still');
});

test('what has come again by itself is not there twice when its removal is taken back', async () => {
  const { session } = begin();
  const inFolder = (/** @type {string} */ name) =>
    Object.defineProperty(new File([], name, { lastModified: 5 }), 'webkitRelativePath', {
      value: `Trip/${name}`,
    });
  await session.add(['1', '2'].map(inFolder));
  const back = session.remove(...session.pictures);
  await session.add([inFolder('2')]);
  const [there] = session.pictures;
  back();
  assert.deepEqual(session.pictures.map(({ name }) => name).toSorted(), ['1', '2']);
  assert.ok(session.pictures.includes(there));
});

test('what people have said and saved in a picture holds until they say something else', async () => {
  const { session } = begin();
  await session.tags.use({ id: 'm', title: 'm' });
  session.add(files(50));
  await until(() => states(session)[0] === 'done');
  const [picture] = session.pictures;
  const labels = () => session.answerOf(picture).tags.map(({ label }) => label);
  assert.deepEqual(labels(), ['cat', 'dog']);
  session.fileWords.put(picture, {
    tags: ['Rex'],
    gone: ['cat'],
    caption: 'Rex at the sea',
    captionIsOwn: true,
  });
  assert.deepEqual(labels(), ['Rex', 'dog']);
  assert.equal(session.answerOf(picture), session.answerOf(picture), 'the same as long as nothing changes');
  assert.deepEqual(session.captionsOf(picture), [{ caption: 'Rex at the sea' }]);
  assert.equal(session.captionsOf(picture), session.captionsOf(picture));
  session.corrections.put(picture, { own: ['cat'], gone: ['Rex'], caption: 'A cat' });
  assert.deepEqual(labels(), ['cat', 'dog']);
  assert.deepEqual(session.captionsOf(picture), [{ caption: 'A cat' }]);
});
