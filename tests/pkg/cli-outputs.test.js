// What the command line writes, and what it refuses to replace.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { CAT, COFFEE, folderOf, lines, ocelli, ROOT, skip } from './support/cli.js';

const posix = skip || (process.platform === 'win32' && 'there are no devices');

test('what is not of the command is not replaced, whatever the form', { skip }, async (t) => {
  const cwd = folderOf(t);
  const texts = path.join(cwd, 'texts.txt');
  writeFileSync(texts, 'a cat\na dog\n');
  for (const name of ['x.jsonl', 'x.npy', 'x.parquet', 'x.csv']) {
    for (const mine of ['mine', 'mine\n', '{"path":"a"}\n', '']) {
      if (mine === '' && /jsonl|csv/.test(name)) continue; // An empty file has nothing to lose.
      const file = path.join(cwd, name);
      writeFileSync(file, mine);
      const command = name === 'x.csv' ? 'tag' : 'embed';
      const refused = await ocelli([command, CAT, '--out', file]);
      assert.equal(refused.code, 2, `${name}: ${mine}`);
      assert.match(refused.err, /not of this command, or was made with other settings: give --force/);
      assert.equal(readFileSync(file, 'utf8'), mine);
    }
    if (name === 'x.csv') continue;
    const refused = await ocelli(['embed', '--text', texts, '--out', name], { cwd });
    assert.equal(refused.code, 2);
    assert.match(refused.err, /x\.\w+ is there already: give --force to replace it/);
    assert.equal((await ocelli(['embed', '--text', texts, '--out', name, '--force'], { cwd })).code, 0);
    assert.ok(statSync(path.join(cwd, name)).size > 100);
  }
  // The names beside an array are somebody's, too.
  writeFileSync(path.join(cwd, 'y.npy.names.jsonl'), 'mine');
  assert.equal((await ocelli(['embed', '--text', texts, '--out', 'y.npy'], { cwd })).code, 2);
  assert.equal((await ocelli(['embed', CAT, '--out', 'y.npy'], { cwd })).code, 2);
  assert.equal(readFileSync(path.join(cwd, 'y.npy.names.jsonl'), 'utf8'), 'mine');
});

test('tables of an earlier run are gone on with', { skip }, async (t) => {
  const cwd = folderOf(t);
  cpSync(CAT, path.join(cwd, 'a\nb.webp'));
  cpSync(COFFEE, path.join(cwd, 'coffee.webp'));
  for (const name of ['x.npy', 'x.parquet']) {
    const file = path.join(cwd, name);
    const run = (...args) => ocelli(['embed', ...args, '--out', name, '--quiet'], { cwd });
    assert.equal((await run('a\nb.webp', 'coffee.webp')).code, 0);
    const whole = readFileSync(file);
    assert.equal((await run('a\nb.webp', '--force')).code, 0);
    assert.ok(statSync(file).size < whole.length, 'anew');
    assert.equal((await run('coffee.webp')).code, 0);
    assert.deepEqual(readFileSync(file), whole);
    assert.equal((await run('coffee.webp')).code, 0);
    assert.deepEqual(readFileSync(file), whole);
    assert.equal((await run('coffee.webp', '--dtype', 'f32')).code, 2, 'other settings');
    assert.equal((await run('nothing-*')).code, 2);
    assert.deepEqual(readFileSync(file), whole);
  }
  const names = lines(readFileSync(path.join(cwd, 'x.npy.names.jsonl'), 'utf8'));
  assert.deepEqual(
    names.map((line) => JSON.parse(line).path),
    ['a\nb.webp', 'coffee.webp'],
  );
  assert.ok(
    readdirSync(cwd).every((name) => !name.includes('part')),
    String(readdirSync(cwd)),
  );
});

test('a table of CSV is gone on with, whatever the pictures are called', { skip }, async (t) => {
  const cwd = folderOf(t);
  cpSync(CAT, path.join(cwd, 'a\n"b".webp'));
  const args = ['tag', '.', '--top', '1', '--out', 't.csv'];
  assert.equal((await ocelli(args, { cwd })).code, 0);
  const whole = readFileSync(path.join(cwd, 't.csv'), 'utf8');
  assert.match(whole, /\n"a\n""b""\.webp",/);
  assert.deepEqual(await ocelli(args, { cwd }), { code: 0, out: '', err: '' });
  writeFileSync(path.join(cwd, 't.csv'), whole.slice(0, whole.indexOf('\n"a\n') + 3));
  assert.equal((await ocelli(args, { cwd })).code, 0);
  assert.equal(readFileSync(path.join(cwd, 't.csv'), 'utf8'), whole);
});

