import assert from 'node:assert/strict';
import test from 'node:test';
import { Captioner, Embedder, Interrogator, Tagger } from '../../pkg/src/node.js';
import { fakeWasm } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { bytes, modelRoutes, serveRoutes } from './support/server.js';

const bytesOf = (text) => new TextEncoder().encode(text);
const aborted = { name: 'AbortError', code: 'aborted' };
const wrong = { name: 'OcelliError', code: 'argument-invalid' };

const LISTS = {
  mediums: ['a photo'],
  artists: ['hokusai', 'vermeer'],
  movements: ['realism'],
  sites: ['pixiv'],
  flavors: ['red', 'blue', 'green'],
  negative: ['ugly'],
};
const TEXTS = ['a photo', 'hokusai\nvermeer', 'realism', 'pixiv', 'red\nblue\ngreen', 'ugly'];

/** An interrogator of loaded models over fakes. */
async function load(t, { lists = LISTS, Class = Tagger, ...fakes } = {}) {
  const wasm = fakeWasm(fakes);
  const { url } = await serveRoutes(t, modelRoutes());
  const { worker } = workerFactory(wasm);
  const [tagger, captioner] = [
    await Class.load(`${url}/m/`, { worker }),
    await Captioner.load(`${url}/m/`, { worker }),
  ];
  t.after(() => [tagger, captioner].forEach((model) => model.dispose()));
  const interrogator = await Interrogator.load({ captioner, tagger, lists });
  t.after(() => interrogator.dispose());
  return { interrogator, tagger, captioner, log: wasm.log };
}

test('finds a prompt: a caption, and flavors one after the other', async (t) => {
  const { interrogator, log } = await load(t);
  const [events, prompts] = [[], []];
  const found = await interrogator.interrogate(bytesOf('picture'), {
    onProgress: ({ phase, loaded, total }) => events.push([phase, loaded, total]),
    onPrompt: (better) => prompts.push(better.prompt),
  });
  assert.deepEqual(found, {
    prompt: 'a red ball, red, blue, green',
    similarity: 0.5,
    caption: 'a red ball',
  });
  assert.deepEqual(prompts, [
    'a red ball',
    'a red ball, red',
    'a red ball, red, blue',
    'a red ball, red, blue, green',
  ]);
  assert.deepEqual(log.calls.slice(1), [
    { terms: TEXTS },
    {
      picture: 'picture',
      captions: ['a red ball'],
      mode: 'best',
      least: 8,
      most: undefined,
      shortlist: 256,
    },
  ]);
  const phases = events.map(([phase]) => phase).filter((phase, i, all) => phase !== all[i - 1]);
  assert.deepEqual(phases, ['image', 'labels', 'image', 'texts']);
  assert.deepEqual(events.filter(([phase]) => phase === 'labels').at(0), ['labels', 0, 8]);
  assert.deepEqual(events.filter(([phase]) => phase === 'labels').at(-1), ['labels', 8, 8]);
});

test('a stream yields every better prompt, and leaving it ends the search', async (t) => {
  const { interrogator, log } = await load(t, { Class: Embedder });
  const all = [];
  for await (const { prompt } of interrogator.stream(bytesOf('x'), { maxFlavors: 2, caption: 'a cat' })) {
    all.push(prompt);
  }
  assert.deepEqual(all, ['a cat', 'a cat, red', 'a cat, red, blue']);
  assert.equal(log.calls.length, 2, 'no caption was written');
  for await (const { prompt } of interrogator.stream(bytesOf('x'), { caption: 'a cat' })) {
    assert.equal(prompt, 'a cat');
    break;
  }
  // Calls run one after the other: what the last one held is freed when the next one is done.
  await interrogator.prepare();
  assert.ok([...log.alive].every((handle) => handle.constructor.name !== 'Interrogation'));
  assert.throws(() => interrogator.stream(bytesOf('x'), { mode: 'slow' }), wrong);
});

