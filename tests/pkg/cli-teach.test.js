// `ocelli teach` and `ocelli tag --teacher`, run as a shell runs them.

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { folderOf, ocelli, ROOT, skip } from './support/cli.js';

const DRAWINGS = path.join(ROOT, 'tests/images/drawings');

/** A folder of examples for each of two labels that nobody has heard of. @param {string} cwd */
function examplesIn(cwd) {
  for (const [label, thing] of [
    ['blick', 'butterfly'],
    ['zorp', 'rocket'],
  ]) {
    for (const style of ['noto', 'twemoji', 'fluent-emoji']) {
      cpSync(path.join(DRAWINGS, `${style}-${thing}.png`), path.join(cwd, 'examples', label, `${style}.png`));
    }
  }
}

test('labels are taught by folders, kept in a file, and asked for', { skip }, async (t) => {
  const cwd = folderOf(t);
  examplesIn(cwd);
  const run = (...args) => ocelli([...args, '--threads', '1'], { cwd });
  const made = await run('teach', 'examples', '--also', 'pizza,chair', '--out', 'made.json');
  assert.deepEqual(made, { code: 0, out: '', err: 'ocelli: learnt 2 labels from 6 pictures.\n' });
  const saved = JSON.parse(readFileSync(path.join(cwd, 'made.json'), 'utf8'));
  assert.deepEqual(
    [saved.labels, saved.examples],
    [
      ['blick', 'zorp', 'pizza', 'chair'],
      [3, 3, 0, 0],
    ],
  );

  const pictures = ['butterfly', 'rocket', 'pizza'].map((thing) =>
    path.join(DRAWINGS, `openmoji-${thing}.png`),
  );
  const tagged = await run('tag', ...pictures, '--teacher', 'made.json', '--top', '1', '--json');
  const best = tagged.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).tags[0].label);
  assert.deepEqual(best, ['blick', 'zorp', 'pizza']);
  const among = await run(
    'tag',
    pictures[1],
    '--teacher',
    'made.json',
    '--labels',
    'lake,zorp',
    '--top',
    '1',
    '--json',
  );
  assert.equal(JSON.parse(among.out).tags[0].label, 'zorp');

  const again = await run('teach', 'examples', '--out', 'made.json');
  assert.deepEqual([again.code, again.out], [2, '']);
  assert.match(again.err, /made\.json is there already: give --force to replace it\./);
  const printed = await run('teach', 'examples', '--out', '-');
  assert.deepEqual(JSON.parse(printed.out).labels, ['blick', 'zorp']);
});

test('what cannot be learnt from is one sentence, and nothing is written', { skip }, async (t) => {
  const cwd = folderOf(t);
  examplesIn(cwd);
  mkdirSync(path.join(cwd, 'empty/nothing'), { recursive: true });
  writeFileSync(path.join(cwd, 'other.json'), '{"format":"zip"}');
  const refused = async (code, sentence, ...args) => {
    const { code: found, err } = await ocelli([...args, '--threads', '1'], { cwd });
    assert.equal(found, code, err);
    assert.match(err, sentence);
    assert.ok(!existsSync(path.join(cwd, 'made.json')));
  };
  const out = ['--out', 'made.json'];
  await refused(2, /One folder is needed/, 'teach', ...out);
  await refused(2, /There is no folder missing\./, 'teach', 'missing', ...out);
  await refused(2, /Where to\?/, 'teach', 'examples');
  await refused(2, /examples\/zorp has no folders/, 'teach', 'examples/zorp', ...out);
  await refused(2, /There is no picture in empty\/nothing/, 'teach', 'empty', ...out);
  writeFileSync(path.join(cwd, 'examples/zorp/broken.png'), 'no picture');
  await refused(3, /examples\/zorp\/broken\.png: /, 'teach', 'examples', ...out);
  const picture = 'examples/zorp/noto.png';
  await refused(2, /There is no file missing\.json/, 'tag', picture, '--teacher', 'missing.json');
  await refused(2, /nothing that a teacher has saved/, 'tag', picture, '--teacher', 'other.json');
});
