import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { models, setBase } from '../../pkg/src/index.js';
import { locate } from '../../pkg/src/page/hub.js';
import { absoluteUrl } from '../../pkg/src/shared/platform.js';

const urls = (files) => Object.values(files).map(({ url }) => url);

test('the list is sane', () => {
  const list = models.list();
  assert.equal(new Set(list.map(({ id }) => id)).size, list.length);
  for (const model of list) {
    assert.match(model.id, model.builtIn ? /^[a-z-]+$/ : /^[\w-]+\/[\w.-]+$/);
    assert.ok(model.tasks.length > 0);
    assert.ok(Number.isInteger(model.bytes) && model.bytes > 1_000_000);
    assert.ok(model.title && model.license);
    assert.ok(model.imageGmacs > 0.5 && model.imageGmacs < 200);
    assert.equal(model.licence, model.license, 'the earlier name stands for one version more');
    assert.deepEqual(models.find(model.id), model);
  }
  for (const task of ['tag', 'caption', 'match']) {
    assert.ok(models.list({ task }).every(({ tasks }) => tasks.includes(task)));
    assert.equal(models.list({ task })[0].builtIn, true, 'the built-in model comes first');
  }
  assert.equal(models.find('none/such'), undefined);
});

test('the list says what models are good for, and the best for a purpose is recommended', () => {
  for (const { accuracy, measure, languages, bytes, builtIn } of models.list({ task: 'tag' })) {
    assert.ok(builtIn ? accuracy === null : accuracy > 40 && /ImageNet/.test(measure) && bytes > 9e7);
    assert.ok(languages.length > 0);
  }
  const tagging = models.list({ task: 'tag' }).map(({ bytes }) => bytes);
  assert.deepEqual(
    tagging,
    [...tagging].sort((a, b) => a - b),
    'the smallest comes first',
  );
  const best = (wanted) => models.recommend(wanted)?.id;
  assert.equal(best({ task: 'tag', megabytes: 50 }), 'ocelli');
  assert.equal(best({ task: 'tag', megabytes: 250 }), 'Xenova/siglip-base-patch16-224');
  assert.equal(best({ task: 'tag' }), 'google/siglip2-base-patch16-224');
  assert.match(best({ task: 'embed', language: 'ja' }), /xlm-roberta/);
  assert.equal(best({ task: 'tag', language: 'en-GB', megabytes: 20 }), 'ocelli');
  assert.equal(best({ task: 'caption', megabytes: 300 }), 'lmz/candle-blip');
  assert.equal(best({ task: 'caption', language: 'ja' }), undefined);
  assert.equal(best({ task: 'answer', megabytes: 100 }), undefined);
  for (const wrong of [{}, { task: 'tag', megabytes: -1 }, { task: 'tag', size: 5 }, { task: 'tags' }]) {
    assert.throws(() => models.recommend(wrong), { code: 'argument-invalid' });
  }
});

test('weights that are published alone have the files of another model beside them', () => {
  const { config, tokenizer, weights } = locate('lmz/candle-blip', { hubUrl: 'https://hub.example' });
  const base = 'https://hub.example/Salesforce/blip-image-captioning-large/resolve/main/';
  assert.equal(config.url, `${base}config.json`);
  assert.equal(tokenizer.url, `${base}tokenizer.json`);
  const gguf = 'blip-image-captioning-large-q4k.gguf';
  assert.equal(weights.url, `https://hub.example/lmz/candle-blip/resolve/main/${gguf}`);
});

test('a task that there is not is refused', () => {
  for (const wrong of [{ task: 'tagging' }, { task: null }, { task: 'toString' }, null, 5]) {
    assert.throws(() => models.list(wrong), { code: 'argument-invalid', message: /^The .*\.$/ });
  }
  assert.deepEqual(models.list({ task: undefined }), models.list());
  const tasks = new Set(models.list().flatMap((model) => model.tasks));
  assert.ok([...tasks].every((task) => models.list({ task }).length > 0));
});

test('the list cannot be changed from outside', () => {
  models.list()[0].title = 'mine';
  assert.notEqual(models.list()[0].title, 'mine');
});

for (const { id, bytes } of models.list().filter(({ builtIn }) => builtIn)) {
  const folder = fileURLToPath(new URL(`../../pkg/models/${id}`, import.meta.url));
  test(
    `the listed size of ${id} is right`,
    { skip: !existsSync(`${folder}/model.safetensors`) && 'not trained yet' },
    () => {
      const usual = Object.values(locate(`http://localhost/${id}/`)).map(({ name }) => name);
      const wanted = [...usual, 'decoder_tokenizer.json', 'labels.json', 'words.json'];
      const present = readdirSync(folder);
      assert.deepEqual(
        wanted.filter((name) => !present.includes(name)),
        [],
      );
      const size = wanted.reduce((sum, name) => sum + statSync(`${folder}/${name}`).size, 0);
      assert.ok(Math.abs(size - bytes) < 0.05 * size, `${id} has ${size} bytes, and ${bytes} are listed`);
    },
  );
}

