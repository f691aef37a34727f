import assert from 'node:assert/strict';
import test from 'node:test';
import { distance, hashOf, HEIGHT, WIDTH } from '../../www/difference-hash.js';
import { Groups } from '../../www/groups.js';
import { bestFirst, fileLines } from '../../www/near-duplicates.js';

/** What tells files apart that are nearly the same. */

/** @param {string} path @param {number} size */
const picture = (path, size) => /** @type {any} */ ({ path, name: path.split('/').at(-1), size });
const unknown = { pixelsOf: () => null };

test('each file says its name and size, its pixels where they are known, and whether it stays', () => {
  const [large, small] = [picture('sea.jpg', 2_400_000), picture('sea-2.jpg', 31_000)];
  const groups = new Map([large, small].map((one) => [one, 0]));
  const known = { pixelsOf: () => ({ width: 4000, height: 3000 }) };
  assert.deepEqual(fileLines(large, groups, known, true, false), {
    lines: ['Stays: largest', 'sea.jpg', '2.4 MB', '4,000 × 3,000'],
    said: 'Stays: largest, 2.4 MB, 4,000 × 3,000',
  });
  assert.deepEqual(fileLines(small, groups, unknown, false, true).lines, [
    'sea-2.jpg',
    '31 kB',
    'has words of people',
  ]);
  assert.equal(fileLines(large, groups, unknown, false, false).lines[0], 'Largest', 'whatever becomes of it');
});

test('where names are the same, folders tell them apart; none of equal files is the largest', () => {
  const [one, other] = [picture('2019/sea.jpg', 500), picture('copies/sea.jpg', 500)];
  const groups = new Map([
    [one, 0],
    [other, 0],
    [picture('elsewhere/lake.jpg', 9000), 1],
  ]);
  assert.deepEqual(fileLines(one, groups, unknown, true, false).lines, ['Stays', 'sea.jpg', '1 kB', '2019']);
  assert.deepEqual(fileLines(other, groups, unknown, false, false).lines, ['sea.jpg', '1 kB', 'copies']);
});

test('of files that are nearly the same the best is in front: shown, of most pixels, of the camera, then by name and length', () => {
  const [png, original] = [picture('sea.png', 9_000_000), picture('IMG_1.jpg', 3_000_000)];
  const [copy, numbered] = [picture('IMG_1 copy.jpg', 3_100_000), picture('IMG_1 (2).jpg', 3_200_000)];
  const [small, gif, tiff] = [
    picture('thumb.jpg', 9_900_000),
    picture('sea.gif', 9_500_000),
    picture('a.tif', 4e7),
  ];
  const pixels = (one) => (one === small ? { width: 200, height: 150 } : { width: 4000, height: 3000 });
  const thumbnails = {
    of: (one) => (one === tiff ? '' : 'blob:'),
    pixelsOf: (one) => (one === tiff ? null : pixels(one)),
  };
  const never = () => false;
  const names = (group, isOfCamera, hasWords = never) =>
    bestFirst(group, thumbnails, isOfCamera, hasWords).map(({ name }) => name);
  const all = [tiff, small, png, copy, gif, numbered, original];
  const [first, ...others] = [
    'IMG_1.jpg',
    'sea.png',
    'IMG_1 (2).jpg',
    'IMG_1 copy.jpg',
    'sea.gif',
    'thumb.jpg',
    'a.tif',
  ];
  assert.deepEqual(
    names(all, (one) => one === original),
    [first, ...others],
  );
  assert.equal(
    names(
      all,
      (one) => one === original,
      (one) => one === copy || one === small,
    )[0],
    copy.name,
    'what people have said goes with none, unless another has more pixels',
  );
  const [second, ...rest] = others;
  assert.deepEqual(
    names(all, () => false),
    [second, first, ...rest],
  );
  const unsure = { ...thumbnails, pixelsOf: (one) => (one === png ? null : pixels(one)) };
  assert.equal(
    bestFirst([png, small], unsure, never, never)[0],
    small,
    'pixels count where those of all are known',
  );
  assert.deepEqual(
    names([copy, picture('copyright.jpg', 1)], () => false),
    ['copyright.jpg', 'IMG_1 copy.jpg'],
  );
});

/** A picture of waves, some of which lie across, with what is told done to its light. @param {number} bend @param {(light: number, at: number) => number} change */
const waves = (bend, change = Number) =>
  Uint8ClampedArray.from({ length: WIDTH * HEIGHT * 4 }, (_, i) => {
    const at = i >> 2;
    const [x, y] = [(at % WIDTH) / WIDTH, Math.floor(at / WIDTH) / HEIGHT];
    return i % 4 === 3 ? 255 : change(110 + 60 * Math.sin(bend * x + 5 * y) + 40 * Math.cos(9 * x * y), at);
  });

test('copies that are lighter, coarser or grainier have nearly the same hash, and others have not', () => {
  const hash = hashOf(waves(11));
  assert.equal(distance(hash, hashOf(waves(11))), 0);
  assert.ok(distance(hash, hashOf(waves(11, (light) => 30 + light * 0.8))) <= 6, 'lighter');
  assert.ok(distance(hash, hashOf(waves(11, (light) => Math.round(light / 16) * 16))) <= 6, 'coarser');
  const grain = (/** @type {number} */ light, /** @type {number} */ at) => light + ((at * 7919) % 21) - 10;
  assert.ok(distance(hash, hashOf(waves(11, grain))) <= 6, 'grainier');
  assert.ok(distance(hash, hashOf(waves(23))) > 15, 'another picture');
  assert.equal(distance(hash, hashOf(waves(11, (light) => 255 - light))) > 50, true, 'its negative');
});

test('bits of a hash are darker to the right, the first of them at the top left', () => {
  const half = hashOf(
    Uint8ClampedArray.from({ length: WIDTH * HEIGHT * 4 }, (_, i) => {
      const at = i >> 2;
      // Only the first place of the first row is light.
      return at % WIDTH < WIDTH / 9 && at < WIDTH * (HEIGHT / 8) ? 200 : 10;
    }),
  );
  assert.deepEqual([...half], [1, 0]);
  assert.equal(distance(Uint32Array.of(0, 0), Uint32Array.of(0xffffffff, 0x80000001)), 34);
});

test('groups grow together', () => {
  /** @type {Groups<string>} */
  const groups = new Groups();
  groups.join('a', 'b');
  groups.join('c', 'd');
  groups.join('e', 'f');
  assert.ok(!groups.areJoined('a', 'd'));
  groups.join('b', 'd');
  groups.join('d', 'a');
  assert.ok(groups.areJoined('a', 'c') && !groups.areJoined('a', 'e') && !groups.areJoined('a', 'z'));
  assert.deepEqual(groups.all(), [
    ['a', 'b', 'c', 'd'],
    ['e', 'f'],
  ]);
});
