import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { Answerer, Captioner, Classifier, Embedder, Matcher, Tagger } from '../../pkg/src/index.js';
import { FakeBackend } from './support/fake-backend.js';
import { workerFactory } from './support/fake-worker.js';
import { serveRoutes } from './support/server.js';
import { shards } from './support/shards.js';
import { BLIP, CLIP, haveTinyModels, ITM, picture, tinyRoutes, VQA } from './support/tiny-model.js';

/** The whole package but the thread: the real wasm behind the real protocol, in Node. */

const folder = new URL('../../pkg/wasm/', import.meta.url);
const reason = !existsSync(new URL('simd128_bg.wasm', folder))
  ? 'pkg/wasm is not built (npm run build:wasm)'
  : !haveTinyModels && 'tests/golden/models is not there';
const options = { skip: reason };

/** @type {any} */
let wasm;
if (!reason) {
  wasm = await import(new URL('simd128.js', folder).href);
  wasm.initSync({ module: readFileSync(new URL('simd128_bg.wasm', folder)) });
}

async function load(t, Class, name, changed, { backend, ...more } = {}) {
  const { url } = await serveRoutes(t, tinyRoutes(name, changed));
  const { worker, workers } = workerFactory(wasm, { backend: async () => backend });
  const events = [];
  const onProgress = (event) => events.push(event);
  const model = await Class.load(`${url}/${name}/`, { worker, onProgress, ...more });
  t.after(() => model.dispose());
  return { model, events, workers, url };
}

test('the wasm has every handle that handles.js names', options, () => {
  const looking = ['encodeImage', 'advance'];
  const tracing = ['beginRollout', 'traceBack'];
  for (const [name, members] of Object.entries({
    WeightsLoader: ['push', 'takePacked'],
    Picture: [],
    ImageEncoding: ['keep', 'whole'],
    PatchMap: ['values', 'frame'],
    Tracing: ['map'],
    WordMaps: ['places', 'map'],
    LabelSet: ['embeddings'],
    TaggerFiles: ['passOver'],
    TaggerHandle: [
      ...looking,
      ...tracing,
      'labels',
      'texts',
      'encodeLabels',
      'exportEmbeddings',
      'importEmbeddings',
      'embeddingOf',
      'featuresOf',
      'statesOf',
      'textFeatures',
      'tag',
      'beginExplanation',
      'score',
      'similarity',
      'terms',
      'interrogate',
    ],
    Terms: ['takeBatch', 'putBack'],
    Interrogation: ['step'],
    CaptionerFiles: ['passOver'],
    CaptionerHandle: [...looking, ...tracing, 'plan', 'write', 'attention'],
    CaptionPlan: [],
    CaptionRun: ['next', 'captions', 'scores'],
    MatcherFiles: ['passOver'],
    MatcherHandle: [...looking, 'texts', 'compare', 'step', 'explain'],
    MatchTexts: [],
    MatchRun: ['ranking', 'similarities', 'probabilities'],
    AnswererFiles: ['passOver'],
    AnswererHandle: [...looking, 'plan', 'choices', 'write', 'weigh'],
    AnswerPlan: [],
    AnswerRun: ['step', 'answer'],
    Choices: [],
    ChoiceRun: ['step', 'scores', 'probabilities'],
    ClassifierFiles: ['passOver'],
    ClassifierHandle: [...looking, ...tracing, 'labels', 'kinds', 'classify'],
    TextEncoderFiles: ['passOver'],
    TextEncoderHandle: ['begin', 'step'],
    PromptRun: ['encoded'],
    EncodedPrompt: ['states', 'pooled', 'projected', 'tokens', 'weights'],
  })) {
    for (const member of [...members, 'free']) {
      assert.equal(typeof wasm[name].prototype[member], 'function', `${name}.${member}`);
    }
  }
  for (const name of ['Tagger', 'Captioner', 'Matcher', 'Answerer', 'Classifier', 'TextEncoder']) {
    assert.equal(typeof wasm[`${name}Files`].read, 'function', name);
    assert.equal(typeof wasm[`${name}Handle`].create, 'function', name);
  }
  for (const member of ['decode', 'fromRgba']) assert.equal(typeof wasm.Picture[member], 'function', member);
  assert.equal(typeof wasm.packingVersion(), 'number');
  const numbers = {
    Picture: ['width', 'height'],
    PatchMap: ['rows', 'columns'],
    LabelSet: ['length', 'prompts', 'pending'],
    TaggerHandle: ['logitScale', 'logitBias', 'projectsImages'],
    Terms: ['length', 'pending'],
    Interrogation: ['prompt', 'similarity', 'caption', 'done', 'total'],
    MatchRun: ['total'],
    PromptRun: ['total'],
  };
  for (const [name, getters] of Object.entries(numbers)) {
    for (const getter of getters) {
      const { get } = Object.getOwnPropertyDescriptor(wasm[name].prototype, getter) ?? {};
      assert.equal(typeof get, 'function', `${name}.${getter}`);
    }
  }
});

