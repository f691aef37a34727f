// The package in a plain page: pictures that only a browser has, policies that forbid things, and what modern JavaScript
// expects of an object.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { ROOT } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/serve.mjs';
import { IN_FIREFOX, openBrowser } from './support/browser.js';

const PACKAGE = path.join(ROOT, 'pkg');
const AVIF = path.join(ROOT, '../shared/reports/images/other.avif');

const browser = await openBrowser();
const folder = mkdtempSync(path.join(tmpdir(), 'ocelli-package-'));
writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>package</title>');
const mounts = { '/ocelli/': PACKAGE, '/samples/': path.join(ROOT, 'www/samples') };
const site = await serve({ root: folder, mounts });
test.after(async () => {
  await browser.close();
  await site.close();
  rmSync(folder, { recursive: true });
});

/**
 * Runs a function in a page that has the package, and a tagger unless `load` is false.
 * @template A, R
 * @param {(given: any, more: A) => R | Promise<R>} what
 * @param {A} [more]
 * @param {{ url?: string, load?: boolean }} [options]
 */
async function inPage(what, more, { url = site.url, load = true } = {}) {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    return await page.evaluate(
      async ({ source, more, load }) => {
        const ocelli = await import('/ocelli/dist/index.js');
        const tagger = load ? await ocelli.Tagger.load('ocelli', { threads: 1 }) : null;
        try {
          return await (0, eval)(`(${source})`)({ ...ocelli, tagger }, more);
        } finally {
          tagger?.dispose();
        }
      },
      { source: String(what), more, load },
    );
  } finally {
    await page.close();
  }
}

const LABELS = ['a cat', 'a cup of coffee', 'a car'];

test('the calls of transformers.js share the page, its classes and its worker with all else', async () => {
  const found = await inPage(async ({ tagger, OcelliError }, labels) => {
    const { pipeline, Tensor } = await import('/ocelli/dist/pipeline.js');
    const classify = await pipeline('zero-shot-image-classification', 'ocelli', { threads: 1 });
    const embed = await pipeline('image-feature-extraction', 'ocelli', { threads: 1 });
    const canvas = new OffscreenCanvas(40, 30);
    canvas.getContext('2d').fillRect(5, 5, 20, 10);
    const { data } = canvas.getContext('2d').getImageData(0, 0, 40, 30);
    const raw = { data, width: 40, height: 30, channels: 4 };
    const template = 'This is a photo of {}';
    const own = await tagger.tag('/samples/cat.webp', labels, { template });
    const features = await embed([canvas, raw, '/samples/cat.webp']);
    const error = await pipeline('paint').catch((error) => error);
    const answers = {
      each: await classify(['/samples/cat.webp', raw], labels),
      own: own.map(({ label, score }) => ({ label, score })),
      tensor: features instanceof Tensor,
      dims: features.dims,
      ours: error instanceof OcelliError,
      scripts: performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
    };
    await classify.dispose();
    await embed.dispose();
    return answers;
  }, LABELS);
  assert.deepEqual(found.each[0], found.own);
  assert.equal(found.each[0][0].label, 'a cat');
  assert.equal(found.each[1].length, LABELS.length);
  assert.deepEqual([found.tensor, found.ours], [true, true]);
  assert.equal(found.dims[0], 3);
  const scripts = found.scripts.filter((path) => path.startsWith('/ocelli/dist/'));
  const names = ['index.js', 'shared.js', 'pipeline.js'].map((name) => `/ocelli/dist/${name}`);
  for (const name of names) assert.equal(scripts.filter((path) => path === name).length, 1, name);
  assert.ok(scripts.filter((path) => path === '/ocelli/dist/worker.js').length <= 1, 'one worker');
});

test('several pictures are tagged in their order, each as alone', async () => {
  const progress = await inPage(async ({ tagger }, labels) => {
    const images = ['/samples/cat.webp', new URL('/samples/coffee.webp', location.href)];
    const phases = [];
    const all = await tagger.tag(images, labels, {
      onProgress: ({ phase, loaded, total }) => phase === 'image' && phases.push(loaded / total),
    });
    const alone = [await tagger.tag(images[0], labels), await tagger.tag(images[1], labels)];
    return {
      same: JSON.stringify(all) === JSON.stringify(alone),
      best: all.map(([tag]) => tag.label),
      phases,
    };
  }, LABELS);
  assert.ok(progress.same);
  assert.deepEqual(progress.best, ['a cat', 'a cup of coffee']);
  assert.ok(progress.phases.length > 0 && progress.phases.every((x, i, all) => i === 0 || x >= all[i - 1]));
});