test('terms are read and encoded once, and kept until others come', async (t) => {
  const { interrogator, tagger, log } = await load(t);
  const events = [];
  await interrogator.prepare({ onProgress: ({ loaded, total }) => events.push([loaded, total]) });
  assert.deepEqual(events, [[0, 8], [4, 8], [8, 8]]); // prettier-ignore
  const encoded = log.encoded;
  await interrogator.prepare();
  assert.equal(log.encoded, encoded);
  const other = await Interrogator.load({ captioner: null, tagger, lists: { ...LISTS, flavors: ['x'] } });
  await other.prepare();
  assert.equal(log.encoded, encoded + 1, 'the other terms are known');
  const terms = [...log.alive].filter((handle) => handle.constructor.name === 'Terms');
  assert.equal(terms.length, 1, 'those of the last call');
});

test('a negative prompt has no caption, and of several captions all are compared', async (t) => {
  const { interrogator, log } = await load(t);
  const negative = await interrogator.interrogate(bytesOf('x'), { mode: 'negative', maxFlavors: 2 });
  assert.deepEqual(negative, { prompt: 'red, blue', similarity: 0.25, caption: '' });
  await interrogator.interrogate(bytesOf('x'), {
    mode: 'fast',
    numCaptions: 3,
    shortlist: 2048,
    minFlavors: 0,
  });
  const { captions, mode, least, shortlist } = log.calls.at(-1);
  assert.deepEqual({ captions, mode, least, shortlist }, {
    captions: ['a red ball', 'a ball'],
    mode: 'fast',
    least: 0,
    shortlist: 2048,
  }); // prettier-ignore
  // The wasm counts to 2^32, and would take that for 0.
  await interrogator.interrogate(bytesOf('x'), { caption: 'a', shortlist: 2 ** 32, minFlavors: 2 ** 32 });
  assert.deepEqual([log.calls.at(-1).shortlist, log.calls.at(-1).least], [2 ** 20, 2 ** 20]);
  const { options } = log.calls.findLast(({ options: given }) => given);
  assert.deepEqual([options.numCaptions, options.numBeams], [3, 3]);
});

test('lists are arrays, files or addresses, and those that are not given are the package’s', async (t) => {
  const { url } = await serveRoutes(t, {
    '/flavors.txt': bytes('\ufeffred \r\n\r\n golden hour\n'),
    '/latin.txt': bytes(Buffer.from([0xe9, 0x0a])),
  });
  const { tagger, captioner, log } = await load(t);
  const texts = async (lists) => {
    const interrogator = await Interrogator.load({ captioner, tagger, lists });
    await interrogator.prepare();
    return log.calls.findLast(({ terms }) => terms).terms;
  };
  const [mediums, artists, movements, sites, flavors, negative] = await texts({
    flavors: `${url}/flavors.txt`,
    mediums: new Blob(['a photo\n']),
    negative: ['ugly'],
  });
  assert.deepEqual([mediums, flavors, negative], ['a photo\n', 'red \r\n\r\n golden hour\n', 'ugly']);
  assert.match(artists, /^katsushika hokusai$/m);
  assert.match(movements, /^art nouveau$/m);
  assert.match(sites, /^deviantart$/m);
  const general = await texts('general');
  const drawings = await texts('drawings');
  assert.match(general[4], /^golden hour$/m);
  assert.match(drawings[4], /^cel shading$/m);
  assert.deepEqual([general[0], general[5]], [drawings[0], drawings[5]]);

  const refused = (lists) => Interrogator.load({ captioner, tagger, lists });
  await assert.rejects(refused({ flavors: `${url}/none.txt` }), { code: 'not-found' });
  await assert.rejects(refused({ flavors: `${url}/latin.txt` }), wrong);
  await assert.rejects(refused({ flavors: new Blob([new Uint8Array([0xe9])]) }), wrong);
  await assert.rejects(refused({ flavors: new Blob([new Uint8Array((8 << 20) + 1)]) }), wrong);
  await assert.rejects(refused({ flavors: ['red', ' '] }), {
    name: 'LabelError',
    code: 'label-empty',
    message: 'Flavor 2 is empty.',
  });
  await assert.rejects(refused({ artists: ['one\ntwo'] }), {
    ...wrong,
    message: 'Artist 1 has more than one line.',
  });
  await assert.rejects(refused({ flavors: 5 }), wrong);
  await assert.rejects(refused({ flavor: ['red'] }), /There is no list "flavor"/);
  await assert.rejects(refused('photos'), wrong);
  await assert.rejects(refused(['red']), wrong);
});

