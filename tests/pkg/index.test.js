// The index, with the real wasm behind the real protocol.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import * as writer from 'hyparquet-writer';
import { Embedder, Index } from '../../pkg/src/index.js';
import { storeIn } from '../../pkg/src/cache/index-store.js';
import { BUILT_IN_REVISION, identityOf, isSameModel } from '../../pkg/src/page/model-identity.js';
import { compose, parseQuery } from '../../pkg/src/page/index-query.js';
import { folderOf } from './support/cli.js';
import { workerFactory } from './support/fake-worker.js';
import { serveRoutes } from './support/server.js';
import { CLIP, haveTinyModels, picture, tinyRoutes } from './support/tiny-model.js';

const folder = new URL('../../pkg/wasm/', import.meta.url);
const skip = !existsSync(new URL('simd128_bg.wasm', folder)) && 'pkg/wasm is not built (npm run build:wasm)';
const withModel = { skip: skip || (!haveTinyModels && 'tests/golden/models is not there') };

/** @type {any} */
let wasm;
if (!skip) {
  wasm = await import(new URL('simd128.js', folder).href);
  wasm.initSync({ module: readFileSync(new URL('simd128_bg.wasm', folder)) });
}

/** Files of a folder in memory. */
function memoryFiles() {
  const files = new Map();
  return {
    files,
    names: async () => [...files.keys()],
    open: async (file) => ({
      size: files.get(file).length,
      async *chunks() {
        for (let at = 0; at < files.get(file).length; at += 100) yield files.get(file).slice(at, at + 100);
      },
    }),
    create: async (file) => {
      files.set(file, new Uint8Array());
      return {
        write: (bytes) => files.set(file, new Uint8Array([...files.get(file), ...bytes])),
        close: async () => {},
      };
    },
    remove: async (file) => void files.delete(file),
  };
}

function start(t, options = {}) {
  const { worker, workers } = workerFactory(wasm, options);
  return {
    worker,
    workers,
    keep(index) {
      t.after(() => index.dispose());
      return index;
    },
  };
}

async function created(t, { indexes, ...options } = {}) {
  const { worker, keep, workers } = start(t, indexes ? { indexes } : {});
  return { index: keep(await Index.create({ worker, ...options })), worker, workers, keep };
}

/** Unit vectors, the same in each run. */
function vectors(count, width, seed = 1) {
  let state = seed;
  const next = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 1_073_741_824 - 1;
  return Array.from({ length: count }, (_, id) => {
    const vector = Float32Array.from({ length: width }, next);
    const length = Math.hypot(...vector);
    return { id: `${id}.jpg`, vector: vector.map((x) => x / length) };
  });
}

const dot = (a, b) => a.reduce((sum, x, at) => sum + x * b[at], 0);
const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());
const refused = (code, message) => (error) => {
  assert.equal(error.code, code, error.stack);
  assert.match(error.message, message);
  return true;
};

test('the nearest are those of a plain comparison, with what is added and removed', { skip }, async (t) => {
  const { index } = await created(t);
  const all = vectors(300, 48);
  assert.deepEqual([index.size, index.width, await index.search(all[0].vector)], [0, null, []]);
  await index.addVectors(all.slice(0, 200));
  await index.addVectors(all.slice(200));
  assert.equal(await index.remove(['7.jpg', '250.jpg', 'never']), 2);
  assert.deepEqual([index.size, index.width], [298, 48]);
  const [{ vector: query }] = vectors(1, 48, 99);
  const expected = all
    .filter(({ id }) => id !== '7.jpg' && id !== '250.jpg')
    .map(({ id, vector }) => ({ id, score: dot(vector, query) }))
    .sort((a, b) => b.score - a.score);
  const hits = await index.search(query, { topK: 50 });
  assert.equal(hits.length, 50);
  hits.forEach(({ score, standardScore }, place) => {
    assert.ok(Math.abs(score - expected[place].score) < 0.01);
    assert.equal(standardScore, null);
  });
  assert.equal(hits[0].id, expected[0].id);
  // Another vector under an id that is there.
  await index.addVectors([{ id: '9.jpg', vector: query }]);
  assert.equal(index.size, 298);
  const [best] = await index.search(query, { topK: 1 });
  assert.equal(best.id, '9.jpg');
  assert.ok(best.score > 0.9999);
  assert.deepEqual([await index.has('9.jpg'), await index.has('7.jpg')], [true, false]);
  assert.equal((await index.ids()).length, 298);
});