test('the built-in models of earlier versions stand for the one that took their place', () => {
  for (const id of ['clip-tiny', 'blip-tiny']) {
    assert.deepEqual(models.find(id), models.find('ocelli'));
    assert.ok(!models.list().some((model) => model.id === id), 'it is not offered');
  }
  assert.equal(models.find('toString'), undefined);
});

test('hub models are where the hub keeps them', () => {
  assert.deepEqual(urls(locate('org/some.model-1', { hubUrl: 'http://localhost:1/hub' })), [
    'http://localhost:1/hub/org/some.model-1/resolve/main/config.json',
    'http://localhost:1/hub/org/some.model-1/resolve/main/preprocessor_config.json',
    'http://localhost:1/hub/org/some.model-1/resolve/main/tokenizer.json',
    'http://localhost:1/hub/org/some.model-1/resolve/main/model.safetensors',
  ]);
  const vit = urls(locate('google/vit-base-patch16-224', { task: 'classify' }));
  assert.deepEqual(
    vit.map((url) => url.split('/').at(-1)),
    ['config.json', 'preprocessor_config.json', 'model.safetensors'],
  );
  const large = locate('Salesforce/blip-image-captioning-large', { hubUrl: new URL('http://h/') });
  assert.match(large.weights.url, /\/resolve\/refs%2Fpr%2F18\/model\.safetensors$/);
  assert.match(large.config.url, /\/resolve\/main\/config\.json$/);
  const clip = locate('openai/clip-vit-base-patch32');
  assert.ok(urls(clip).every((url) => url.includes('/resolve/refs%2Fpr%2F15/')));
  assert.ok(urls(clip).every((url) => url.startsWith('https://')));
  assert.ok(
    urls(locate('openai/clip-vit-base-patch32', { revision: 'abc' })).every((url) =>
      url.includes('/resolve/abc/'),
    ),
  );
});

test('weights have the name that is asked for, or one of the usual ones', () => {
  const folder = 'https://site.example/m/';
  const name = ({ weights: { name, others } }) => [name, ...(others ?? []).map((other) => other.url)];
  const others = [
    ...['model.safetensors.index.json', 'pytorch_model.bin', 'pytorch_model.bin.index.json', 'model.gguf'],
    ...['open_clip_model.safetensors', 'open_clip_pytorch_model.bin'],
    ...['onnx/model_quantized.onnx', 'onnx/model.onnx'],
  ].map((file) => folder + file);
  assert.deepEqual(name(locate(folder)), ['model.safetensors', ...others]);
  assert.deepEqual(name(locate(folder, { weights: 'clip-q8.gguf' })), ['clip-q8.gguf']);
  const hub = { hubUrl: 'https://hub.example' };
  assert.deepEqual(
    name(locate('Salesforce/blip-itm-base-coco', hub)).slice(0, 3),
    ['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin'].map((file, i) =>
      i === 0 ? file : `https://hub.example/Salesforce/blip-itm-base-coco/resolve/main/${file}`,
    ),
  );
  const base = locate('Salesforce/blip-image-captioning-base');
  assert.deepEqual(name(base), ['pytorch_model.bin']);
  assert.match(base.weights.url, /\/resolve\/main\/pytorch_model\.bin$/);
  assert.deepEqual(locate(folder, { weights: 'onnx/model.onnx' }).weights.url, `${folder}onnx/model.onnx`);
  for (const weights of ['../secret', 'a/../b', '/a', 'a/', 'a//b', '.hidden', 'http://elsewhere', '']) {
    assert.throws(() => locate(folder, { weights }), { code: 'argument-invalid' });
  }
});

test('a folder is a folder, with or without its slash', () => {
  for (const model of [
    'https://site.example/a/clip',
    'https://site.example/a/clip/',
    new URL('https://site.example/a/clip'),
  ]) {
    assert.equal(locate(model).config.url, 'https://site.example/a/clip/config.json');
  }
});

test("relative addresses are the page's", (t) => {
  t.after(() => delete globalThis.document);
  globalThis.document = { baseURI: 'https://site.example/sub/index.html' };
  assert.equal(locate('./models/x').weights.url, 'https://site.example/sub/models/x/model.safetensors');
  assert.equal(locate('/x/').weights.url, 'https://site.example/x/model.safetensors');
  assert.equal(locate('../x/').weights.url, 'https://site.example/x/model.safetensors');
  assert.equal(
    locate('a/b', { hubUrl: './hub/' }).config.url,
    'https://site.example/sub/hub/a/b/resolve/main/config.json',
  );
});

