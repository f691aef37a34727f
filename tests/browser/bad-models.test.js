// Models that are missing, broken, slow or dying: each is answered with its sentence, pictures stay, and the
// way back to the built-in model is one button.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { NOT_IN_FIREFOX, openBrowser } from './support/browser.js';
import { assertSentence, fewLabels, openSite, Visit } from './support/site.js';
import { plain } from './support/pictures.js';

/** Models of published architectures, whose files are then broken. */
const TRAINED = fileURLToPath(new URL('../golden/trained', import.meta.url));
const BUILT_IN = { tag: path.join(TRAINED, 'clip-tiny'), caption: path.join(TRAINED, 'blip-tiny') };
const NOT_JSON = '{"model_type": "clip", "vision_';
const WEIGHTS = 'model.safetensors';

/** A safetensors file that is in order, and holds no tensor that any model wants. */
function strangeWeights() {
  const header = Buffer.from('{"stranger":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(4)]);
}

const whole = readFileSync(path.join(BUILT_IN.tag, WEIGHTS));

/**
 * What is wrong with a model: the file that differs from the built-in model's and what stands in its place
 * (`null`: nothing, the server answers 404).
 * @type {Record<string, { file: string, instead: Buffer | string | null, code: string }>}
 */
const BROKEN = {
  'no-config': { file: 'config.json', instead: null, code: 'not-found' },
  'bad-config': { file: 'config.json', instead: NOT_JSON, code: 'config-invalid' },
  'strange-config': { file: 'config.json', instead: '{"model_type": "bert"}', code: 'config-invalid' },
  'no-preprocessor': { file: 'preprocessor_config.json', instead: null, code: 'not-found' },
  'bad-preprocessor': { file: 'preprocessor_config.json', instead: '[1, 2', code: 'preprocessor-invalid' },
  'no-tokenizer': { file: 'tokenizer.json', instead: null, code: 'not-found' },
  'bad-tokenizer': { file: 'tokenizer.json', instead: '{"version": "1.0"}', code: 'tokenizer-invalid' },
  'no-weights': { file: WEIGHTS, instead: null, code: 'not-found' },
  'bad-weights': { file: WEIGHTS, instead: Buffer.alloc(4096, 0x5a), code: 'weights-invalid' },
  'cut-weights': { file: WEIGHTS, instead: whole.subarray(0, whole.length >> 1), code: 'weights-truncated' },
  'strange-weights': { file: WEIGHTS, instead: strangeWeights(), code: 'weights-mismatch' },
  'html-weights': { file: WEIGHTS, instead: '<!doctype html><title>Sign in</title>', code: 'not-a-model' },
};

const scratch = mkdtempSync(path.join(tmpdir(), 'ocelli-broken-'));
for (const [kind, { instead }] of Object.entries(BROKEN)) {
  if (instead !== null) {
    writeFileSync(path.join(scratch, `${kind}${kind.startsWith('html') ? '.html' : ''}`), instead);
  }
}

/** @param {string} rest "<kind>/<file>" @returns {string | null} */
function brokenFile(rest) {
  const [kind = '', file = ''] = rest.split('/');
  const broken = BROKEN[kind];
  if (!broken) return null;
  if (file !== broken.file) return path.join(BUILT_IN.tag, file);
  return broken.instead === null
    ? null
    : path.join(scratch, `${kind}${kind.startsWith('html') ? '.html' : ''}`);
}

const browser = await openBrowser();
const site = await openSite({ ...fewLabels, 'broken/': brokenFile });
test.after(async () => {
  await browser.close();
  await site.close();
  rmSync(scratch, { recursive: true });
});

/** The browser itself notes in its console what a server refused. */
const REFUSED = /Failed to load resource/;

test('a model that cannot be loaded says why; pictures wait and are tagged by the next one', async (t) => {
  const visit = await Visit.begin(browser, site.url);
  await visit.drop(plain('kept.png'));
  await visit.settled('kept.png');
  const before = await visit.read('kept.png');
  const notice = visit.page.locator('#tag-notice');

  for (const [kind, { code }] of Object.entries(BROKEN)) {
    await t.test(`${kind}: ${code}`, async () => {
      await visit.use('tag', `./broken/${kind}/`);
      await visit.page.locator('#tag-notice[data-status="failed"]').waitFor();
      const line = notice.locator('.notice-line');
      const sentence = await line.innerText();
      assert.equal(await line.getAttribute('data-code'), code, sentence);
      assertSentence(sentence);
      assert.deepEqual((await visit.read('kept.png')).tags, before.tags, 'the tags so far stay');
      await notice.getByRole('button', { name: 'Use the built-in model' }).click();
      await visit.page.locator('#tag-notice[data-status="ready"]').waitFor({ state: 'attached' });
      await visit.settled('kept.png');
      assert.deepEqual(
        await visit.read('kept.png'),
        before,
        'back with the built-in model, the tags are the same',
      );
    });
  }

  await t.test('an id that is none', async () => {
    await visit.use('tag', 'no model at all');
    await visit.page.locator('#tag-notice[data-status="failed"]').waitFor();
    assert.equal(await notice.locator('.notice-line').getAttribute('data-code'), 'argument-invalid');
  });

  await t.test('a picture that comes while no model is there waits for one', async () => {
    await visit.drop(plain('waiting.png', { colour: [10, 200, 10] }));
    await visit.page.locator('picture-card[data-state="waiting"]').first().waitFor();
    await notice.getByRole('button', { name: 'Use the built-in model' }).click();
    await visit.settled('waiting.png');
  });

  await visit.stillWorks(plain('afterwards.png'));
  await visit.end({ expected: [REFUSED] });
});

test('after a failure the same model can be tried again', async () => {
  let present = false;
  const flaky = await openSite({
    ...fewLabels,
    'flaky/': (rest) => (present ? path.join(BUILT_IN.caption, rest) : null),
  });
  const visit = await Visit.begin(browser, flaky.url);
  await visit.drop(plain('patient.png'));
  await visit.use('caption', './flaky/');
  await visit.page.locator('#caption-notice[data-status="failed"]').waitFor();
  present = true;
  await visit.page.locator('#caption-notice').getByRole('button', { name: 'Try again' }).click();
  await visit.settled('patient.png');
  assert.notEqual((await visit.read('patient.png')).caption, '');
  await visit.end({ expected: [REFUSED] });
  await flaky.close();
});

test('a download shows its bytes and can be cancelled; a hub of one’s own is asked at its address', async () => {
  /** @type {string[]} */
  const asked = [];
  let hangUps = 0;
  // A hub that gives the small files at once and then trickles the weights of a model of 605 MB.
  const hub = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    const name = path.basename(request.url ?? '');
    if (name !== WEIGHTS) return void response.end(readFileSync(path.join(BUILT_IN.tag, name)));
    response.writeHead(200, { 'Content-Length': 605_000_000 });
    response.write(whole.subarray(0, 1 << 16));
    const drip = setInterval(() => response.write(Buffer.alloc(1024)), 50);
    response.on('close', () => {
      clearInterval(drip);
      hangUps += 1;
    });
  });
  await new Promise((resolve) => hub.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (hub.address());
  const base = `http://localhost:${port}/`;

  const visit = await Visit.begin(browser, `${site.url}?base=${encodeURIComponent(base)}`);
  await visit.drop(plain('kept.png'));
  await visit.settled('kept.png');
  const before = await visit.read('kept.png');

  const picker = visit.page.locator('#tag-picker');
  await visit.openModels();
  await picker.locator('select').selectOption('openai/clip-vit-base-patch32');
  await picker.getByRole('button', { name: /^Download \d+ MB and use$/ }).click();
  const notice = visit.page.locator('#tag-notice');
  await notice.getByText(/^Downloading CLIP B\/32: \d+\.\d of \d+ MB$/).waitFor();
  await notice.getByRole('button', { name: 'Cancel' }).click();
  await notice.getByText('Loading CLIP B/32 was cancelled.').waitFor();
  for (let tries = 0; tries < 100 && hangUps === 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(hangUps, 1, 'the download has really ended');
  const weights = asked.find((url) => url.endsWith(WEIGHTS));
  assert.match(weights ?? '', /^\/openai\/clip-vit-base-patch32\/resolve\/[^/]+\/model\.safetensors$/);
  assert.deepEqual((await visit.read('kept.png')).tags, before.tags);

  await notice.getByRole('button', { name: 'Use the built-in model' }).click();
  await visit.settled('kept.png');
  await visit.stillWorks(plain('afterwards.png'));
  await visit.end({ origins: [new URL(base).origin] });
  hub.closeAllConnections();
  hub.close();
});

test('nobody at the hub: the sentence says that it could not be reached', async () => {
  const visit = await Visit.begin(browser, `${site.url}?base=http://localhost:9/`);
  await visit.use('tag', 'someone/something');
  await visit.page.locator('#tag-notice[data-status="failed"]').waitFor();
  const line = visit.page.locator('#tag-notice .notice-line');
  assert.equal(await line.getAttribute('data-code'), 'network');
  assertSentence(await line.innerText());
  await visit.page.locator('#tag-notice').getByRole('button', { name: 'Use the built-in model' }).click();
  await visit.stillWorks(plain('afterwards.png'));
  await visit.end({ expected: [/Failed to load resource|ERR_/], origins: ['http://localhost:9'] });
});

test(
  'a worker that dies takes one answer with it, not the page',
  { skip: NOT_IN_FIREFOX.workers },
  async () => {
    const visit = await Visit.begin(browser, `${site.url}?threads=1`);
    await visit.ready();
    // On one thread: those of a pool are workers too.
    const workers = visit.page.workers();
    assert.equal(workers.length, 1, 'one worker for tags and captions');
    for (const worker of workers) {
      await worker.evaluate(() => {
        addEventListener(
          'message',
          () =>
            setTimeout(() => {
              throw new Error('deliberate crash');
            }),
          { once: true },
        );
      });
    }
    await visit.drop(plain('unlucky.png'));
    await visit.settled('unlucky.png', 'failed');
    const { errors } = await visit.read('unlucky.png');
    assert.deepEqual([...new Set(errors.map(({ code }) => code))], ['worker-failed']);
    errors.forEach(({ sentence }) => assertSentence(sentence));

    await visit.page.getByRole('button', { name: 'Try again with unlucky.png' }).click();
    await visit.settled('unlucky.png');
    await visit.stillWorks(plain('afterwards.png'));
    await visit.end({ expected: [/deliberate crash/] });
  },
);