test('a filter is a function or ids, also where rows change meanwhile', { skip }, async (t) => {
  const { index } = await created(t);
  const all = vectors(40, 8);
  await index.addVectors(all);
  const even = (id) => Number.parseInt(id) % 2 === 0;
  const byFunction = await index.search(all[3].vector, { topK: 40, filter: even });
  assert.equal(byFunction.length, 20);
  assert.ok(byFunction.every(({ id }) => even(id)));
  const ids = all.map(({ id }) => id).filter(even);
  assert.deepEqual(await index.search(all[3].vector, { topK: 40, filter: new Set(ids) }), byFunction);
  const [found] = await Promise.all([
    index.search(all[3].vector, { topK: 40, filter: even }),
    index.remove(['0.jpg', '1.jpg']),
  ]);
  assert.ok(found.every(({ id }) => even(id)));
  const later = await index.search(all[3].vector, { topK: 40, filter: even });
  assert.equal(later.length, 19);
  assert.deepEqual(
    await index.search(all[3].vector, { threshold: 0.999 }).then((hits) => hits.map(({ id }) => id)),
    ['3.jpg'],
  );
  await assert.rejects(
    index.search(all[3].vector, { filter: 7 }),
    refused('argument-invalid', /Ids must be strings/),
  );
});

test('a query is a sum of what it has, and less of what it has with a minus', { skip }, async (t) => {
  assert.deepEqual(parseQuery('beach + sunset - people'), [
    { text: 'beach', weight: 1 },
    { text: 'sunset', weight: 1 },
    { text: 'people', weight: -1 },
  ]);
  assert.deepEqual(parseQuery(' a t-shirt in C++ '), [{ text: 'a t-shirt in C++', weight: 1 }]);
  assert.deepEqual(
    parseQuery('- rain + a beach').map(({ weight }) => weight),
    [-1, 1],
  );
  for (const wrong of ['', ' ', 'a + ', 'a + - b', '- a']) {
    assert.throws(() => parseQuery(wrong), refused('argument-invalid', /A query needs/), wrong);
  }
  const sum = compose([Float32Array.of(2, 0), Float32Array.of(0, 1)], [1, -0.5]);
  assert.deepEqual([...sum], [1, -0.5]);

  const { index } = await created(t);
  await index.addVectors([
    { id: 'x', vector: [1, 0, 0] },
    { id: 'y', vector: [0, 1, 0] },
    { id: 'xy', vector: [1, 1, 0] },
    { id: 'xz', vector: [1, 0, 1] },
  ]);
  const best = async (query) => (await index.search(query, { topK: 1 }))[0].id;
  assert.equal(await best([{ vector: [1, 0, 0] }, { id: 'y' }]), 'xy');
  assert.equal(await best([{ id: 'xy' }, { vector: [0, 1, 0], weight: -1 }]), 'x');
  assert.equal(await best({ id: 'xz' }), 'xz');
  await assert.rejects(
    index.search([{ id: 'x' }, { id: 'x', weight: -1 }]),
    refused('argument-invalid', /cancel out/),
  );
  for (const wrong of [[], [{}], [{ text: 'a', id: 'x' }], [{ id: 'x', weight: Number.NaN }], [{ id: 7 }]]) {
    await assert.rejects(index.search(wrong), refused('argument-invalid', /part|id/));
  }
  await assert.rejects(index.search('a text'), refused('argument-invalid', /no model that reads texts/));
  await assert.rejects(
    index.search({ id: 'none' }),
    refused('argument-invalid', /no vector under the id "none"/),
  );
  await assert.rejects(index.search(Float32Array.of(1)), refused('index-mismatch', /have 3 numbers.*has 1/));
});

