// The command line, run as a shell runs it.

import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { parquetReadObjects } from 'hyparquet';
import { Tagger } from '../../pkg/dist/node.js';
import { CAT, COFFEE, folderOf, lines, ocelli, ROOT, SAMPLES, skip } from './support/cli.js';
import { shards } from './support/shards.js';

test('tags are those of the library', { skip }, async () => {
  const { code, out, err } = await ocelli([
    'tag',
    CAT,
    '--labels',
    'a cat,a dog',
    '--json',
    '--threads',
    '1',
  ]);
  assert.deepEqual([code, err], [0, '']);
  const { path: file, sha256, tags } = JSON.parse(out);
  assert.equal(file, CAT);
  assert.match(sha256, /^[0-9a-f]{64}$/);
  const tagger = await Tagger.load('ocelli', { threads: 1 });
  const right = await tagger.tag(CAT, ['a cat', 'a dog']);
  tagger.dispose();
  assert.deepEqual(
    tags.map(({ label }) => label),
    right.map(({ label }) => label),
  );
  tags.forEach(({ score }, i) => assert.ok(Math.abs(score - right[i].score) < 1e-5));
});

test(
  'folders, globs and lists on standard input name pictures; a file that is none is told',
  { skip },
  async (t) => {
    const folder = folderOf(t);
    cpSync(CAT, path.join(folder, 'deep/er/cat.webp'));
    cpSync(COFFEE, path.join(folder, 'a,b "c".WEBP'));
    writeFileSync(path.join(folder, 'notes.txt'), 'no picture');
    const all = await ocelli(['tag', '.', '--top', '1', '--csv'], { cwd: folder });
    assert.equal(all.code, 0);
    const rows = lines(all.out);
    assert.equal(rows[0], 'path,sha256,label,score');
    assert.match(rows[1], /^"a,b ""c"".WEBP",[0-9a-f]{64},/);
    assert.match(rows[2], /^deep\/er\/cat\.webp,[0-9a-f]{64},cat,0\.\d+$/);
    const globbed = await ocelli(['tag', '**/*.webp', '--top', '1'], { cwd: folder });
    assert.match(globbed.out, /^deep\/er\/cat\.webp: cat \d+ %\n$/);
    const list = await ocelli(['tag', '-', '--top', '1'], {
      cwd: folder,
      input: 'deep/er/cat.webp\nnotes.txt\n',
    });
    assert.equal(list.code, 1);
    assert.match(list.out, /^deep\/er\/cat\.webp: cat/);
    assert.match(list.err, /ocelli: notes\.txt: .*\n.*1 of 2 pictures failed/);
    const piped = await ocelli(['tag', '-', '--top', '1'], { input: readFileSync(CAT) });
    assert.match(piped.out, /^-: cat/);
  },
);

test('a run that was stopped goes on, and ends as one that was not', { skip }, async (t) => {
  const folder = folderOf(t);
  const out = path.join(folder, 'tags.jsonl');
  const args = ['tag', SAMPLES, '--json', '--top', '2', '--out'];
  assert.equal((await ocelli([...args, out])).code, 0);
  const whole = readFileSync(out, 'utf8');
  // Stopped while a line was written.
  writeFileSync(out, whole.slice(0, lines(whole).slice(0, 3).join('\n').length + 20));
  assert.equal((await ocelli([...args, out])).code, 0);
  assert.equal(readFileSync(out, 'utf8'), whole);
  assert.equal((await ocelli([...args, out])).code, 0);
  assert.equal(readFileSync(out, 'utf8'), whole, 'what is there is not written again');
  const other = await ocelli(['tag', CAT, '--json', '--top', '3', '--out', out]);
  assert.equal(other.code, 2);
  assert.match(other.err, /other settings: give --force/);
  assert.equal(readFileSync(out, 'utf8'), whole);
  assert.equal((await ocelli(['tag', CAT, '--json', '--top', '3', '--out', out, '--force'])).code, 0);
  assert.equal(lines(readFileSync(out, 'utf8')).length, 1);
});

test('a run with nothing to do loads no model', { skip }, async (t) => {
  const folder = folderOf(t);
  const model = path.join(folder, 'model');
  cpSync(path.join(ROOT, 'pkg/models/ocelli'), model, { recursive: true });
  const args = ['tag', CAT, '--model', model, '--labels', 'a,b', '--out', path.join(folder, 'tags.jsonl')];
  assert.equal((await ocelli(args)).code, 0);
  rmSync(path.join(model, 'model.safetensors'));
  assert.deepEqual(await ocelli(args), { code: 0, out: '', err: '' });
  assert.equal((await ocelli([...args, '--force'])).code, 3);
});

