import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { Embedder } from '../../pkg/src/index.js';
import { namedTextModel } from '../../pkg/src/worker/operations/named-text-model.js';
import { FakeBackend } from './support/fake-backend.js';
import { workerFactory } from './support/fake-worker.js';
import { read } from './support/golden.js';
import { bytes, serveRoutes } from './support/server.js';

/** Text towers that an `open_clip_config.json` names, and that lie in repositories of their own: over the real wasm. */

const folder = new URL('../../pkg/wasm/', import.meta.url);
const skip = !existsSync(new URL('simd128_bg.wasm', folder)) && 'pkg/wasm is not built (npm run build:wasm)';

/** @type {any} */
let wasm;
if (!skip) {
  wasm = await import(new URL('simd128.js', folder).href);
  wasm.initSync({ module: readFileSync(new URL('simd128_bg.wasm', folder)) });
}

const GOLDEN = 'tests/golden/models/open-clip-xlm-roberta';
const MODEL = '/lab/clip/resolve/main';
const TEXT = '/lab/text/resolve/main';
const WORDS = '/lab/words/resolve/main';

const { model_cfg, ...rest } = JSON.parse(String(read(`${GOLDEN}/config.json`)));
const { hf_config, ...text_cfg } = model_cfg.text_cfg;

/** The golden model as it is published: its text tower is described, and its tokenizer lies, elsewhere. */
function routes({ text = { ...hf_config, model_type: 'roberta' }, changed = {} } = {}) {
  const named = { ...text_cfg, hf_model_name: 'lab/text', hf_tokenizer_name: 'lab/words' };
  return {
    [`${MODEL}/open_clip_config.json`]: bytes(
      JSON.stringify({ ...rest, model_cfg: { ...model_cfg, text_cfg: named } }),
    ),
    [`${MODEL}/open_clip_model.safetensors`]: bytes(read(`${GOLDEN}/model.safetensors`)),
    [`${TEXT}/config.json`]: bytes(JSON.stringify(text)),
    [`${WORDS}/tokenizer.json`]: bytes(read('tests/golden/text/xlm-roberta.tokenizer.json')),
    ...changed,
  };
}

async function load(t, given, model = 'lab/clip', backend = new FakeBackend()) {
  const { url, requests } = await serveRoutes(t, given);
  const { worker } = workerFactory(wasm, { backend: async () => backend });
  const embedder = await Embedder.load(model.replace('SERVER', url), { hubUrl: url, dtype: 'f32', worker });
  t.after(() => embedder.dispose());
  const [vector] = await embedder.embedTexts(['a photo of a cat']);
  return { vector: [...vector], requests };
}

/** The same model with all beside it. */
const whole = () => ({
  '/m/open_clip_config.json': bytes(read(`${GOLDEN}/config.json`)),
  '/m/open_clip_model.safetensors': bytes(read(`${GOLDEN}/model.safetensors`)),
  '/m/tokenizer.json': bytes(read('tests/golden/text/xlm-roberta.tokenizer.json')),
});

test(
  'a text tower that is named is described where its name says, and so is its tokenizer',
  { skip },
  async (t) => {
    const beside = await load(t, whole(), 'SERVER/m/');
    const backend = new FakeBackend();
    const named = await load(t, routes(), 'lab/clip', backend);
    assert.deepEqual(named.vector, beside.vector);
    // From a folder in the hub's layout it is the same.
    const inFolder = await load(t, routes(), `SERVER${MODEL}/`);
    assert.deepEqual(inFolder.vector, beside.vector);
  },
);

test('what was kept of such a model needs none of it again', { skip }, async (t) => {
  const backend = new FakeBackend();
  const { url, requests } = await serveRoutes(t, routes());
  for (const time of ['first', 'second']) {
    const { worker } = workerFactory(wasm, { backend: async () => backend });
    const embedder = await Embedder.load('lab/clip', { hubUrl: url, dtype: 'f32', worker });
    embedder.dispose();
    assert.equal(requests.splice(0).length > 0, time === 'first', time);
  }
});

test(
  'what is not there is told by its address, and a tower of another kind by its type',
  { skip },
  async (t) => {
    const without = (path) => routes({ changed: { [path]: undefined } });
    await assert.rejects(load(t, without(`${TEXT}/config.json`)), {
      code: 'not-found',
      message: /lab\/text\/resolve\/main\/config\.json/,
    });
    await assert.rejects(load(t, without(`${WORDS}/tokenizer.json`)), {
      code: 'not-found',
      message: /lab\/words\/resolve\/main\/tokenizer\.json/,
    });
    await assert.rejects(load(t, routes({ text: { ...hf_config, model_type: 'deberta' } })), {
      code: 'config-invalid',
      message: /model_type must be "roberta", "xlm-roberta" or "camembert", not "deberta"/,
    });
    await assert.rejects(load(t, routes({ changed: { [`${TEXT}/config.json`]: bytes('[]') } })), {
      code: 'config-invalid',
      message: /no object in JSON .*lab\/text/,
    });
  },
);

test('outside of a hub a name says nothing', { skip }, async (t) => {
  const moved = Object.entries(routes()).map(([path, route]) => [path.replace(MODEL, '/m'), route]);
  await assert.rejects(load(t, Object.fromEntries(moved), 'SERVER/m/'), {
    code: 'not-found',
    message: /tokenizer\.json/,
  });
});

test('a configuration that a bundler has put into its address has nothing beside it', () => {
  const config = { model_cfg: { text_cfg: { hf_model_name: 'lab/text', hf_tokenizer_name: 'lab/words' } } };
  for (const described of [{}, config]) {
    const content = JSON.stringify(described);
    const file = { name: 'config.json', url: `data:application/json;base64,${btoa(content)}` };
    assert.deepEqual(namedTextModel(new TextEncoder().encode(content), file), {
      config: null,
      tokenizer: null,
    });
  }
});