test('groups of what is nearly the same, and bursts', { skip }, async (t) => {
  const { index } = await created(t);
  assert.deepEqual(await index.duplicates(), []);
  const at = (angle) => [Math.cos(angle), Math.sin(angle)];
  const angles = { a: 0, b: 0.05, c: 0.1, d: 1, e: 1.02, f: 2 };
  await index.addVectors(Object.entries(angles).map(([id, angle]) => ({ id, vector: at(angle) })));
  const sorted = (groups) => groups.map((group) => group.sort()).sort();
  const steps = [];
  const onProgress = (progress) => steps.push(progress);
  assert.deepEqual(sorted(await index.duplicates({ threshold: 0.998, onProgress })), [
    ['a', 'b', 'c'],
    ['d', 'e'],
  ]);
  assert.deepEqual(steps.at(-1), { phase: 'vectors', file: null, loaded: 6, total: 6 });
  const times = { a: 0, b: new Date(3000), c: 20_000, d: null, e: 0 };
  assert.deepEqual(sorted(await index.duplicates({ threshold: 0.998, times: (id) => times[id] })), [
    ['a', 'b'],
  ]);
  const within = { threshold: 0.998, times: (id) => times[id], within: 20_000 };
  assert.deepEqual(sorted(await index.duplicates(within)), [['a', 'b', 'c']]);
  await assert.rejects(index.duplicates({ within: 5 }), refused('argument-invalid', /within needs times/));
  await assert.rejects(index.duplicates({ threshold: 2 }), refused('argument-invalid', /threshold/));
});

test('picks that differ, of all and near a query', { skip }, async (t) => {
  const { index } = await created(t);
  assert.deepEqual(await index.diverse(), []);
  const at = (degrees) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  await index.addVectors(
    [0, 2, 4, 50, 52, 90, 92].map((degrees) => ({ id: String(degrees), vector: at(degrees) })),
  );
  const ids = async (options) => (await index.diverse(options)).map(({ id }) => id);
  assert.deepEqual(await ids({ count: 3 }), ['50', '0', '92']);
  assert.deepEqual(await ids({ count: 2, query: { id: '0' }, lambda: 0 }), ['0', '92']);
  assert.deepEqual(await ids({ count: 2, query: { id: '0' }, lambda: 1 }), ['0', '2']);
  assert.deepEqual((await ids({ count: 9, filter: ['2', '90'] })).sort(), ['2', '90']);
});

test('a file gives the index again; one that is damaged changes nothing', { skip }, async (t) => {
  const { index, worker, keep } = await created(t);
  await assert.rejects(index.save(), refused('argument-invalid', /nothing to write/));
  await index.addVectors(vectors(70, 24));
  const file = await index.save();
  const expected = await index.search(vectors(1, 24, 5)[0].vector);
  for (const given of [file, await file.arrayBuffer(), await bytesOf(file)]) {
    const again = keep(await Index.open(given, { worker }));
    assert.deepEqual([again.size, again.width], [70, 24]);
    assert.deepEqual(await again.search(vectors(1, 24, 5)[0].vector), expected);
    assert.deepEqual(await bytesOf(await again.save()), await bytesOf(file));
  }
  const bytes = await bytesOf(file);
  for (const [damage, message] of [
    [(copy) => copy.subarray(0, 900), /ends too early/],
    [(copy) => copy.fill(copy[1000] ^ 1, 1000, 1001), /does not match its checksum/],
    [
      () => new TextEncoder().encode('{"not": "an index, but as long as its head"}'),
      /is not an index of ocelli/,
    ],
    [() => new Uint8Array(), /ends too early/],
  ]) {
    await assert.rejects(Index.open(damage(bytes.slice()), { worker }), refused('index-invalid', message));
  }
  await assert.rejects(
    Index.open(7, { worker }),
    refused('argument-invalid', /its bytes, a file, an address/),
  );
  assert.deepEqual(await index.search(vectors(1, 24, 5)[0].vector), expected);
});