test('frames of videos, drawings and whatever else the browser shows are pictures', async () => {
  const seen = await inPage(async ({ tagger }, labels) => {
    const best = async (image) => (await tagger.tag(image, labels))[0].label;
    const picture = new Image();
    picture.src = '/samples/cat.webp';
    await picture.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    const context = canvas.getContext('2d');
    context.drawImage(picture, 0, 0);
    const found = {};
    if (typeof VideoFrame === 'function') {
      const frame = new VideoFrame(canvas, { timestamp: 0 });
      found.frame = await best(frame);
      frame.close();
      found.closed = await best(frame).catch(({ code }) => code);
    }
    const video = document.createElement('video');
    found.empty = await best(video).catch(({ code, message }) => `${code}: ${message}`);
    video.muted = true;
    video.srcObject = canvas.captureStream(10);
    const drawing = setInterval(() => context.drawImage(picture, 0, 0), 50);
    await video.play();
    found.video = await best(video);
    clearInterval(drawing);
    const data = canvas.toDataURL('image/png');
    const svg = `<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><image href="${data}" width="100" height="100"/></svg>`;
    found.svg = await best(new Blob([svg], { type: 'image/svg+xml' }));
    found.svgBytes = await best(new TextEncoder().encode(svg));
    found.badSvg = await best(new Blob(['<svg xmlns="http://www.w3.org/2000/svg"><'])).catch(
      ({ code }) => code,
    );
    return found;
  }, LABELS);
  const { frame = 'a cat', closed = 'image-unreadable', ...rest } = seen;
  assert.deepEqual([frame, closed], ['a cat', 'image-unreadable']);
  assert.deepEqual(rest, {
    empty: 'image-unreadable: The video shows no frame yet: wait for its event loadeddata.',
    video: 'a cat',
    svg: 'a cat',
    svgBytes: 'a cat',
    badSvg: 'image-damaged',
  });
});

test(
  'AVIF is read where the browser reads it',
  { skip: !existsSync(AVIF) && 'there is no ../shared/reports' },
  async () => {
    const bytes = [...readFileSync(AVIF)];
    const scores = await inPage(async ({ tagger }, given) => {
      const blob = new Blob([new Uint8Array(given)]);
      const image = new Image();
      image.src = URL.createObjectURL(blob);
      await image.decode();
      const labels = ['red', 'green', 'blue'];
      const both = [await tagger.tag(blob, labels), await tagger.tag(await createImageBitmap(image), labels)];
      return both.map((tags) => tags.map(({ score }) => score));
    }, bytes);
    scores[0].forEach((score, i) => assert.ok(Math.abs(score - scores[1][i]) < 0.05));
  },
);

test('a format that neither knows is named', async () => {
  const sentences = await inPage(async ({ tagger }) => {
    const heads = {
      HEIC: [0, 0, 0, 24, ...'ftypheic'].map((x) => (typeof x === 'string' ? x.charCodeAt(0) : x)),
      PDF: [...'%PDF-1.7'].map((x) => x.charCodeAt(0)),
    };
    const said = {};
    for (const [name, head] of Object.entries(heads)) {
      const bytes = new Uint8Array(100);
      bytes.set(head);
      said[name] = await tagger.tag(bytes, ['a']).catch(({ code, message }) => `${code}: ${message}`);
    }
    return said;
  });
  for (const [name, sentence] of Object.entries(sentences)) {
    assert.match(String(sentence), RegExp(`^image-unsupported: The picture is in ${name} format, .*\\.$`));
  }
});