test(
  'standard output has several names, and pipes and devices are only written to',
  { skip: posix },
  async (t) => {
    const cwd = folderOf(t);
    const plain = await ocelli(['tag', CAT, '--top', '1', '--json']);
    for (const out of ['-', '/dev/stdout']) {
      assert.deepEqual(await ocelli(['tag', CAT, '--top', '1', '--json', '--out', out]), plain);
    }
    assert.match((await ocelli(['embed', '--text', '-', '--out', '-'], { input: 'x' })).out, /^\{"text":"x"/);
    execFileSync('mkfifo', [path.join(cwd, 'pipe')]);
    const reader = spawn('cat', ['pipe'], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    let read = '';
    reader.stdout.on('data', (piece) => (read += piece));
    const ended = new Promise((resolve) => reader.on('close', resolve));
    assert.equal((await ocelli(['tag', CAT, '--top', '1', '--json', '--out', 'pipe'], { cwd })).code, 0);
    await ended;
    assert.equal(read, plain.out);
    assert.equal((await ocelli(['tag', CAT, '--json', '--out', '/dev/null'])).code, 0);
    const folder = await ocelli(['tag', CAT, '--json', '--out', cwd]);
    assert.deepEqual([folder.code, /is a folder/.test(folder.err)], [2, true]);
    const array = await ocelli(['embed', CAT, '--format', 'npy', '--out', '-']);
    assert.deepEqual([array.code, /needs a file/.test(array.err)], [2, true]);
    if (!existsSync('/dev/full')) return;
    const full = await ocelli(['tag', CAT, '--json', '--out', '/dev/full']);
    assert.equal(full.code, 3);
    assert.match(full.err, /^ocelli: \/dev\/full cannot be written: ENOSPC.*\n$/);
  },
);

test('a conversion replaces nothing unasked, and leaves nothing where it fails', { skip }, async (t) => {
  const cwd = folderOf(t);
  const golden = path.join(ROOT, 'tests/golden/models/clip-gelu-eos-7');
  const weights = path.join(golden, 'model.safetensors');
  const convert = (input, out, dtype, ...more) =>
    ocelli(['convert', input, '--dtype', dtype, '--out', out, ...more], { cwd });
  writeFileSync(path.join(cwd, 'x.gguf'), 'mine');
  assert.match((await convert(weights, 'x.gguf', 'q8')).err, /x\.gguf is there already: give --force/);
  assert.equal((await convert(weights, 'x.gguf', 'q8', '--force')).code, 0);
  assert.equal((await convert(golden, 'deep/er', 'q8')).code, 0);
  assert.match((await convert(golden, 'deep/er', 'q8')).err, /model\.gguf is there already/);
  assert.equal((await convert(golden, 'deep/er', 'q8', '--force')).code, 0);
  assert.match((await convert(golden, 'deep/er', 'int8', '--force')).err, /has other weights, model\.gguf/);
  mkdirSync(path.join(cwd, 'bad'));
  cpSync(path.join(golden, 'config.json'), path.join(cwd, 'bad/config.json'));
  writeFileSync(path.join(cwd, 'bad/model.safetensors'), readFileSync(weights).subarray(0, 1000));
  assert.equal((await convert('bad', 'new/er', 'q8')).code, 3);
  assert.ok(!existsSync(path.join(cwd, 'new')));
  for (const [input, out, dtype, sentence] of [
    [weights, 'y.gguf', 'q9', /--dtype must be one of int8, q8/],
    [weights, 'y.safetensors', 'q8', /q8 is written as \.gguf/],
    [weights, 'y.gguf', 'int8', /int8 is written as \.safetensors/],
    [weights, 'deep', 'q8', /deep is a folder/],
    ['openai/clip-vit-base-patch32', 'y', 'q8', /not downloaded here: give a folder/],
    ['nowhere', 'y', 'q8', /nowhere cannot be read/],
  ]) {
    const { code, err } = await convert(input, out, dtype);
    assert.equal(code, 2, err);
    assert.match(err, sentence);
  }
  const builtIn = await convert('ocelli', 'smaller', 'q8');
  assert.equal(builtIn.code, 0, builtIn.err);
  // A file of weights stands for its folder.
  const tagged = await ocelli(['tag', CAT, '--top', '1', '--model', 'smaller/model.gguf'], { cwd });
  assert.match(tagged.out, /: cat \d+ %\n$/, tagged.err);
  const alone = await ocelli(['tag', CAT, '--model', 'x.gguf'], { cwd });
  assert.match(alone.err, /x\.gguf has no config\.json beside it/);
});

test('keywords of sidecars are likely, unless a threshold is given', { skip }, async (t) => {
  const cwd = folderOf(t);
  cpSync(CAT, path.join(cwd, 'cat.webp'));
  const labels = ['--labels', 'a cat,a bicycle,a bowl of soup'];
  const subjects = () => {
    const text = readFileSync(path.join(cwd, 'cat.webp.xmp'), 'utf8');
    return [...text.matchAll(/<rdf:li>([^<]*)/g)].map(([, word]) => word);
  };
  const told = await ocelli(['tag', 'cat.webp', ...labels, '--xmp'], { cwd });
  assert.match(told.out, /a bicycle 0 %/, 'all are told');
  assert.deepEqual(subjects(), ['a cat']);
  assert.equal((await ocelli(['tag', 'cat.webp', ...labels, '--xmp', '--threshold', '0'], { cwd })).code, 0);
  assert.equal(subjects().length, 3);
});

test('a terminal is told names as they are safe for it', { skip: posix }, async (t) => {
  const cwd = folderOf(t);
  const name = 'a\u001b[31m\nb.webp';
  cpSync(CAT, path.join(cwd, name));
  writeFileSync(path.join(cwd, 'x\u0007.webp'), 'no picture');
  const { out, err } = await ocelli(['tag', '.', '--top', '1'], { cwd });
  assert.match(out, /^a\\u001b\[31m\\u000ab\.webp: cat \d+ %\n$/);
  assert.match(err, /^ocelli: x\\u0007\.webp: .*\nocelli: 1 of 2 pictures failed\.\n$/);
  const one = await ocelli(['tag', 'x\u0007.webp'], { cwd });
  assert.match(one.err, /ocelli: 1 of 1 picture failed\.\n$/);
  const json = await ocelli(['tag', name, '--json'], { cwd });
  assert.equal(JSON.parse(json.out).path, name);
});