test('an index is found by its address', { skip }, async (t) => {
  const { index, worker, keep } = await created(t);
  await index.addVectors(vectors(5, 6));
  const body = Buffer.from(await bytesOf(await index.save()));
  const { url } = await serveRoutes(t, { '/a.ocelli': (_, response) => response.end(body) });
  assert.equal(keep(await Index.open(`${url}/a.ocelli`, { worker })).size, 5);
  await assert.rejects(Index.open(`${url}/b.ocelli`, { worker }), (error) => {
    assert.deepEqual([error.name, error.code, error.status], ['NetworkError', 'not-found', 404]);
    assert.equal(error.message, `There is no index at ${url}/b.ocelli.`);
    return true;
  });
});

test('what cannot be added leaves all as it was', { skip }, async (t) => {
  const { index } = await created(t);
  await index.addVectors(vectors(3, 4));
  const before = await bytesOf(await index.save());
  const good = { id: 'good', vector: [1, 0, 0, 0] };
  for (const [wrong, code, message] of [
    ['good', 'argument-invalid', /must be an array/],
    [[good, { id: 'x' }], 'argument-invalid', /and number 2 is none/],
    [[good, { id: 7, vector: [1, 0, 0, 0] }], 'argument-invalid', /and number 2 is none/],
    [[good, good], 'argument-invalid', /id good is given twice/],
    [[good, { id: '', vector: [1, 0, 0, 0] }], 'argument-invalid', /from 1 to 4096 bytes/],
    [[good, { id: 'x', vector: [0, 0, 0, 0] }], 'argument-invalid', /vector of x has no direction/],
    [[good, { id: 'x', vector: [] }], 'argument-invalid', /vector of x has no numbers/],
    [[good, { id: 'x', vector: [1, 0] }], 'index-mismatch', /vectors of 4 numbers.*has 2/],
  ]) {
    await assert.rejects(index.addVectors(wrong), refused(code, message));
    assert.deepEqual(await bytesOf(await index.save()), before);
  }
  await assert.rejects(
    index.add([{ id: 'a', image: 'a.jpg' }]),
    refused('argument-invalid', /no model that reads/),
  );
  index.dispose();
  await assert.rejects(index.ids(), refused('disposed', /index was disposed of/));
});

test('an index that is disposed of says so, whatever its model says', withModel, async (t) => {
  const { url } = await serveRoutes(t, tinyRoutes(CLIP));
  const { worker } = start(t);
  const gone = refused('disposed', /^The index was disposed of\.$/);
  const image = picture(40, 30).pixels;
  const asked = [
    (index) => index.search('ab'),
    (index) => index.search({ image }),
    (index) => index.add([{ id: 'a', image }]),
    (index) => index.prepare(),
    (index) => index.diverse({ query: 'ab' }),
    (index) => index.save(),
  ];
  // Before the call, and while its model is at work.
  const index = await Index.create({ model: `${url}/${CLIP}/`, worker });
  index.dispose();
  for (const ask of asked) await assert.rejects(ask(index), gone);
  for (const ask of asked.slice(0, 3)) {
    const other = await Index.create({ model: `${url}/${CLIP}/`, worker });
    const answer = ask(other);
    other.dispose();
    await assert.rejects(answer, gone);
  }
  const kept = await Embedder.load(`${url}/${CLIP}/`, { worker });
  t.after(() => kept.dispose());
  const lent = await Index.create({ model: kept, worker });
  lent.dispose();
  for (const ask of asked) await assert.rejects(ask(lent), gone);
  assert.equal((await kept.embedTexts(['ab'])).length, 1, 'the model stays its owner’s');
});