test('tags the same picture alike as a file, a blob and pixels', options, async (t) => {
  const { model, events } = await load(t, Tagger, CLIP);
  assert.equal(events.at(-1).phase, 'ready');
  const { pixels, bmp } = picture();
  const labels = ['cat', 'dog', 'fish'];
  const tags = await model.tag(bmp, labels, { template: '{}' });
  assert.deepEqual(tags.map(({ label }) => label).sort(), labels);
  assert.ok(Math.abs(tags.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-5);
  assert.deepEqual(await model.tag(new Blob([bmp]), labels, { template: '{}' }), tags);
  assert.deepEqual(await model.tag(pixels, labels, { template: '{}' }), tags);
  const many = Array.from({ length: 200 }, (_, i) => `label ${i}`);
  assert.equal((await model.tag(bmp, many)).length, 200);
});

test('a label that is given twice keeps its share twice', options, async (t) => {
  const { model } = await load(t, Tagger, CLIP);
  const { bmp } = picture();
  const tags = await model.tag(bmp, ['cat', 'dog', 'cat']);
  const [first, second] = [0, 2].map((wanted) => tags.find(({ index }) => index === wanted));
  assert.deepEqual([first.label, second.label, first.score], ['cat', 'cat', second.score]);
  assert.ok(Math.abs(tags.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-5);
});

test('writes a caption whose pieces are the caption', options, async (t) => {
  const { model } = await load(t, Captioner, BLIP);
  const { bmp } = picture();
  const pieces = [];
  const caption = await model.caption(bmp, { maxTokens: 8, onPiece: (piece) => pieces.push(piece) });
  assert.equal(typeof caption, 'string');
  assert.equal(pieces.join(''), caption);
  const streamed = [];
  for await (const piece of model.stream(bmp, { maxTokens: 8 })) streamed.push(piece);
  assert.deepEqual(streamed, pieces);
  const best = await model.caption(bmp, {
    maxTokens: 8,
    numBeams: 3,
    onPiece: (piece) => assert.notEqual(piece, ''),
  });
  assert.ok(best.length > 0);
  await assert.rejects(model.caption(bmp, { numBeams: 65 }), {
    code: 'argument-invalid',
    message: /1 to 64/,
  });
  const prompted = await model.caption(bmp, { prompt: 'ga ha', maxTokens: 8 });
  assert.ok(prompted.startsWith('ga ha'), prompted);
});

test('draws captions, several at once, and finds several with beams', options, async (t) => {
  const { model } = await load(t, Captioner, BLIP);
  const { bmp } = picture();
  const draw = (seed) => model.captions(bmp, { maxTokens: 8, numCaptions: 6, temperature: 2, seed });
  const drawn = await draw(5);
  assert.equal(drawn.length, 6);
  assert.ok(new Set(drawn.map(({ caption }) => caption)).size > 1, 'all alike: this proves nothing');
  assert.ok(drawn.every(({ score }, i) => score < 0 && score <= (drawn[i - 1]?.score ?? 0)));
  assert.deepEqual(await draw(5), drawn);
  assert.notDeepEqual(await draw(6), drawn);
  const best = await model.captions(bmp, { maxTokens: 8, numCaptions: 3, numBeams: 3 });
  assert.equal(best[0].caption, await model.caption(bmp, { maxTokens: 8, numBeams: 3 }));
  assert.equal(new Set(best.map(({ caption }) => caption)).size, 3);
  const plain = await model.caption(bmp, { maxTokens: 8 });
  assert.equal(await model.caption(bmp, { maxTokens: 8, topK: 1 }), plain);
  assert.notEqual(await model.caption(bmp, { maxTokens: 8, noRepeatNgramSize: 1 }), plain);
  assert.equal(await model.caption(bmp, { maxTokens: 8, noRepeatNgramSize: 0, minTokens: 0 }), plain);
  for (const [wrong, message] of [
    [{ temperature: 0 }, /^temperature is 0;/],
    [{ topP: 1.5 }, /^topP is 1\.5;/],
    [{ topP: -1 }, /^topP is -1;/],
    [{ repetitionPenalty: 0 }, /^repetitionPenalty is 0;/],
    [{ seed: 1, numBeams: 2 }, /^numBeams is 2, and temperature/],
    [{ numCaptions: 4, numBeams: 3 }, /^numCaptions is 4;/],
    [{ numCaptions: 65, seed: 1 }, /^numCaptions is 65; it must be 1 to 64/],
  ]) {
    await assert.rejects(model.captions(bmp, wrong), { code: 'argument-invalid', message });
  }
});

/** The largest difference of two numbers that are computed in different orders. */
const BOUND = 1e-5;

function assertClose(found, expected, what) {
  assert.equal(found.length, expected.length, what);
  const worst = Math.max(...Array.from(found, (number, i) => Math.abs(number - expected[i])));
  assert.ok(worst <= BOUND, `${what}: off by ${worst}`);
}

const dot = (a, b) => a.reduce((sum, number, i) => sum + number * b[i], 0);
const unit = (vector) => vector.map((number) => number / Math.sqrt(dot(vector, vector)));

test('embeds, compares, and averages templates', options, async (t) => {
  const { model } = await load(t, Tagger, CLIP);
  const { bmp } = picture();
  const [image] = await model.embedImages([bmp]);
  const prompts = ['a cat', 'cat b', 'a bat, x', 'bat, x b'];
  const texts = await model.embedTexts(prompts);
  for (const vector of [image, ...texts]) assertClose([dot(vector, vector)], [1], 'length');
  const { cosine, logits } = await model.similarity([bmp], prompts);
  const cosines = texts.map((text) => dot(text, image));
  assert.ok(Math.max(...cosines) - Math.min(...cosines) > 0.01, 'or this proves nothing');
  assertClose(cosine[0], cosines, 'cosines');
  const scale = logits[0][0] / cosine[0][0];
  assertClose(
    logits[0],
    cosine[0].map((number) => number * scale),
    'logits',
  );

  const mean = (a, b) => unit(a.map((number, i) => number + b[i]));
  const labels = [mean(texts[0], texts[1]), mean(texts[2], texts[3])];
  const exps = labels.map((label) => Math.exp(scale * dot(label, image)));
  const template = ['a {}', '{} b'];
  const tags = await model.tag(bmp, ['cat', { label: 'bat', hint: 'x' }], { template });
  const scores = tags.toSorted((a, b) => a.index - b.index).map(({ score }) => score);
  assertClose(scores, unitSum(exps), 'scores');
});

const unitSum = (numbers) => numbers.map((number) => number / numbers.reduce((sum, one) => sum + one, 0));

test('decodes a picture for people, in its own size or a smaller one', options, async (t) => {
  const { model } = await load(t, Embedder, CLIP, {}, { tower: 'text' });
  const { bmp } = picture();
  const [width, height] = [18, 22].map((at) => new DataView(bmp.buffer, bmp.byteOffset).getInt32(at, true));
  const whole = await model.decodeImage(bmp);
  assert.deepEqual([whole.width, whole.height], [width, Math.abs(height)]);
  assert.ok(
    whole.data.every((sample, i) => i % 4 !== 3 || sample === 255),
    'opaque',
  );
  // What comes out goes in again.
  assert.deepEqual(await model.decodeImage(whole), whole);
  const longestEdge = Math.floor(whole.width / 2);
  const small = await model.decodeImage(bmp, { longestEdge });
  assert.equal(Math.max(small.width, small.height), longestEdge);
  assert.deepEqual([small.naturalWidth, small.naturalHeight], [whole.width, whole.height]);
  assert.equal(small.data.length, 4 * small.width * small.height);
});

test('none of these takes its share, or stands for itself', options, async (t) => {
  const { model } = await load(t, Tagger, CLIP);
  const { bmp } = picture();
  const labels = ['cat', 'dog', 'fish'];
  const tags = (more) => model.tag(bmp, labels, { template: '{}', none: true, ...more });
  const none = (all) => all.find(({ label }) => label === null).score;
  const all = await tags({});
  assert.equal(all.length, 4);
  assertClose([all.reduce((sum, { score }) => sum + score, 0)], [1], 'sum');
  const [few, many] = [none(await tags({ noneOffset: -5 })), none(await tags({ noneOffset: 5 }))];
  assert.ok(few < none(all) && none(all) < many, `${few} ${none(all)} ${many}`);
  const alone = await tags({ scores: 'independent' });
  const best = alone.filter(({ label }) => label !== null)[0].score;
  assertClose([none(alone)], [1 - best], 'what the best lacks');
});

test('a tower alone gives what both give, in less memory', options, async (t) => {
  const { model } = await load(t, Tagger, CLIP);
  const { bmp } = picture();
  const image = (await load(t, Embedder, CLIP, {}, { tower: 'image' })).model;
  const text = (await load(t, Embedder, CLIP, {}, { tower: 'text' })).model;
  assert.deepEqual(await image.embedImages([bmp]), await model.embedImages([bmp]));
  assert.deepEqual(await text.embedTexts(['a cat']), await model.embedTexts(['a cat']));
  await assert.rejects(image.embedTexts(['a cat']), { code: 'argument-invalid', message: /text tower/ });
  await assert.rejects(text.embedImages([bmp]), { code: 'argument-invalid', message: /image tower/ });
  await assert.rejects(text.similarity([bmp], ['a']), { code: 'argument-invalid' });
});

test('towers and labels are kept between visits', options, async (t) => {
  const backend = new FakeBackend();
  const { bmp } = picture();
  const keep = { backend, keep: true };
  const labels = [{ label: 'bat', hint: 'x' }, 'dog'];
  const first = await load(t, Tagger, CLIP, {}, keep);
  const tags = await first.model.tag(bmp, labels, { none: true });
  assert.equal(backend.written, 1);
  const [vector] = await first.model.embedImages([bmp]);
  const visit = async (Class, more) => {
    const { worker } = workerFactory(wasm, { backend: async () => backend });
    const events = [];
    const onProgress = (event) => events.push(event);
    const model = await Class.load(`${first.url}/${CLIP}/`, { worker, keep: true, onProgress, ...more });
    t.after(() => model.dispose());
    return { model, events };
  };
  const second = await visit(Tagger, {});
  assert.ok(
    second.events.some(({ phase }) => phase === 'cache'),
    'or this proves nothing',
  );
  assert.deepEqual(await second.model.tag(bmp, labels, { none: true }), tags);
  assert.equal(backend.written, 1, 'nothing was computed anew');
  await second.model.tag(bmp, ['cow']);
  assert.equal(backend.written, 2);
  for (const phase of ['download', 'cache']) {
    const { model, events } = await visit(Embedder, { tower: 'image' });
    assert.ok(
      events.some((event) => event.phase === phase),
      phase,
    );
    assert.deepEqual(await model.embedImages([bmp]), [vector]);
  }
  const [whole, half] = (await backend.list()).map(({ record }) => record.weights);
  assert.ok(half < whole, `${half} of ${whole} bytes`);
});

test('matches and ranks texts', options, async (t) => {
  const { model } = await load(t, Matcher, ITM);
  const { bmp, pixels } = picture();
  const texts = ['ga ha', 'ia', 'ja ka la ma', 'ga ha', 'na '.repeat(200)];
  const matches = await model.match(bmp, texts);
  assert.deepEqual(
    matches.map(({ text, index }) => [text, index]),
    texts.map((text, index) => [text, index]),
  );
  assert.ok(
    matches.every(({ match, similarity }) => match > 0 && match < 1 && Math.abs(similarity) <= 1.0001),
  );
  assert.deepEqual([matches[3].match, matches[3].similarity], [matches[0].match, matches[0].similarity]);
  assert.notEqual(matches[0].match, matches[1].match);
  const ranked = await model.rank(pixels, texts, { rerank: 2 });
  assert.deepEqual(
    ranked.map(({ match }) => match !== undefined),
    [true, true, false, false, false],
  );
  for (const { index, match, similarity } of ranked) {
    assert.equal(similarity, matches[index].similarity);
    // Among other texts, the same text is computed in another order.
    if (match !== undefined) assert.ok(Math.abs(match - matches[index].match) < 1e-5);
  }
  const [best] = await model.rank(bmp, texts, { rerank: texts.length, topK: 1 });
  assert.ok(matches.every(({ match }) => match <= best.match + 1e-5));
  const { model: captioner } = await load(t, Captioner, BLIP);
  const captions = await captioner.captions(bmp, {
    numCaptions: 3,
    numBeams: 3,
    maxTokens: 6,
    matcher: model,
  });
  assert.ok(captions.length > 0 && captions.every(({ match }) => match > 0 && match < 1));
  await assert.rejects(model.match(bmp, []), { code: 'labels-empty', message: /texts/ });
  await assert.rejects(model.match(bmp, ['a', ' ']), { code: 'label-empty', message: /^Text 2/ });
});

test('finds what makes a text match', options, async (t) => {
  const { bmp, pixels } = picture();
  const { model } = await load(t, Matcher, ITM, {}, { dtype: 'f32' });
  const map = await model.explain(bmp, 'ga ha');
  assert.deepEqual([map.rows, map.columns, map.values.length], [4, 4, 16]);
  assert.deepEqual(map.frame, { left: 0, top: 0, width: 1, height: 1 });
  const highest = Math.max(...map.values);
  assert.ok(map.values.every((value) => value >= 0) && highest > 2 * Math.min(...map.values), 'a flat map');
  assert.deepEqual(await model.explain(pixels, 'ga ha'), map);
  assert.notDeepEqual((await model.explain(bmp, 'ia')).values, map.values);
  const wrongs = [
    [' ', 'label-empty', /^Text 1 /],
    ['x'.repeat(1001), 'label-too-long', /^Text 1 /],
  ];
  for (const [text, code, message] of wrongs) {
    await assert.rejects(model.explain(bmp, text), { code, message });
    await assert.rejects(model.match(bmp, [text]), { code, message });
  }
  assert.deepEqual(await model.explain(bmp, 'ga ha'), map);
});

test('answers questions, in its own words and in given ones', options, async (t) => {
  const { model } = await load(t, Answerer, VQA);
  const { bmp } = picture();
  const answer = await model.answer(bmp, 'ga ha ia', { maxTokens: 6 });
  assert.ok(answer.split(' ').length <= 6);
  assert.equal(await model.answer(bmp, 'ga ha ia', { maxTokens: 6, numBeams: 1 }), answer);
  assert.equal(typeof (await model.answer(bmp, 'ga ha ia', { maxTokens: 6, numBeams: 3 })), 'string');
  const answers = ['ga', 'ha ia', 'ga ja', 'ga'];
  const ranked = await model.rank(bmp, 'ga ha ia', answers);
  assert.deepEqual(ranked.map(({ index }) => index).sort(), [0, 1, 2, 3]);
  assert.ok(Math.abs(ranked.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-5);
  const of = (index) => ranked.find((found) => found.index === index).logLikelihood;
  assert.equal(of(0), of(3));
  assert.ok(ranked.every(({ logLikelihood }, i) => i === 0 || logLikelihood <= ranked[i - 1].logLikelihood));
  await assert.rejects(model.answer(bmp, ' '), { code: 'argument-invalid', message: /question/ });
  await assert.rejects(model.rank(bmp, 'ga', []), { code: 'labels-empty', message: /answers/ });
  await assert.rejects(model.answer(bmp, 'ga', { numBeams: 65 }), { code: 'argument-invalid' });
});

test('a captioner is no matcher', options, async (t) => {
  await assert.rejects(load(t, Matcher, BLIP), { code: 'weights-mismatch', message: /text_encoder/ });
});

test('bad input is a typed error, and the model goes on', options, async (t) => {
  const { model, workers } = await load(t, Tagger, CLIP);
  const { bmp } = picture();
  const cases = [
    [new Uint8Array(), ['a'], {}, 'image-empty'],
    [new TextEncoder().encode('this is no image at all'), ['a'], {}, 'image-unsupported'],
    [bmp.subarray(0, 100), ['a'], {}, 'image-damaged'],
    [bmp, [], {}, 'labels-empty'],
    [bmp, ['a', ' '], {}, 'label-empty'],
    [bmp, ['x'.repeat(5000)], {}, 'label-too-long'],
    [bmp, Array(10_001).fill('a'), {}, 'labels-too-many'],
    [bmp, ['a'], { template: 'no place' }, 'template-invalid'],
    [bmp, ['a'], { template: [] }, 'template-invalid'],
    [bmp, ['a'], { template: ['{}', '{} and {}'] }, 'template-invalid'],
    [bmp, ['a'], { template: Array(101).fill('{}') }, 'template-invalid'],
    [bmp, [{ label: '', hint: 'x' }], {}, 'label-empty'],
    [bmp, [{ label: 'x', hint: 'x'.repeat(1000) }], {}, 'label-too-long'],
  ];
  for (const [image, labels, more, code] of cases) {
    await assert.rejects(model.tag(image, labels, more), (error) => {
      assert.equal(error.code, code);
      assert.match(error.message, /^[A-Z].*\.$/s);
      return true;
    });
  }
  // Of several pictures it says which.
  for (const call of [
    () => model.tag([bmp, bmp.subarray(0, 100)], ['a']),
    () => model.embedImages([bmp, bmp.subarray(0, 100)]),
  ]) {
    await assert.rejects(call, { code: 'image-damaged', index: 1, message: /^Picture 2 of 2: [A-Z]/ });
  }
  assert.equal((await model.tag(bmp, ['a'])).length, 1);
  assert.equal(workers.length, 1, 'the same worker all along');
});

test('weights come in any format, under the names that are usual for it', options, async (t) => {
  const labels = ['a', 'b', 'c'];
  const tags = async (changed) => (await load(t, Tagger, CLIP, changed)).model.tag(picture().bmp, labels);
  const bin = readFileSync(new URL('../golden/formats/clip.bin', import.meta.url));
  assert.deepEqual(await tags({ 'model.safetensors': undefined, 'pytorch_model.bin': bin }), await tags({}));
  const none = load(t, Tagger, CLIP, { 'model.safetensors': undefined });
  await assert.rejects(none, {
    code: 'not-found',
    message:
      /model\.safetensors was not found at .* nor model\.safetensors\.index\.json, pytorch_model\.bin, .* or onnx\/model\.onnx beside it\./,
  });
});

test('weights in several files, and quantised ones of ONNX, give the same tags', options, async (t) => {
  const labels = ['a', 'b', 'c'];
  const whole = readFileSync(new URL(`../golden/models/${CLIP}/model.safetensors`, import.meta.url));
  const files = Object.fromEntries(shards(whole, 3).map((shard, i) => [`model-${i}.safetensors`, shard]));
  const map = Object.entries(files).map(([name], i) => [`tensor ${i}`, name]);
  const index = JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(map) });
  const tags = async (changed) => (await load(t, Tagger, CLIP, changed)).model.tag(picture().bmp, labels);
  const right = await tags({});
  const changed = { 'model.safetensors': undefined, 'model.safetensors.index.json': index, ...files };
  assert.deepEqual(await tags(changed), right);
  const onnx = readFileSync(new URL('../golden/onnx/clip-uint8.onnx', import.meta.url));
  const found = await tags({ 'model.safetensors': undefined, 'onnx/model_quantized.onnx': onnx });
  assert.deepEqual(
    found.map(({ label }) => label),
    right.map(({ label }) => label),
  );
  found.forEach(({ score }, i) => assert.ok(Math.abs(score - right[i].score) < 0.05, `${score}`));
});

test('a tagger of drawings says of what kind its tags are', options, async (t) => {
  const file = (name) => readFileSync(new URL(`../golden/models/timm-tagger/${name}`, import.meta.url));
  const png = readFileSync(new URL('../golden/models/tall.png', import.meta.url));
  const changed = {
    'preprocessor_config.json': undefined,
    'tokenizer.json': undefined,
    'selected_tags.csv': file('selected_tags.csv'),
  };
  const backend = new FakeBackend();
  for (const visit of ['first', 'kept']) {
    const { model } = await load(t, Classifier, 'timm-tagger', changed, { backend, cache: true });
    const all = await model.classify(png);
    assert.deepEqual(
      new Set(all.map(({ kind }) => kind)),
      new Set(['rating', 'general', 'character']),
      visit,
    );
    const { score } = all.find(({ kind }) => kind === 'character');
    const thresholds = { character: Math.min(1, score + 0.01) };
    const fewer = await model.classify(png, { threshold: 0, thresholds });
    assert.deepEqual(
      fewer,
      all.filter(({ kind }) => kind !== 'character'),
    );
  }
  const { model } = await load(t, Classifier, 'timm-classes', { ...changed, 'selected_tags.csv': undefined });
  const classes = await model.classify(png);
  assert.ok(Math.abs(classes.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-5);
  assert.equal('kind' in classes[0], false);
  await assert.rejects(model.classify(png, { thresholds: { general: 2 } }), { code: 'argument-invalid' });
});

test('tokenizers come as tables of tokens, too', options, async (t) => {
  const { bmp } = picture();
  const served = async (name) => {
    const { url } = await serveRoutes(t, tinyRoutes(name));
    return (await fetch(`${url}/${name}/tokenizer.json`)).json();
  };
  const { model: clip } = await served(CLIP);
  const merges = `#version: 0.2\n${clip.merges.join('\n')}\n`;
  const clipParts = {
    'tokenizer.json': undefined,
    'vocab.json': JSON.stringify(clip.vocab),
    'merges.txt': merges,
  };
  const { model: tagger } = await load(t, Tagger, CLIP, clipParts);
  const { model: right } = await load(t, Tagger, CLIP);
  const labels = ['a cat', 'Dog', "it's 9"];
  assert.deepEqual(await tagger.tag(bmp, labels), await right.tag(bmp, labels));
  const { model: blip } = await served(BLIP);
  const tokens = Object.entries(blip.vocab).sort(([, a], [, b]) => a - b);
  assert.ok(tokens.every(([, id], line) => id === line));
  const blipParts = {
    'tokenizer.json': undefined,
    'vocab.txt': `${tokens.map(([token]) => token).join('\n')}\n`,
  };
  const how = { prompt: 'ga ha', maxTokens: 8 };
  assert.equal(
    await (await load(t, Captioner, BLIP, blipParts)).model.caption(bmp, how),
    await (await load(t, Captioner, BLIP)).model.caption(bmp, how),
  );
  for (const changed of [{ 'vocab.json': '[]' }, { 'vocab.json': '{' }, { 'vocab.json': '{"a": -1}' }]) {
    await assert.rejects(load(t, Tagger, CLIP, { ...clipParts, ...changed }), { code: 'tokenizer-invalid' });
  }
  await assert.rejects(load(t, Tagger, CLIP, { 'tokenizer.json': undefined }), {
    code: 'not-found',
    message: /^tokenizer\.json was not found/,
  });
});

test('bad model files are typed errors', options, async (t) => {
  const file = (name, path) => readFileSync(new URL(`../golden/models/${name}/${path}`, import.meta.url));
  const weights = file(CLIP, 'model.safetensors');
  const cases = [
    [{ 'config.json': '{"model_type": "clip", "text_config": 5}' }, 'config-invalid'],
    [{ 'config.json': file(BLIP, 'config.json') }, 'config-invalid'],
    [{ 'preprocessor_config.json': '[]' }, 'preprocessor-invalid'],
    [{ 'tokenizer.json': '{}' }, 'tokenizer-invalid'],
    [{ 'model.safetensors': weights.subarray(0, weights.length - 100) }, 'weights-truncated'],
    [{ 'model.safetensors': Buffer.alloc(1000, 0x41) }, 'weights-invalid'],
    [{ 'model.safetensors': file(BLIP, 'model.safetensors') }, 'weights-mismatch'],
    [{ 'model.safetensors': '' }, 'weights-truncated'],
  ];
  for (const [changed, code] of cases) {
    await assert.rejects(load(t, Tagger, CLIP, changed), (error) => {
      assert.equal(error.name, 'ModelError');
      assert.equal(error.code, code, `${Object.keys(changed)}: ${error.message}`);
      const [name = ''] = Object.keys(changed);
      // Of a small file the address is told; of the others, the name is in the sentence.
      if (name.endsWith('.json')) assert.match(error.message, new RegExp(`\\(http://.*/${name}\\)\\.$`));
      return true;
    });
  }
});

const textFile = (name) => readFileSync(new URL(`../golden/text/${name}.tokenizer.json`, import.meta.url));
const square = JSON.stringify({ size: { height: 32, width: 32 } });

test('SigLIP judges each label for itself', options, async (t) => {
  const changed = { 'tokenizer.json': textFile('siglip'), 'preprocessor_config.json': square };
  const { model } = await load(t, Tagger, 'siglip', changed);
  const { bmp } = picture();
  const [one, two] = await model.tag(bmp, ['cat', 'house']);
  assert.ok(Math.abs(one.score + two.score - 1) > 1e-3, 'no softmax');
  const [alone] = await model.tag(bmp, [two.label]);
  assert.ok(Math.abs(alone.score - two.score) < 1e-5);
  const { cosine, logits } = await model.similarity([bmp], ['a photo of a cat.', 'a photo of a house.']);
  const difference = logits[0][0] - (15.642632 * cosine[0][0] - 3.5);
  assert.ok(Math.abs(difference) < 1e-3, 'with the bias');
  const independent = await model.tag(bmp, ['cat', 'house'], { scores: 'independent' });
  assert.ok(Math.abs(independent[0].score - one.score) < 1e-5);
});

test(
  'a model of open_clip brings a configuration of its own name, and needs no preprocessor',
  options,
  async (t) => {
    const golden = (file) =>
      readFileSync(new URL(`../golden/models/open-clip-xlm-roberta/${file}`, import.meta.url));
    const { model } = await load(t, Embedder, 'open-clip-xlm-roberta', {
      'config.json': undefined,
      'preprocessor_config.json': undefined,
      'model.safetensors': undefined,
      'open_clip_config.json': golden('config.json'),
      'open_clip_model.safetensors': golden('model.safetensors'),
      'tokenizer.json': textFile('xlm-roberta'),
    });
    const { cosine } = await model.similarity([picture().bmp], ['a photo of a cat', 'a red bicycle']);
    assert.ok(cosine[0].every((score) => score >= -1 && score <= 1));
  },
);

test('the tags of a picture and of its embedding are the same', options, async (t) => {
  const { model } = await load(t, Tagger, CLIP);
  const { bmp } = picture();
  const labels = ['cat', 'dog', 'a red bicycle'];
  const [embedding] = await model.embedImages([bmp]);
  for (const how of [{}, { none: true }, { scores: 'independent' }]) {
    const [seen, known] = [await model.tag(bmp, labels, how), await model.tag([embedding], labels, how)];
    assert.deepEqual(known, [seen]);
  }
  const wrong = { code: 'argument-invalid' };
  await assert.rejects(model.tag(embedding.subarray(1), labels), {
    ...wrong,
    message: /numbers; this model/,
  });
  await assert.rejects(model.tag(new Float32Array(embedding.length), labels), {
    ...wrong,
    message: /no direction/,
  });
});

test('files that only the other tower would need may be absent', options, async (t) => {
  const none = { 'tokenizer.json': undefined };
  for (const name of ['dinov2', 'clip-vision-alone']) {
    const { model } = await load(t, Embedder, name, {
      ...none,
      'preprocessor_config.json': undefined,
      // As transformers 5 saves it.
      'processor_config.json': JSON.stringify({
        image_processor: name === 'dinov2' ? { size: 40, crop_size: 40 } : { size: 32, crop_size: 32 },
        processor_class: 'CLIPProcessor',
      }),
    });
    const [vector] = await model.embedImages([picture().bmp]);
    assert.ok(vector.every(Number.isFinite));
    await assert.rejects(model.embedTexts(['cat']), { code: 'argument-invalid' });
  }
  // What is needed is missed by its name.
  await assert.rejects(load(t, Tagger, CLIP, none), { code: 'not-found', message: /tokenizer\.json/ });
  const neither = { 'preprocessor_config.json': undefined };
  await assert.rejects(load(t, Tagger, CLIP, neither), {
    code: 'not-found',
    message: /preprocessor_config\.json was not found at .*, nor processor_config\.json beside it/,
  });
});

test(
  'a model that was kept without a file of the other tower is read again without it',
  options,
  async (t) => {
    const backend = new FakeBackend();
    const changed = {
      'tokenizer.json': undefined,
      'preprocessor_config.json': JSON.stringify({ size: 32, crop_size: 32 }),
    };
    const first = await load(t, Embedder, 'clip-vision-alone', changed, { backend, cache: true });
    const [before] = await first.model.embedImages([picture().bmp]);
    const { model } = await load(t, Embedder, 'clip-vision-alone', changed, { backend, cache: true });
    assert.deepEqual((await model.embedImages([picture().bmp]))[0], before);
  },
);
