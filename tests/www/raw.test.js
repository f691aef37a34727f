import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { isRaw, previewOf } from '../../www/raw.js';

/** A JPEG that could be a camera's: baseline, no EXIF. */
const JPEG = Buffer.from([
  ...[0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0],
  ...[0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x7f, 0xff, 0xd9],
]);
/** What a sensor has seen, without loss. */
const LOSSLESS = Buffer.from(JPEG.toString('latin1').replace('\xff\xc0', '\xff\xc3'), 'latin1');

/**
 * A file of directories.
 * @param {[number, number, number][][]} directories tags, types and values; the first points to the second as one below it
 * @param {Buffer[]} blocks what lies behind, from byte 400 on
 * @param {boolean} little
 */
function tiff(directories, blocks, little = true) {
  const bytes = Buffer.alloc(400);
  const u16 = (value, at) => (little ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at));
  const u32 = (value, at) => (little ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at));
  bytes.write(little ? 'II' : 'MM', 'latin1');
  u16(42, 2);
  u32(8, 4);
  directories.forEach((entries, i) => {
    const start = 8 + 150 * i;
    u16(entries.length, start);
    entries.forEach(([tag, type, value, count = 1], k) => {
      const at = start + 2 + 12 * k;
      u16(tag, at);
      u16(type, at + 2);
      u32(count, at + 4);
      if (type === 3) u16(value, at + 8);
      else u32(value, at + 8);
    });
  });
  return Buffer.concat([bytes, ...blocks]);
}

/** @param {Buffer} bytes @returns {Promise<Buffer | null>} */
async function preview(bytes) {
  const found = await previewOf(new Blob([bytes]));
  return found && Buffer.from(await found.arrayBuffer());
}

const large = Buffer.concat([JPEG, Buffer.alloc(50)]);

test('the largest JPEG that can be shown is taken, from directories in either order and below others', async () => {
  for (const little of [true, false]) {
    const file = tiff(
      [
        [
          [0x112, 3, 1],
          [0x14a, 4, 158],
          [0x201, 4, 400],
          [0x202, 4, JPEG.length],
        ],
        [
          [0x103, 3, 7],
          [0x111, 4, 400 + JPEG.length],
          [0x117, 4, large.length],
        ],
      ],
      [JPEG, large],
      little,
    );
    assert.deepEqual(await preview(file), large);
  }
  // Panasonic's is in an entry of bytes.
  assert.deepEqual(await preview(tiff([[[0x2e, 7, 400, JPEG.length]]], [JPEG])), JPEG);
});

test('what a sensor has seen is passed over, and a turned picture says so', async () => {
  const file = tiff(
    [
      [
        [0x112, 3, 6],
        [0x103, 3, 6],
        [0x111, 4, 400],
        [0x117, 4, LOSSLESS.length],
      ],
    ],
    [LOSSLESS],
  );
  assert.equal(await preview(file), null);
  const turned = await preview(
    tiff(
      [
        [
          [0x112, 3, 6],
          [0x201, 4, 400],
          [0x202, 4, JPEG.length],
        ],
      ],
      [JPEG],
    ),
  );
  assert.equal(turned?.subarray(6, 10).toString(), 'Exif');
  assert.equal(turned?.length, JPEG.length + 36);
  assert.equal(turned?.readUInt16BE(2 + 28), 6, 'as EXIF has it');
});

test('Fuji’s and Canon’s newer files are read by their headers', async () => {
  const raf = Buffer.alloc(120);
  raf.write('FUJIFILMCCD-RAW 0201', 'latin1');
  raf.writeUInt32BE(120, 84);
  raf.writeUInt32BE(JPEG.length, 88);
  assert.deepEqual(await preview(Buffer.concat([raf, JPEG])), JPEG);
  const box = Buffer.alloc(24);
  box.write('PRVW', 4, 'latin1');
  box.writeUInt32BE(JPEG.length, 20);
  const head = Buffer.alloc(100);
  head.write('ftypcrx ', 4, 'latin1');
  assert.deepEqual(await preview(Buffer.concat([head, box, JPEG, Buffer.alloc(40)])), JPEG);
});

test('files that lie, or end too early, have none, and nothing breaks', async () => {
  const file = tiff(
    [
      [
        [0x14a, 4, 8],
        [0x201, 4, 400],
        [0x202, 4, JPEG.length],
      ],
    ],
    [JPEG],
  );
  assert.deepEqual(await preview(file), JPEG, 'a directory below itself');
  for (let length = 0; length < file.length; length++) {
    assert.equal(await preview(file.subarray(0, length)), null, `${length} bytes`);
  }
  for (let at = 0; at < 60; at++) {
    const wrong = Buffer.from(file);
    wrong[at] = 0xff;
    await preview(wrong);
  }
  assert.equal(await preview(readFileSync(new URL(import.meta.url))), null);
});

test('raw files are known by their names', () => {
  for (const name of ['a.CR2', 'a.cr3', 'b.NEF', 'c.arw', 'd.dng', 'e.RAF', 'f.orf', 'g.rw2']) {
    assert.ok(isRaw({ name }), name);
  }
  for (const name of ['a.jpg', 'cr2', 'a.cr2.txt', 'raw.png']) assert.ok(!isRaw({ name }), name);
});