test(
  'an index is kept under a name, and the one before it until the new one is whole',
  { skip },
  async (t) => {
    const files = memoryFiles();
    const indexes = async () => storeIn(files);
    const { index, worker, keep } = await created(t, { indexes });
    await assert.rejects(
      Index.open({ name: 'my/photos' }, { worker }),
      refused('index-missing', /"my\/photos"/),
    );
    await index.addVectors(vectors(4, 5));
    await index.keep('my/photos');
    await index.addVectors([{ id: 'new', vector: [1, 1, 1, 1, 1] }]);
    await index.keep('my/photos');
    assert.deepEqual([...files.files.keys()], ['my%2Fphotos.2.ocelli']);
    assert.deepEqual(await storeIn(files).list(), ['my/photos']);
    assert.equal(keep(await Index.open({ name: 'my/photos' }, { worker })).size, 5);
    // A third was not written to its end.
    const [whole] = files.files.values();
    files.files.set('my%2Fphotos.3.ocelli', whole.slice(0, 50));
    assert.equal(keep(await Index.open({ name: 'my/photos' }, { worker })).size, 5);
    files.files.set('my%2Fphotos.2.ocelli', whole.slice(0, 60));
    await assert.rejects(
      Index.open({ name: 'my/photos' }, { worker }),
      refused('index-invalid', /ends too early/),
    );
    files.create = async () => ({
      write() {
        throw new Error('full');
      },
      close: async () => {},
    });
    await assert.rejects(
      index.keep('other'),
      refused('index-full', /could not be kept under the name "other"/),
    );
    assert.deepEqual([...files.files.keys()], ['my%2Fphotos.2.ocelli', 'my%2Fphotos.3.ocelli']);
    for (const name of ['', 7, 'x'.repeat(300), '\ud800']) {
      await assert.rejects(index.keep(name), refused('argument-invalid', /kept under a name/));
    }
  },
);

test('in Node an index is kept in a folder', { skip }, async (t) => {
  const { indexFolder } = await import('../../pkg/src/node/indexes.js');
  const at = folderOf(t);
  const indexes = async () => storeIn(await indexFolder(at));
  const { index, worker, keep } = await created(t, { indexes });
  await index.addVectors(vectors(9, 5));
  await index.keep('a');
  await index.keep('a');
  assert.equal(keep(await Index.open({ name: 'a' }, { worker })).size, 9);
  const store = storeIn(await indexFolder(at));
  assert.deepEqual(await store.list(), ['a']);
  await store.remove('a');
  assert.deepEqual(await store.list(), []);
});

test('vectors go on to other programs as safetensors, npy and Parquet', { skip }, async (t) => {
  const { index } = await created(t);
  const all = vectors(30, 7);
  await index.addVectors(all);
  const ids = await index.ids();
  const kept = await index.vectors(ids);
  kept.forEach((vector, row) => assert.ok(dot(vector, all.find(({ id }) => id === ids[row]).vector) > 0.999));
  const flat = new Float32Array(kept.flatMap((vector) => [...vector]));

  const npy = Buffer.from(await bytesOf(await index.export('npy')));
  const start = 10 + npy.readUInt16LE(8);
  assert.equal(start % 64, 0);
  assert.match(
    npy.toString('latin1', 0, start),
    /^.NUMPY.{4}\{'descr': '<f4', 'fortran_order': False, 'shape': \(30, 7\), \} *\n$/s,
  );
  assert.deepEqual(npy.subarray(start), Buffer.from(flat.buffer));

  const safetensors = Buffer.from(await bytesOf(await index.export('safetensors')));
  const length = Number(safetensors.readBigUInt64LE(0));
  const header = JSON.parse(safetensors.toString('utf8', 8, 8 + length));
  assert.deepEqual(header.embeddings, { dtype: 'F32', shape: [30, 7], data_offsets: [0, 840] });
  assert.deepEqual(JSON.parse(header.__metadata__.ids), ids);
  assert.deepEqual(safetensors.subarray(8 + length), Buffer.from(flat.buffer));

  const parquet = await (await index.export('parquet', { writer })).arrayBuffer();
  const rows = await parquetReadObjects({ file: parquet });
  assert.deepEqual(
    rows.map(({ id }) => id),
    ids,
  );
  assert.deepEqual(
    rows.map(({ embedding }) => embedding),
    kept.map((vector) => [...vector]),
  );
  assert.ok(parquetMetadata(parquet).key_value_metadata.some(({ key }) => key === 'ocelli.model'));
  await assert.rejects(index.export('parquet'), refused('argument-invalid', /hyparquet-writer/));
  await assert.rejects(index.export('csv'), refused('argument-invalid', /"safetensors", "npy" or "parquet"/));
});