test('a list without terms is refused at once, before a model is loaded', async (t) => {
  const { interrogator, tagger, captioner } = await load(t);
  for (const [list, many] of [
    [{ flavors: [] }, 'flavors'],
    [{ artists: new Blob([' \r\n\n']) }, 'artists'],
    [{ negative: [] }, 'negative terms'],
  ]) {
    await assert.rejects(Interrogator.load({ captioner, tagger, lists: { ...LISTS, ...list } }), {
      name: 'LabelError',
      code: 'labels-empty',
      message: `There are no ${many}: give at least one.`,
    });
  }
  await assert.rejects(Interrogator.load({ tagger: './no-model/', lists: { flavors: [] } }), {
    code: 'labels-empty',
  });
  assert.equal((await interrogator.interrogate(bytesOf('x'))).caption, 'a red ball');
});

test('options that are wrong or contradict each other are refused at once', async (t) => {
  const { interrogator, tagger } = await load(t);
  for (const options of [
    { mode: 'slow' },
    { maxFlavors: 0 },
    { minFlavors: -1 },
    { shortlist: 0 },
    { caption: 5 },
    { caption: 'a cat', numCaptions: 2 },
    { mode: 'negative', caption: 'a cat' },
    { flavors: 5 },
  ]) {
    await assert.rejects(interrogator.interrogate(bytesOf('x'), options), wrong, JSON.stringify(options));
  }
  await assert.rejects(Interrogator.load({ tagger: 5 }), wrong);
  await assert.rejects(Interrogator.load({ tagger, captioner: null, weights: 'x' }), wrong);
  assert.throws(() => new Interrogator(), wrong);
  const without = await Interrogator.load({ tagger, captioner: null, lists: LISTS });
  await assert.rejects(without.interrogate(bytesOf('x')), /loaded without a captioner/);
  assert.equal((await without.interrogate(bytesOf('x'), { caption: 'a cat' })).caption, 'a cat');
});

test('can be aborted, and disposed of', async (t) => {
  const { interrogator, tagger, log } = await load(t);
  const controller = new AbortController();
  const onPrompt = () => controller.abort();
  await assert.rejects(
    interrogator.interrogate(bytesOf('x'), { onPrompt, signal: controller.signal }),
    aborted,
  );
  await assert.rejects(interrogator.prepare({ signal: AbortSignal.abort() }), aborted);
  await assert.rejects(interrogator.interrogate(bytesOf('x'), { onPrompt: () => interrogator.dispose() }), {
    code: 'disposed',
  });
  await assert.rejects(interrogator.prepare(), { code: 'disposed' });
  await assert.rejects(Interrogator.load({ signal: AbortSignal.abort() }), aborted);
  // Models that came loaded are the user's.
  assert.equal((await tagger.embedTexts(['x'])).length, 1);
  assert.ok([...log.alive].every((handle) => handle.constructor.name !== 'Interrogation'));
});

test('models that are given by address are loaded, and go with the interrogator', async (t) => {
  const wasm = fakeWasm();
  const { url } = await serveRoutes(t, modelRoutes());
  const { worker, workers } = workerFactory(wasm);
  const interrogator = await Interrogator.load({
    captioner: `${url}/m/`,
    tagger: `${url}/m/`,
    lists: LISTS,
    worker,
  });
  assert.equal((await interrogator.interrogate(bytesOf('x'))).caption, 'a red ball');
  interrogator.dispose();
  assert.equal(workers.length, 2);
  assert.ok(workers.every(({ terminated }) => terminated));
  await assert.rejects(
    Interrogator.load({ captioner: `${url}/none/`, tagger: `${url}/m/`, lists: LISTS, worker }),
    { code: 'not-found' },
  );
  assert.ok(
    workers.every(({ terminated }) => terminated),
    'the tagger is given up',
  );
});