test('a picture that has changed since the run before is written of once', { skip }, async (t) => {
  const folder = folderOf(t);
  const [one, two] = ['one.webp', 'two.webp'].map((name) => path.join(folder, name));
  for (const ending of ['jsonl', 'csv']) {
    const out = path.join(folder, `tags.${ending}`);
    for (const picture of [one, two]) cpSync(CAT, picture);
    assert.equal((await ocelli(['tag', folder, '--top', '2', '--out', out])).code, 0);
    const before = lines(readFileSync(out, 'utf8'));
    cpSync(path.join(SAMPLES, 'coffee.webp'), one);
    assert.equal((await ocelli(['tag', folder, '--top', '2', '--out', out])).code, 0);
    const after = lines(readFileSync(out, 'utf8'));
    assert.equal(after.length, before.length);
    assert.deepEqual(
      after.filter((line) => line.includes('two.webp')),
      before.filter((line) => line.includes('two.webp')),
    );
    assert.match(after.find((line) => line.includes('one.webp')) ?? '', /cup/);
  }
});

test('several models work side by side, and results keep the order of the pictures', { skip }, async () => {
  const [one, two] = await Promise.all(
    ['1', '2'].map((jobs) => ocelli(['tag', SAMPLES, '--top', '1', '--jobs', jobs, '--threads', '1'])),
  );
  assert.equal(one.out, two.out);
  assert.ok(lines(one.out).length >= 8);
});

test('sidecars say what is in a picture, and those of others are left alone', { skip }, async (t) => {
  const folder = folderOf(t);
  const picture = path.join(folder, 'cat.webp');
  cpSync(CAT, picture);
  const sidecar = `${picture}.xmp`;
  const labels = ['--labels', 'a & b,<cat>', '--threshold', '0'];
  assert.equal((await ocelli(['tag', picture, ...labels, '--xmp'])).code, 0);
  assert.equal((await ocelli(['caption', picture, '--xmp'])).code, 0);
  const whole = readFileSync(sidecar, 'utf8');
  writeFileSync(sidecar, whole.replace('<rdf:li>', '<rdf:li>mine</rdf:li>\n     <rdf:li>'));
  const changed = await ocelli(['tag', picture, '--labels', 'a,b', '--xmp']);
  assert.equal(changed.code, 0, 'the picture itself has not failed');
  assert.match(
    changed.err,
    /^ocelli: 1 sidecar was there already, not as ocelli writes it, and left alone\.\n$/,
  );
  assert.match(readFileSync(sidecar, 'utf8'), /mine/);
  // A run that has nothing to add writes sidecars that are missing.
  const out = ['--out', path.join(folder, 'tags.jsonl'), '--labels', 'a,b', '--threshold', '0'];
  rmSync(sidecar);
  assert.equal((await ocelli(['tag', picture, ...out])).code, 0);
  assert.equal((await ocelli(['tag', picture, ...out, '--xmp'])).code, 0);
  assert.match(readFileSync(sidecar, 'utf8'), /<rdf:li>a</);
  writeFileSync(sidecar, whole);
  const text = readFileSync(sidecar, 'utf8');
  assert.match(text, /<dc:subject>\s*<rdf:Bag>\s*<rdf:li>[^<]*<\/rdf:li>\s*<rdf:li>[^<]*<\/rdf:li>/);
  assert.ok(text.includes('a &amp; b') && text.includes('&lt;cat&gt;'));
  assert.match(text, /<dc:description>\s*<rdf:Alt>\s*<rdf:li xml:lang="x-default">a cat[^<]*</);
  writeFileSync(sidecar, '<x:xmpmeta x:xmptk="another tool"/>');
  const refused = await ocelli(['tag', picture, '--labels', 'a,b', '--xmp']);
  assert.equal(refused.code, 0);
  assert.match(refused.err, /not as ocelli writes it/);
  assert.match(readFileSync(sidecar, 'utf8'), /another tool/);
});