test('the built-in model lies in the package, wherever the page is', (t) => {
  t.after(() => delete globalThis.document);
  globalThis.document = { baseURI: 'https://site.example/deep/er/index.html' };
  const folder = new URL('../../pkg/models/ocelli/', import.meta.url).href;
  const { config, weights, beside } = locate('ocelli', { hubUrl: 'http://hub' });
  assert.equal(config.url, `${folder}config.json`);
  assert.deepEqual(weights, { name: 'model.safetensors', url: `${folder}model.safetensors` });
  for (const name of ['decoder_tokenizer.json', 'words.json', 'labels.json']) {
    assert.equal(beside[name], folder + name);
  }
  setBase('../copy');
  assert.equal(locate('ocelli').config.url, 'https://site.example/deep/copy/models/ocelli/config.json');
  for (const base of [5, null, 'http://']) assert.throws(() => setBase(base), { code: 'argument-invalid' });
});

test('a model can be given as the addresses of its files', () => {
  const model = {
    config: 'https://a.example/1',
    preprocessor: new URL('https://b.example/p.json'),
    tokenizer: 'https://c.example/t.json?key=1',
    weights: 'https://d.example/w.gguf',
  };
  const files = locate(model);
  assert.deepEqual(files.config, { name: '1', url: 'https://a.example/1' });
  assert.deepEqual(files.tokenizer, { name: 't.json', url: 'https://c.example/t.json?key=1' });
  assert.deepEqual(files.weights, { name: 'w.gguf', url: 'https://d.example/w.gguf' });
  assert.equal(locate(model, { task: 'classify' }).tokenizer, undefined);
  const words = locate({ ...model, words: 'https://e.example/x' });
  assert.deepEqual(words.beside, { 'words.json': 'https://e.example/x' });
  assert.throws(() => locate({ ...model, weights: undefined }), { message: /weights must be an address/ });
  const known = 'only config, preprocessor, tokenizer, weights, decoderTokenizer, words and labels';
  for (const [key, meant] of Object.entries({
    preprocessor_config: 'preprocessor',
    preprocessorConfig: 'preprocessor',
    preproccessor: 'preprocessor',
    model: 'weights',
    decoder_tokenizer: 'decoderTokenizer',
    vocab: 'tokenizer',
    licence: null,
  })) {
    assert.throws(() => locate({ ...model, [key]: 'x' }), {
      message: `A model has no file "${key}", ${known}${meant ? `; did you mean ${meant}?` : '.'}`,
    });
  }
});

test('a model that is given in another way than it has to be is told how', () => {
  for (const [model, message] of [
    [{ model: 'ocelli' }, 'The name of a model, or its folder, is given as a plain string: load("ocelli").'],
    [{ name: 'a/b', dtype: 'f32' }, /plain string: load\("a\/b"\)/],
    ['./models/mine/model.safetensors', /is a file of a model: give its folder, "\.\/models\/mine\/"\.$/],
    ['https://x.example/m/config.json?key=1', /give its folder, "https:\/\/x\.example\/m\/"\.$/],
    [new URL('https://x.example/m/model.gguf'), /give its folder, "https:\/\/x\.example\/m\/"\.$/],
    ['C:\\models\\model.onnx', /give its folder, "C:\\models\\"\.$/],
    [
      'node_modules/ocelli/models/ocelli',
      /did you mean the folder "\.\/node_modules\/ocelli\/models\/ocelli"\?$/,
    ],
    ['public/model/', /did you mean the folder "\.\/public\/model\/"\?$/],
  ]) {
    assert.throws(() => locate(model), { code: 'argument-invalid', message }, String(model));
  }
  // A folder may be called like a file; its slash tells.
  assert.match(locate('https://x.example/model.bin/').config.url, /\/model\.bin\/config\.json$/);
});

test('what is no model is refused with a sentence', () => {
  for (const model of ['', 'unknown', 'a/b/c', 'a b/c', '.hidden/x', 'http://']) {
    assert.throws(() => locate(model), { code: 'argument-invalid' }, model);
  }
});

test('addresses of bundlers that have no host are given the page’s', (t) => {
  t.after(() => delete globalThis.document);
  globalThis.document = { baseURI: 'https://site.example/deep/er/' };
  // What Turbopack puts in the place of a URL.
  const relative = { href: '/_next/media/config.1.json', toString: () => '/_next/media/config.1.json' };
  assert.equal(absoluteUrl(relative).href, 'https://site.example/_next/media/config.1.json');
  const whole = new URL('https://cdn.example/x.json');
  assert.equal(absoluteUrl(whole).href, whole.href);
});

test('what signs the address of a folder goes with every file of it', () => {
  const { config, weights } = locate('https://store.example/m/?sig=a%2Fb&x=1');
  assert.equal(config.url, 'https://store.example/m/config.json?sig=a%2Fb&x=1');
  assert.equal(weights.others?.[1]?.url, 'https://store.example/m/pytorch_model.bin?sig=a%2Fb&x=1');
});