test('a signal that times out says so, and models can be disposed of by the language', async () => {
  const { name, code, disposed } = await inPage(async ({ tagger }) => {
    const signal = AbortSignal.timeout(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const error = await tagger.tag('/samples/cat.webp', ['a'], { signal }).catch((reason) => reason);
    if (Symbol.dispose) tagger[Symbol.dispose]();
    else tagger.dispose();
    const after = await tagger.tag('/samples/cat.webp', ['a']).catch((reason) => reason.code);
    return { name: error.name, code: error.code, disposed: after };
  });
  assert.deepEqual([name, code, disposed], ['TimeoutError', 'aborted', 'disposed']);
});

test('the wasm and the files of a model may lie anywhere', async (t) => {
  const elsewhere = await serve({
    root: folder,
    mounts: { '/w/': path.join(PACKAGE, 'wasm'), '/m/': path.join(PACKAGE, 'models/ocelli') },
    headers: { 'Access-Control-Allow-Origin': '*' },
  });
  t.after(() => elsewhere.close());
  const { tags, variant, missing } = await inPage(
    async ({ Tagger }, { wasm, files }) => {
      const model = Object.fromEntries(
        Object.entries({
          config: 'config.json',
          preprocessor: 'preprocessor_config.json',
          tokenizer: 'tokenizer.json',
          weights: 'model.safetensors',
          decoderTokenizer: 'decoder_tokenizer.json',
          words: 'words.json',
        }).map(([key, name]) => [key, files + name]),
      );
      const tagger = await Tagger.load(model, { wasmUrl: wasm, threads: 1 });
      const tags = await tagger.tag('/samples/cat.webp', ['a cat', 'a dog']);
      const { variant } = tagger.runtime;
      tagger.dispose();
      const one = { wasmUrl: `${wasm}nothing.wasm`, variant: 'relaxed' };
      const missing = await Tagger.load('ocelli', one).catch(({ code, message }) => `${code}: ${message}`);
      return { tags, variant, missing };
    },
    { wasm: `${elsewhere.url}w/`, files: `${elsewhere.url}m/` },
    { load: false },
  );
  assert.equal(tags[0].label, 'a cat');
  assert.ok(['relaxed', 'simd128'].includes(variant));
  assert.match(missing, /worker-failed: .*the server answered 404 for .*nothing\.wasm|unsupported-browser/);
});

for (const [name, headers, sentence] of /** @type {[string, Record<string, string>, RegExp][]} */ ([
  [
    'WebAssembly',
    {
      'Content-Security-Policy':
        "script-src 'self' 'unsafe-eval'; script-src-elem 'self'; worker-src 'self'; connect-src 'none'",
    },
    /connect-src needs http:\/\/localhost/,
  ],
  [
    'workers',
    { 'Content-Security-Policy': "script-src 'self' 'unsafe-eval'; worker-src 'none'" },
    /content security policy forbids ocelli's worker: its worker-src needs http:\/\/localhost/,
  ],
])) {
  test(`a policy that forbids ${name} is named, with the remedy`, async (t) => {
    const strict = await serve({ root: folder, mounts, headers });
    t.after(() => strict.close());
    const error = await inPage(
      ({ Tagger }) =>
        Tagger.load('ocelli').then(
          () => 'loaded',
          ({ code, message }) => `${code}: ${message}`,
        ),
      undefined,
      { url: strict.url, load: false },
    );
    assert.match(error, sentence);
  });
}

test(
  'Trusted Types let the worker start by a policy of its name',
  { skip: IN_FIREFOX && 'Chromium’s' },
  async (t) => {
    for (const [allowed, outcome] of [
      ['ocelli', /^loaded$/],
      ['another', /worker-failed: .*allow the policy `ocelli`/],
    ]) {
      const policy = `require-trusted-types-for 'script'; trusted-types ${allowed}`;
      const strict = await serve({ root: folder, mounts, headers: { 'Content-Security-Policy': policy } });
      t.after(() => strict.close());
      const page = await browser.newPage();
      await page.goto(strict.url);
      const said = await page.evaluate(async () => {
        const { Tagger } = await import('/ocelli/dist/index.js');
        return Tagger.load('ocelli').then(
          () => 'loaded',
          ({ code, message }) => `${code}: ${message}`,
        );
      });
      await page.close();
      assert.match(said, outcome);
    }
  },
);

test('a sandboxed frame is named, with the remedy', async (t) => {
  // The frame's origin is none: it reads what every page may read.
  const open = await serve({ root: folder, mounts, headers: { 'Access-Control-Allow-Origin': '*' } });
  t.after(() => open.close());
  const page = await browser.newPage();
  await page.goto(open.url);
  const said = await page.evaluate(
    (base) =>
      new Promise((resolve) => {
        addEventListener('message', ({ data }) => resolve(data), { once: true });
        const frame = document.createElement('iframe');
        frame.sandbox.add('allow-scripts');
        frame.srcdoc = `<script type="module">
          import { Tagger } from '${base}ocelli/dist/index.js';
          Tagger.load('ocelli').then(() => 'loaded', ({ code, message }) => code + ': ' + message)
            .then((said) => parent.postMessage(said, '*'));
        </script>`;
        document.body.append(frame);
        setTimeout(() => resolve('nothing'), 20_000);
      }),
    open.url,
  );
  await page.close();
  assert.match(String(said), /worker-failed: .*the sandbox needs allow-same-origin/);
});