test('vectors come as JSON lines, as an array of NumPy and as Parquet, all alike', { skip }, async (t) => {
  const folder = folderOf(t);
  const [npy, parquet] = ['v.npy', 'v.parquet'].map((name) => path.join(folder, name));
  const json = await ocelli(['embed', CAT, COFFEE]);
  const rows = lines(json.out).map((line) => JSON.parse(line));
  const width = rows[0].embedding.length;
  assert.ok(Math.abs(rows[0].embedding.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-3);
  assert.equal((await ocelli(['embed', CAT, COFFEE, '--out', npy])).code, 0);
  const bytes = readFileSync(npy);
  const length = bytes.readUInt16LE(8);
  assert.equal(bytes.subarray(1, 6).toString(), 'NUMPY');
  assert.match(bytes.subarray(10, 10 + length).toString(), RegExp(`'<f4'.*\\(2, ${width}\\)`));
  assert.equal((10 + length) % 64, 0);
  assert.equal(bytes.readFloatLE(10 + length), Math.fround(rows[0].embedding[0]));
  const names = lines(readFileSync(`${npy}.names.jsonl`, 'utf8')).map((line) => JSON.parse(line).path);
  assert.deepEqual(names, [CAT, COFFEE]);
  assert.equal((await ocelli(['embed', CAT, COFFEE, '--out', parquet])).code, 0);
  const readTable = () => parquetReadObjects({ file: new Uint8Array(readFileSync(parquet)).buffer });
  const table = await readTable();
  assert.deepEqual(
    table.map(({ path: name }) => name),
    [CAT, COFFEE],
  );
  assert.equal(table[1].embedding[width - 1], Math.fround(rows[1].embedding[width - 1]));
  const text = await ocelli(['embed', '--text', '-'], { input: 'a cat\n\na dog\n' });
  assert.deepEqual(
    lines(text.out).map((line) => JSON.parse(line).text),
    ['a cat', 'a dog'],
  );
  const input = path.join(folder, 'texts.txt');
  writeFileSync(input, 'a cat\n');
  assert.equal((await ocelli(['embed', '--text', input, '--out', parquet])).code, 2, 'it is of pictures');
  assert.equal((await ocelli(['embed', '--text', input, '--out', parquet, '--force'])).code, 0);
  assert.equal((await readTable())[0]?.text, 'a cat');
});

test('prompts are found with lists of one’s own', { skip }, async (t) => {
  const folder = folderOf(t);
  writeFileSync(path.join(folder, 'flavors.txt'), 'golden hour\nin the snow\nwhiskers\n');
  writeFileSync(path.join(folder, 'artists.txt'), 'vermeer\n');
  const args = ['interrogate', CAT, '--lists', folder, '--max-flavors', '2', '--json'];
  const fast = await ocelli([...args, '--mode', 'fast']);
  assert.equal(fast.code, 0, fast.err);
  const { prompt, caption, similarity } = JSON.parse(fast.out);
  assert.match(caption, /^a cat/);
  assert.ok(prompt.startsWith(`${caption}, `) && similarity > 0 && similarity < 1);
  const classic = await ocelli([...args, '--mode', 'classic']);
  assert.match(JSON.parse(classic.out).prompt, / (by|inspired by) vermeer, /);
  const negative = await ocelli(['interrogate', CAT, '--mode', 'negative', '--shortlist', '20', '--csv']);
  assert.match(negative.out, /^path,sha256,prompt,similarity,caption\n/);
});

test('weights are converted by the converter of the library', { skip }, async (t) => {
  const folder = folderOf(t);
  const out = path.join(folder, 'model.gguf');
  const model = path.join(ROOT, 'tests/golden/models/blip-tied/model.safetensors');
  const { code, out: said } = await ocelli(['convert', model, '--dtype', 'q8', '--out', out]);
  assert.equal(code, 0);
  assert.match(said, /91 tensors, 0\.\d MB/);
  assert.equal(readFileSync(out).subarray(0, 4).toString(), 'GGUF');
  const damaged = path.join(folder, 'damaged.safetensors');
  writeFileSync(damaged, readFileSync(model).subarray(0, 1000));
  const refused = await ocelli(['convert', damaged, '--dtype', 'q8', '--out', path.join(folder, 'never')]);
  assert.equal(refused.code, 3);
  assert.match(refused.err, /^ocelli: The .*\.\n$/);
  assert.ok(!existsSync(path.join(folder, 'never')) && !existsSync(path.join(folder, 'never.part')));
});

test('a whole folder is converted, with what is beside weights in several files', { skip }, async (t) => {
  const folder = folderOf(t);
  const [model, out, next] = ['model', 'out', 'next'].map((name) => path.join(folder, name));
  const golden = path.join(ROOT, 'tests/golden/models/clip-gelu-eos-7');
  cpSync(path.join(golden, 'config.json'), path.join(model, 'config.json'));
  const names = ['a.safetensors', 'b.safetensors'];
  const parts = shards(readFileSync(path.join(golden, 'model.safetensors')), names.length);
  for (const [i, part] of parts.entries()) writeFileSync(path.join(model, names[i]), part);
  const index = (map) => writeFileSync(path.join(model, 'model.safetensors.index.json'), JSON.stringify(map));
  index({ weight_map: { x: names[1], y: names[0] } });
  const done = await ocelli(['convert', model, '--dtype', 'q8', '--out', out]);
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /78 tensors.*\nPut .* on any web server/);
  assert.deepEqual(readdirSync(out).sort(), ['config.json', 'model.gguf']);
  for (const [args, map, sentence] of [
    [[model, '--out', model], { weight_map: { x: names[1] } }, /must be another/],
    [[model, '--out', next], { weight_map: { x: '../b' } }, /names no files beside it/],
    [[model, '--out', next], { weight_map: { x: 'c' } }, /c cannot be read/],
    [[folder, '--out', next], {}, /has no weights/],
  ]) {
    index(map);
    const { code, err } = await ocelli(['convert', ...args, '--dtype', 'f16']);
    assert.equal(code, 2, err);
    assert.match(err, sentence);
  }
});

