// What the command line is given: pictures, labels, texts, models; and what it says of what is wrong with them.

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { CAT, COFFEE, folderOf, lines, ocelli, ROOT, skip } from './support/cli.js';

const posix = skip || (process.platform !== 'linux' && 'names are other bytes there');

test('a list of files has lines, or NULs between its names', { skip: posix }, async (t) => {
  const cwd = folderOf(t);
  cpSync(CAT, path.join(cwd, 'a\nb.webp'));
  cpSync(COFFEE, path.join(cwd, 'coffee.webp'));
  writeFileSync(Buffer.concat([Buffer.from(cwd), Buffer.from('/caf\xe9.webp', 'latin1')]), '');
  const input = 'a\nb.webp\0coffee.webp\0';
  for (const option of ['-0', '--null']) {
    const { code, out } = await ocelli(['tag', option, '-', '--json', '--top', '1'], { cwd, input });
    assert.equal(code, 0);
    assert.deepEqual(
      lines(out).map((line) => JSON.parse(line).path),
      ['a\nb.webp', 'coffee.webp'],
    );
  }
  const plain = await ocelli(['tag', '-'], { cwd, input });
  assert.equal(plain.code, 2);
  assert.match(plain.err, /list on standard input has NULs in it: give -0/);
  const latin = Buffer.from('coffee.webp\ncaf\xe9.webp\n', 'latin1');
  const list = await ocelli(['tag', '-', '--top', '1'], { cwd, input: latin });
  assert.equal(list.code, 1);
  assert.match(list.out, /^coffee\.webp: /);
  assert.match(list.err, /^ocelli: caf\ufffd\.webp: Its name is not UTF-8: rename it\.\n/);
});

test('pictures of a folder that are not decoded are counted', { skip }, async (t) => {
  const cwd = folderOf(t);
  cpSync(CAT, path.join(cwd, 'cat.webp'));
  mkdirSync(path.join(cwd, 'deep'));
  for (const name of ['a.HEIC', 'deep/b.avif']) writeFileSync(path.join(cwd, name), 'x');
  const { code, out, err } = await ocelli(['tag', '.', '--top', '1'], { cwd });
  assert.equal(code, 0);
  assert.match(out, /^cat\.webp: cat/);
  assert.match(
    err,
    /^ocelli: 2 files are in HEIC, AVIF, SVG or JPEG XL form, which .*: convert them to JPEG\.\n$/,
  );
  const none = await ocelli(['tag', 'deep'], { cwd });
  assert.equal(none.code, 2);
  assert.match(none.err, /There is no picture in deep\. 1 file is in HEIC/);
});

test('labels come from files, from standard input and from the command line', { skip }, async (t) => {
  const cwd = folderOf(t);
  const write = (name, content) => writeFileSync(path.join(cwd, name), content);
  const tag = (labels, input) =>
    ocelli(['tag', CAT, '--labels', labels, '--top', '9', '--json'], { cwd, input });
  write('lines.txt', '\ufeffa cat\r\n# a comment\n\na bat\ta type of animal\na cat\n');
  write('array.json', '["a cat", {"label": "a bat", "hint": "a type of animal"}, "a cat"]');
  for (const [given, input, told] of [
    ['lines.txt', undefined, /^ocelli: a label that is there twice counts once\.\n$/],
    ['array.json', undefined, /^ocelli: a label that is there twice counts once\.\n$/],
    ['-', 'a cat\na bat\n', /^$/],
    ['["a cat", "a bat"]', undefined, /^$/],
    ['a cat,a bat,a bat,a cat', undefined, /^ocelli: 2 labels that are there twice count once\.\n$/],
  ]) {
    const { code, out, err } = await tag(given, input);
    assert.equal(code, 0, err);
    assert.deepEqual(
      JSON.parse(out)
        .tags.map(({ label }) => label)
        .sort(),
      ['a bat', 'a cat'],
    );
    assert.match(err, told);
  }
  write('object.json', '{"cat": 1}');
  write('numbers.json', '["a", 5]');
  write('damaged.json', '["a", ');
  write('table.csv', 'label,n\ncat,1\n');
  write('latin.txt', Buffer.from('caf\xe9\ncat\n', 'latin1'));
  write('wide.txt', Buffer.from('cat\ndog\n', 'utf16le'));
  for (const [given, sentence] of [
    ['object.json', /object\.json is no JSON array of labels/],
    ['numbers.json', /numbers\.json is no JSON array of labels/],
    ['damaged.json', /damaged\.json is no JSON array of labels/],
    ['["a", ', /What --labels has is no JSON array of labels/],
    ['table.csv', /table\.csv is a table: give a text with one label a line/],
    ['latin.txt', /latin\.txt is not UTF-8 text/],
    ['wide.txt', /wide\.txt is not UTF-8 text/],
    ['.', /^ocelli: \. is a folder/],
  ]) {
    const { code, err } = await tag(given);
    assert.equal(code, 2, err);
    assert.match(err, sentence);
  }
});

