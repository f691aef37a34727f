// Two tabs that keep the same pictures: neither loses what is said in the other.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Folders } from '../../www/library/folders.js';
import { Library } from '../../www/library/library.js';
import { Removals } from '../../www/library/removals.js';
import { Session } from '../../www/session.js';
import { FakeStore, Shelf } from './support/store.js';

/** The model that has known the pictures. */
const ANSWER = Float32Array.of(0.6, 0.8);

/** Pictures that are kept. @param {number} [count] */
function shelf(count = 3) {
  const filled = new Shelf();
  filled.probe = { id: 'probe', answer: ANSWER };
  for (let index = 0; index < count; index++) {
    filled.pictures.set(`digest${index}|${index}.png`, {
      key: `digest${index}|${index}.png`,
      quick: `${index}.png|9|0`,
      size: 9,
      content: `digest${index}`,
      sample: 'sample',
      name: `${index}.png`,
      path: `${index}.png`,
      batch: 1,
      index,
      taken: 0,
      copy: new Blob(['small']),
      embedding: Float32Array.of(index, 1),
      tagger: 'probe',
      captions: [{ caption: 'a picture' }],
      captionModel: 'm',
    });
  }
  return filled;
}

/** A tab of the page, ready. @param {Shelf} kept */
async function open(kept) {
  const tagger = {
    runtime: { variant: 'simd128', threads: 1, device: 'wasm', why: 'This is a test.' },
    calibration: { temperature: 1, sureThreshold: null, noneOffset: 0 },
    dispose() {},
    prepare: async () => {},
    embedTexts: async (/** @type {string[]} */ texts) => texts.map(() => ANSWER),
    tag: async (/** @type {any[]} */ embeddings) =>
      embeddings.map(() => [{ label: 'cat', score: 1, index: 0 }]),
  };
  const never = { load: () => new Promise(() => {}) };
  const loaders = {
    Tagger: { load: async () => tagger },
    Captioner: never,
    Matcher: never,
    Answerer: never,
    Classifier: never,
  };
  const question = { labels: ['cat'], template: '{}', vocabulary: null };
  const session = new Session(/** @type {any} */ (loaders), question, {});
  /** @type {Map<any, Blob>} */
  const copies = new Map();
  const thumbnails = {
    adopt: (/** @type {any} */ one, /** @type {Blob} */ copy) => copies.set(one, copy),
    of: (/** @type {any} */ one) => (copies.has(one) ? 'blob:' : undefined),
    copyOf: (/** @type {any} */ one) => copies.get(one) ?? null,
    want() {},
  };
  const store = new FakeStore(kept);
  const library = new Library(session, /** @type {any} */ (thumbnails), /** @type {any} */ (store));
  await library.restore();
  for (const source of [session.corrections, session.lessons]) {
    source.addEventListener('change', () => library.note({ said: true }));
  }
  await session.tags.use({ id: 'm', title: 'm' });
  const { corrections } = session;
  const at = (/** @type {number} */ index) => session.arrived.find(({ name }) => name === `${index}.png`);
  return {
    session,
    library,
    store,
    at,
    /** @param {number} index @param {import('../../www/corrections.js').Change} change */
    say: (index, change) => corrections.put(at(index), corrections.changed(at(index), change)),
    own: (/** @type {number} */ index) => corrections.of(at(index))?.own.join(' ') ?? '',
    gone: (/** @type {number} */ index) => corrections.of(at(index))?.gone.join(' ') ?? '',
  };
}

/** Two tabs. @param {import('node:test').TestContext} t */
async function two(t) {
  const kept = shelf();
  const [one, other] = [await open(kept), await open(kept)];
  t.after(() => [one, other].forEach(({ store }) => store.tabs.close()));
  const said = (/** @type {number} */ index) => kept.pictures.get(`digest${index}|${index}.png`)?.said;
  return { kept, one, other, said };
}