test('pictures and texts go through a model, and one that is damaged is told of', withModel, async (t) => {
  const { url } = await serveRoutes(t, tinyRoutes(CLIP));
  const { worker, keep } = start(t);
  const embedder = await Embedder.load(`${url}/${CLIP}/`, { worker });
  t.after(() => embedder.dispose());
  const index = keep(await Index.create({ model: embedder, worker }));
  const shown = [40, 60, 80].map((width) => ({ id: `${width}.bmp`, image: picture(width, 30).pixels }));
  const steps = [];
  const failed = await index.add([...shown, { id: 'broken', image: new Uint8Array([1, 2, 3]) }], {
    onProgress: (progress) => steps.push(progress),
  });
  assert.deepEqual(
    failed.map(({ id, error }) => [id, error.code]),
    [['broken', 'image-unsupported']],
  );
  assert.deepEqual(steps.at(-1), { phase: 'image', file: null, loaded: 4, total: 4 });
  assert.equal(index.size, 3);
  assert.equal(index.model.id, CLIP);
  const [vector] = await embedder.embedImages([shown[1].image]);
  const [best] = await index.search({ image: shown[1].image }, { topK: 1 });
  assert.ok(best.score > 0.999);
  const byVector = await index.search(vector, { topK: 1 });
  assert.deepEqual(byVector, [best]);
  const all = await index.search('ab + cd', { cutoff: null });
  assert.equal(all.length, 3);
  assert.ok(all.every(({ standardScore }) => Number.isFinite(standardScore)));
  const texts = await index.search('ab - cd', { cutoff: -1000 });
  assert.ok(texts.length === 3 && texts.every(({ standardScore }) => Number.isFinite(standardScore)));
  const [first, second] = await embedder.embedTexts(['ab', 'cd']);
  const expected = await index.search(compose([first, second], [1, -1]), { topK: 3 });
  assert.deepEqual(
    texts.map(({ id, score }) => ({ id, score })),
    expected.map(({ id, score }) => ({ id, score })),
  );
  await assert.rejects(
    index.search(vector, { cutoff: 1 }),
    refused('argument-invalid', /cutoff is for queries of texts/),
  );

  const file = await index.save();
  const again = keep(await Index.open(file, { model: embedder, worker }));
  assert.deepEqual(await again.search('ab - cd', { cutoff: -1000 }), texts);
  const other = await Embedder.load(`${url}/${CLIP}/`, { worker, revision: 'other' });
  t.after(() => other.dispose());
  const identity = { id: 'another', revision: '', dtype: 'int8' };
  assert.ok(
    isSameModel(index.model, { ...index.model, dtype: 'f32' }) && !isSameModel(index.model, identity),
  );
  await assert.rejects(
    Index.open(file, { model: other, worker }),
    refused('index-mismatch', /cannot be compared/),
  );

  const controller = new AbortController();
  const stopped = index.add(
    [0, 1, 2].map((place) => ({ id: `late ${place}`, image: picture(50 + place, 30).pixels })),
    {
      signal: controller.signal,
      onProgress: ({ loaded }) => loaded === 2 && controller.abort(),
    },
  );
  await assert.rejects(stopped, refused('aborted', /aborted/));
  assert.equal(index.size, 5, 'what was embedded before stays');
});

test('a model is known by its name, revision and weights', () => {
  const weights = readFileSync(new URL('../../pkg/models/ocelli/model.safetensors', import.meta.url));
  const digest = createHash('sha256').update(weights).digest('hex');
  assert.ok(digest.startsWith(BUILT_IN_REVISION), 'BUILT_IN_REVISION is that of other weights');
  const of = (model, revision = null) => identityOf({ model, revision, dtype: 'int8' });
  assert.deepEqual(of('ocelli'), { id: 'ocelli', revision: BUILT_IN_REVISION, dtype: 'int8' });
  assert.deepEqual(of('a/b', 'x'), { id: 'a/b', revision: 'x', dtype: 'int8' });
  assert.equal(of('https://example.com/models/clip/?x=1').id, 'clip');
  assert.equal(of('/home/me/clip').id, 'clip');
  assert.equal(of('https://example.com/clip/config.json').id, 'clip');
});