test('what was meant is told with what is wrong', async (t) => {
  const cwd = folderOf(t);
  for (const name of ['a.jpg', '-dash.jpg']) writeFileSync(path.join(cwd, name), '');
  writeFileSync(path.join(cwd, 'latin.txt'), Buffer.from('caf\xe9', 'latin1'));
  for (const [args, sentence] of [
    [['a.jpg'], /a\.jpg is no command; did you mean `ocelli tag a\.jpg`\?/],
    [['-dash.jpg'], /did you mean `ocelli tag \.\/-dash\.jpg`\?/],
    [['tag', '-dash.jpg'], /no option -d here; for the file, give \.\/-dash\.jpg/],
    [['tag', 'a.jpg', '--output', 'x'], /no option --output here; did you mean --out\?/],
    [['tag', 'a.jpg', '--temp', 'x'], /did you mean --template\?/],
    [
      ['embed', '--text', 'a red bicycle'],
      /no file a red bicycle: give one with a text a line, or `echo "a red bicycle" \| ocelli embed --text -`/,
    ],
    [['embed', '--text', '.'], /\. is a folder/],
    [['embed', '--text', 'latin.txt'], /latin\.txt is not UTF-8 text/],
    [['embed', 'a.jpg', '--text', 'latin.txt'], /Either --text or pictures are embedded/],
    [['tag', '-0', 'a.jpg'], /-0 is about a list on standard input: give - for it/],
    [['tag', '-', '--labels', '-'], /either the labels or the pictures/],
    [
      ['classify', 'a.jpg', '--model', 'ocelli'],
      /ocelli is a model for the commands tag, embed and caption\./,
    ],
    [['tag', 'a.jpg', '--model', 'google/vit-base-patch16-224'], /is a model for the command classify\./],
    [
      ['tag', 'a.jpg', '--model', 'Salesforce/blip-vqa-base'],
      /is a model for the class Answerer, which has no command/,
    ],
  ]) {
    const { code, err } = await ocelli(args, { cwd });
    assert.equal(code, 2, `${args.join(' ')}: ${err}`);
    assert.match(err, sentence);
  }
  const help = (await ocelli(['classify', '--help'])).out;
  assert.match(help, /--model MODEL +google\/vit-base-patch16-224 \(the default\)/);
  assert.doesNotMatch(help, /built-in/);
});

test('a model of the hub that is kept needs no network', { skip }, async (t) => {
  const folder = path.join(ROOT, 'pkg/models/ocelli');
  const hub = createServer(({ url = '' }, response) => {
    const file = path.join(folder, path.basename(url));
    if (!existsSync(file)) response.writeHead(404);
    response.end(existsSync(file) ? readFileSync(file) : '');
  });
  await new Promise((resolve) => hub.listen(0, '127.0.0.1', () => resolve(undefined)));
  const args = ['--model', 'some/model', '--hub-url', `http://127.0.0.1:${hub.address().port}`];
  const env = { OCELLI_CACHE: folderOf(t) };
  const first = await ocelli(['tag', CAT, ...args], { env });
  hub.closeAllConnections();
  await new Promise((resolve) => hub.close(resolve));
  assert.equal(first.code, 0, first.err);
  assert.deepEqual(await ocelli(['tag', CAT, ...args], { env }), first);
  assert.equal((await ocelli(['tag', CAT])).out, first.out, 'with the same list of labels');
});

test('where the hub is out of reach, the remedies are told', { skip }, async (t) => {
  const args = ['--model', 'some/model', '--hub-url', 'http://127.0.0.1:1'];
  const env = { OCELLI_CACHE: folderOf(t) };
  for (const command of [
    ['tag', CAT],
    ['embed', '--text', '-'],
    ['serve', '--port', '0'],
  ]) {
    const { code, err } = await ocelli([...command, ...args], { env, input: 'x' });
    assert.equal(code, 3);
    assert.match(err, /out of reach\. Give a folder with --model, or another hub with --hub-url\.\n$/);
  }
});