/** Waits until all that is wanted has come. @param {() => boolean} done */
async function until(done) {
  for (let round = 0; !done(); round++) {
    assert.ok(round < 5000, 'it never comes');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test('what is said in one tab is there in the other, and neither writes it again', async (t) => {
  const { kept, one, other, said } = await two(t);
  one.say(0, { add: ['tabOne'], caption: 'Rex' });
  await until(() => other.own(0) === 'tabOne');
  assert.equal(other.session.captionsOf(other.at(0))?.[0]?.caption, 'Rex');
  other.say(0, { add: ['tabTwo'] });
  await until(() => one.own(0) === 'tabOne tabTwo');
  one.say(0, { remove: ['tabOne'], caption: null });
  await until(() => other.own(0) === 'tabTwo');
  other.say(1, { add: ['another'] });
  await until(() => one.own(1) === 'another');
  assert.deepEqual(said(0), { own: ['tabTwo'], gone: ['tabOne'], caption: null });
  assert.equal(kept.writes.length, 4, 'one write for each that was said');
  assert.ok(one.library.isWhole && other.library.isWhole);
});

test('what both say between two writes is joined', async (t) => {
  const { one, other, said } = await two(t);
  one.say(0, { add: ['tabOne', 'dog'], remove: ['wolf'] });
  other.say(0, { add: ['tabTwo', 'wolf'], remove: ['dog', 'fox'], caption: 'Rex' });
  const all = (/** @type {string} */ labels) => labels.split(' ').toSorted().join(' ');
  await until(() => [one, other].every((tab) => all(tab.own(0)) === 'dog tabOne tabTwo wolf'));
  await until(() => one.library.isWhole && other.library.isWhole);
  assert.deepEqual([one.gone(0), other.gone(0), said(0).caption], ['fox', 'fox', 'Rex']);
  assert.equal(all(said(0).own.join(' ')), 'dog tabOne tabTwo wolf');
});

test('a tab that hears nothing of the other loses nothing of it either', async (t) => {
  const { one, other, said } = await two(t);
  other.store.tabs.close();
  one.say(0, { add: ['tabOne'] });
  await until(() => said(0) !== undefined);
  assert.equal(other.own(0), '');
  other.say(0, { add: ['tabTwo'] });
  await until(() => other.own(0) === 'tabOne tabTwo');
  assert.deepEqual(said(0).own, ['tabOne', 'tabTwo']);
});

test('what is said while the other tab is being heard is not lost', async (t) => {
  const { one, other } = await two(t);
  const { some } = other.store;
  /** @type {(() => void) | null} */
  let goOn = null;
  other.store.some = async (keys) => {
    const read = await some(keys);
    await new Promise((resolve) => (goOn = () => resolve(undefined)));
    return read;
  };
  one.say(0, { add: ['tabOne'] });
  await until(() => goOn !== null);
  other.store.some = some;
  other.say(0, { add: ['tabTwo'] });
  const written = other.library.flush();
  await new Promise(setImmediate);
  goOn?.();
  await written;
  await until(() => one.own(0) === 'tabOne tabTwo');
  assert.equal(other.own(0), 'tabOne tabTwo');
});

test('a step that is taken back takes nothing back that was said in the other tab', async (t) => {
  const { one, other } = await two(t);
  const picture = one.at(0);
  const { corrections } = one.session;
  const [from, to] = [corrections.of(picture), corrections.changed(picture, { add: ['tabOne'] })];
  corrections.move([{ picture, from, to }]);
  await until(() => other.own(0) === 'tabOne');
  other.say(0, { add: ['tabTwo'] });
  await until(() => one.own(0) === 'tabOne tabTwo');
  corrections.move([{ picture, from: to, to: from }]);
  await until(() => other.own(0) === 'tabTwo');
  corrections.move([{ picture, from, to }]);
  await until(() => other.own(0) === 'tabTwo tabOne');
});

test('names and what was taught are there in the other tab', async (t) => {
  const { kept, one, other } = await two(t);
  one.say(0, { add: ['Rex'] });
  one.session.lessons.put(one.session.lessons.with('Rex', [one.at(0)]));
  one.session.corrections.rename(new Map([['cat', 'Felix']]));
  other.session.corrections.rename(new Map([['dog', 'Bello']]));
  await until(() => [one, other].every(({ session }) => session.corrections.names.size === 2));
  await until(() => other.session.lessons.examples.has('Rex'));
  assert.deepEqual(other.session.lessons.examples.get('Rex'), [other.at(0)]);
  await until(() => kept.words.names.size === 2 && kept.words.taught.length === 1);
  one.session.lessons.put(new Map());
  await until(() => other.session.lessons.examples.size === 0);
});

test('a picture that one tab takes away goes in the other, unless it was spoken of there, and comes back', async (t) => {
  const { kept, one, other, said } = await two(t);
  const [picture, spokenOf] = [one.at(0), one.at(1)];
  const back = one.session.remove(picture, spokenOf);
  other.say(1, { add: ['Rex'] });
  await one.library.remove([picture, spokenOf]);
  await until(() => other.session.pictures.length === 2 && said(1) !== undefined);
  assert.equal(other.at(0), undefined);
  assert.deepEqual([...kept.pictures.keys()].toSorted(), ['digest1|1.png', 'digest2|2.png']);
  back();
  one.say(0, { add: ['again'] });
  await until(() => other.session.pictures.length === 3);
  await until(() => other.own(0) === 'again');
  await until(() => one.own(1) === 'Rex');
});

test('what models find of a picture brings none back that was taken away meanwhile', async (t) => {
  const { kept, one, other } = await two(t);
  other.store.tabs.close();
  await one.library.remove([one.at(0)]);
  other.session.captions.jobs.get(other.at(0)).result = [{ caption: 'another' }];
  await other.library.flush();
  assert.deepEqual([...kept.pictures.keys()], ['digest1|1.png', 'digest2|2.png']);
  assert.equal(other.session.pictures.length, 2);
});

test('what one tab forgets is forgotten, and not written again by the other', async (t) => {
  const { kept, one, other } = await two(t);
  let told = 0;
  other.library.addEventListener('forgotten', () => (told += 1));
  await one.library.forget();
  // Before it is told.
  other.say(0, { add: ['Rex'] });
  await other.library.flush();
  await until(() => told > 0);
  assert.deepEqual([kept.pictures.size, kept.writes.length, told], [0, 0, 1]);
  assert.ok(other.library.isWhole, 'nothing is to be kept any more');
});

test('a page that goes writes at once, and what it leaves unseen is counted', async (t) => {
  const { one, other, said } = await two(t);
  one.say(0, { add: ['late'] });
  one.session.corrections.rename(new Map([['cat', 'Felix']]));
  one.library.leave();
  assert.deepEqual(said(0).own, ['late']);
  assert.ok(one.library.isWhole);
  await until(() => other.own(0) === 'late' && other.session.corrections.names.size === 1);
  assert.equal(one.library.missing, 0);
  await one.session.add([new File(['fresh'], 'fresh.png')]);
  assert.equal(one.library.missing, 1);
});

test('what people say of a kept picture is written whether or not a model is there', async (t) => {
  const { one, said } = await two(t);
  one.session.tags.leave();
  one.say(0, { add: ['early'] });
  await until(() => said(0) !== undefined);
  assert.deepEqual(said(0).own, ['early']);
});

test('pictures of folders that both take away are remembered in both', async (t) => {
  const { kept, one, other } = await two(t);
  const both = [new Removals(), new Removals()];
  await both[0].restore(/** @type {any} */ (one.store));
  await both[1].restore(/** @type {any} */ (other.store));
  const of = (/** @type {string} */ path) => ({ ...one.at(0), path, sample: 'sample' });
  await Promise.all([both[0].add([of('Trip/a.jpg')]), both[1].add([of('Trip/b.jpg')])]);
  await both[1].forget(['Trip/b.jpg']);
  await both[1].add([of('Trip/c.jpg')]);
  assert.deepEqual([...kept.removals.keys()].toSorted(), ['Trip/a.jpg', 'Trip/c.jpg']);
});

test('folders that either opens can be opened again in both, until one forgets them', async (t) => {
  const { one, other } = await two(t);
  const folder = (/** @type {string} */ name) =>
    /** @type {any} */ ({ name, isSameEntry: async (/** @type {any} */ same) => same.name === name });
  const [here, there] = [new Folders(), new Folders()];
  await here.restore(/** @type {any} */ (one.store));
  await there.restore(/** @type {any} */ (other.store));
  await here.keep(folder('Trip'));
  await there.keep(folder('Home'));
  const closed = (/** @type {Folders} */ folders) => folders.closed.map(({ name }) => name).join(' ');
  await until(() => closed(here) === 'Home' && closed(there) === 'Trip');
  await here.forget(/** @type {any} */ (here.closed[0]));
  const third = new Folders();
  await third.restore(/** @type {any} */ (one.store));
  assert.equal(closed(third), 'Trip');
});
