// The server of Next, which is a Node that renders pages.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Captioner, loadVocabulary, Tagger } from '../../pkg/src/node.js';

test('what is loaded on the server of Next is refused with the remedy', async (t) => {
  process.env.NEXT_RUNTIME = 'nodejs';
  t.after(() => delete process.env.NEXT_RUNTIME);
  const refused = {
    name: 'WorkerError',
    code: 'unsupported-browser',
    message: /^This is the server of Next: load models and the vocabulary in the browser, /,
  };
  for (const call of [
    () => loadVocabulary(),
    () => Tagger.load('ocelli'),
    () => Captioner.load('ocelli'),
    () => Tagger.load('./models/mine/'),
    () => Tagger.load('openai/clip-vit-base-patch32'),
  ]) {
    await assert.rejects(call(), refused, String(call));
  }
  delete process.env.NEXT_RUNTIME;
  assert.ok((await loadVocabulary()).tags.length > 1000);
});

test('the README of Next says how, and how not', () => {
  const readme = readFileSync(new URL('../../pkg/README.md', import.meta.url), 'utf8');
  const [, next = ''] = /### Next\n(.*?)\n### /s.exec(readme) ?? [];
  assert.match(next, /source: '\/:path\*'/);
  assert.match(next, /Not like this:.*Like this:/s);
  assert.match(next, /serverExternalPackages/);
});
