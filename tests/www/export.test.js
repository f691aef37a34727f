import assert from 'node:assert/strict';
import test from 'node:test';
import { csv, fileOf, json, sidecars, texts } from '../../www/export.js';

const row = (path, tags = ['dog'], caption = 'a dog on a beach', hierarchy = ['animal|dog']) => ({
  path,
  tags,
  caption,
  hierarchy,
});

test('a table keeps every name whole, and none becomes a formula', () => {
  const rows = [
    row('a, "b".jpg', ['dog', 'sea, wide'], 'two\nlines'),
    row('=1+1.jpg', [], ''),
    row('写真/犬.png', ['犬']),
  ];
  assert.equal(
    csv(rows),
    '\ufeffpicture,tags,caption\r\n' +
      '"a, ""b"".jpg","dog; sea, wide","two\nlines"\r\n' +
      "'=1+1.jpg,,\r\n" +
      '写真/犬.png,犬,a dog on a beach\r\n',
  );
});

test('a list for programs has what is known, and no more', () => {
  assert.deepEqual(JSON.parse(json([row('a.jpg'), row('b.jpg', ['cat'], '')])), [
    { picture: 'a.jpg', tags: ['dog'], caption: 'a dog on a beach' },
    { picture: 'b.jpg', tags: ['cat'] },
  ]);
});

test('texts begin with the caption, and no two files have one name', () => {
  const files = texts([row('a.jpg'), row('a.png', ['cat'], ''), row('d/a.jpg'), row('noending')]);
  assert.deepEqual(
    [...files],
    [
      ['a.txt', 'a dog on a beach, dog'],
      ['a (2).txt', 'cat'],
      ['d/a.txt', 'a dog on a beach, dog'],
      ['noending.txt', 'a dog on a beach, dog'],
    ],
  );
});

test('sidecars lie in their folders, and never outside of the archive', () => {
  const files = sidecars([row('Holiday/day 1/a.jpg'), row('../../etc/passwd'), row('/x/./b.jpg')]);
  assert.deepEqual([...files.keys()], ['Holiday/day 1/a.jpg.xmp', 'etc/passwd.xmp', 'x/b.jpg.xmp']);
  const text = files.get('Holiday/day 1/a.jpg.xmp') ?? '';
  assert.match(text, /<dc:subject>\s*<rdf:Bag>\s*<rdf:li>dog<\/rdf:li>/);
  assert.match(text, /<lr:hierarchicalSubject>\s*<rdf:Bag>\s*<rdf:li>animal\|dog<\/rdf:li>/);
  assert.match(text, /<rdf:li xml:lang="x-default">a dog on a beach<\/rdf:li>/);
});

test('an archive holds each file', async () => {
  const { unzipSync, strFromU8 } = await import('fflate');
  const { name, blob } = await fileOf([row('a.jpg'), row('b.jpg', ['<&>'], '')], 'xmp');
  assert.equal(name, 'ocelli-sidecars.zip');
  const files = unzipSync(new Uint8Array(await blob.arrayBuffer()));
  assert.deepEqual(Object.keys(files), ['a.jpg.xmp', 'b.jpg.xmp']);
  assert.match(strFromU8(files['b.jpg.xmp']), /<rdf:li>&lt;&amp;&gt;<\/rdf:li>/);
});