test('a wrong command line is one sentence and the exit code 2', async () => {
  for (const [args, sentence] of [
    [[], /^$/],
    [['tagg', 'x.jpg'], /no command tagg; did you mean tag\?/],
    [['tag'], /Which pictures\?/],
    [['tag', 'x.jpg', '--topp', '3'], /no option --topp here; did you mean --top\?/],
    [['tag', 'x.jpg', '--labels', 'labls'], /no file labls with labels/],
    [['tag', 'x.jpg', '--tpo', '3'], /no option --tpo here; did you mean --top\?/],
    [['tag', 'x.jpg', '--top', 'many'], /--top must be a whole number above zero/],
    [['tag', 'x.jpg', '--threshold', '2'], /--threshold must be a number from 0 to 1/],
    [['tag', 'x.jpg', '--json', '--csv'], /exclude each other/],
    [['tag', 'x.jpg', '--labels', '/nowhere'], /no file \/nowhere with labels/],
    [['tag', 'x.jpg', '--out', 'x'], /--out ends with \.jsonl or \.csv/],
    [['tag', 'x.jpg', '--top'], /--top wants a value: --top N\./],
    [['embed', '--text'], /--text wants a value: --text FILE\./],
    [['tag', 'x.jpg', '--json=yes'], /--json takes no value\./],
    [['embed', 'x.jpg', '--out', 'x.txt'], /--out ends with \.jsonl, \.npy, \.parquet/],
    [['serve', '--port', '99999'], /at most 65535/],
    [['embed', 'x.jpg', '--format', 'xls'], /must be one of jsonl, npy, parquet/],
    [['convert', 'x'], /are needed/],
    [['serve', 'x.jpg'], /takes no pictures/],
    [['interrogate', 'x.jpg', '--mode', 'slow'], /--mode must be best, fast, classic or negative/],
    [['interrogate', 'x.jpg', '--lists', '/nowhere'], /there is no folder \/nowhere/],
    [['interrogate', 'x.jpg', '--lists', 'www'], /www has no lists: mediums\.txt/],
    [['interrogate', 'x.jpg', '--max-flavors', '0'], /--max-flavors must be a whole number above zero/],
  ]) {
    const { code, err } = await ocelli(args);
    assert.equal(code, 2, `${args.join(' ')}: ${err}`);
    assert.match(err, sentence);
    assert.ok(!/\bat .*\.js:|node:internal/.test(err), err);
  }
});

test('help explains every command, with examples', async () => {
  const { code, out } = await ocelli(['--help']);
  assert.equal(code, 0);
  for (const name of [
    'tag',
    'caption',
    'interrogate',
    'embed',
    'classify',
    'teach',
    'encode-text',
    'convert',
    'serve',
  ]) {
    assert.match(out, RegExp(`^  ${name} `, 'm'));
    const help = await ocelli([name, '--help']);
    assert.equal(help.code, 0);
    assert.match(help.out, /^Usage: ocelli .*\n[^]*\nOptions:\n[^]*\nExamples:\n {2}\S/);
    assert.ok(lines(help.out).every((line) => line.length <= 130));
  }
  assert.match((await ocelli(['--version'])).out, /^\d+\.\d+\.\d+\n$/);
});
