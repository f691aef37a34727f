import assert from 'node:assert/strict';
import test from 'node:test';
import { withXmp, xmpOf } from '../../www/files/xmp-embed.js';
import {
  EXIF,
  JFIF,
  jpeg,
  LOSSLESS,
  PIXELS,
  png,
  pngChunk,
  sampleWebp,
  segment,
  webp,
} from './support/files.js';

const PACKET = '<x:xmpmeta>Grüße, 犬 🐕</x:xmpmeta>';
const XMP = 'http://ns.adobe.com/xap/1.0/\0';

/** @param {Uint8Array} bytes @param {string} packet */
function written(bytes, packet = PACKET) {
  const whole = withXmp(bytes, packet);
  assert.ok(whole, 'the picture holds it');
  assert.equal(xmpOf(whole), packet);
  return Buffer.from(whole);
}

/** @param {Buffer} whole @param {number} start @param {number} length */
const without = (whole, start, length) =>
  Buffer.concat([whole.subarray(0, start), whole.subarray(start + length)]);

test('a JPEG has its packet behind what comes first, and is otherwise as it was', () => {
  const profile = segment(0xe2, 'ICC_PROFILE\0\x01\x01');
  for (const first of [[], [JFIF], [EXIF], [JFIF, EXIF]]) {
    const bytes = jpeg(...first, profile);
    const whole = written(bytes);
    const start = 2 + Buffer.concat(first).length;
    assert.deepEqual(whole.subarray(start, start + 2), Buffer.from([0xff, 0xe1]));
    assert.deepEqual(without(whole, start, whole.length - bytes.length), bytes);
  }
});

test('a packet takes the place of the one before, in the same place', () => {
  const extended = segment(0xe1, `http://ns.adobe.com/xmp/extension/\0${'0'.repeat(40)}rest`);
  const bytes = jpeg(JFIF, EXIF, segment(0xe1, `${XMP}old`), extended);
  assert.equal(xmpOf(bytes), 'old');
  const whole = written(bytes);
  assert.deepEqual(written(whole, 'old'), bytes, 'there and back, nothing else has changed');
  assert.ok(whole.includes(extended), 'extended XMP is left alone');
  assert.deepEqual(written(written(jpeg(JFIF)), 'x'), written(jpeg(JFIF), 'x'));
});

test('a JPEG holds no packet that is too long', () => {
  assert.equal(withXmp(jpeg(JFIF), 'a'.repeat(65_503)), null);
  written(jpeg(JFIF), 'a'.repeat(65_502));
});

test('an index of several pictures is told how long the first has become', () => {
  for (const little of [true, false]) {
    const index = Buffer.alloc(4 + 8 + 2 + 12 + 4 + 32);
    index.write('MPF\0', 'latin1');
    const tiff = new DataView(index.buffer, index.byteOffset + 4);
    index.write(little ? 'II*\0' : 'MM\0*', 4, 'latin1');
    tiff.setUint32(4, 8, little);
    tiff.setUint16(8, 1, little);
    tiff.setUint16(10, 0xb002, little);
    tiff.setUint32(18, 26, little);
    tiff.setUint32(26 + 4, 1000, little);
    tiff.setUint32(26 + 24, 5000, little);
    const bytes = jpeg(EXIF, segment(0xe2, index));
    const whole = written(bytes);
    const at = whole.indexOf('MPF\0', 0, 'latin1') + 4;
    const moved = new DataView(whole.buffer, whole.byteOffset + at);
    assert.equal(moved.getUint32(26 + 4, little), 1000 + whole.length - bytes.length);
    assert.equal(moved.getUint32(26 + 24, little), 5000, 'the others are counted from the index');
    // A packet behind the index would move them away from it.
    assert.equal(withXmp(jpeg(segment(0xe2, index), segment(0xe1, `${XMP}old`)), PACKET), null);
    for (let length = 5; length < index.length; length++) {
      withXmp(jpeg(EXIF, segment(0xe2, index.subarray(0, length))), PACKET);
    }
  }
});

test('a PNG has its packet before the pixels, and is otherwise as it was', () => {
  const bytes = png();
  const whole = written(bytes);
  const added = whole.length - bytes.length;
  assert.equal(whole.toString('latin1', PIXELS + 4, PIXELS + 26), 'iTXtXML:com.adobe.xmp\0');
  assert.deepEqual(without(whole, PIXELS, added), bytes);
  assert.deepEqual(written(whole, 'other'), written(bytes, 'other'), 'there is one at a time');
});

test('a packet of a PNG that cannot be read is not written over', () => {
  const bytes = png();
  const at = (/** @type {Buffer} */ chunk, /** @type {number} */ place) =>
    Buffer.concat([bytes.subarray(0, place), chunk, bytes.subarray(place)]);
  const packed = at(pngChunk('iTXt', 'XML:com.adobe.xmp\0\x01\0\0\0abc'), PIXELS);
  assert.equal(xmpOf(packed), null);
  assert.equal(withXmp(packed, PACKET), null);
  // Some programs write it behind the pixels, and say in what language it is.
  const late = at(pngChunk('iTXt', 'XML:com.adobe.xmp\0\0\0en\0XMP\0old'), bytes.length - 12);
  assert.equal(xmpOf(late), 'old');
  assert.equal(written(late).length, late.length - 3 - 5 + Buffer.byteLength(PACKET));
});

test('a WebP has its packet behind the pixels, and says so', () => {
  const bytes = sampleWebp();
  const whole = written(bytes);
  assert.equal(whole.readUInt32LE(4), whole.length - 8);
  assert.equal(whole.toString('latin1', 12, 16), 'VP8X');
  assert.equal(whole.readUInt8(20), 0x04);
  const pixels = bytes.subarray(12);
  assert.deepEqual(whole.subarray(30, 30 + pixels.length), pixels);
  assert.deepEqual(written(whole, 'other'), written(bytes, 'other'));

  const lossless = written(webp(['VP8L', LOSSLESS]));
  assert.equal(lossless.readUInt8(20), 0x14, 'alpha is said, too');
  assert.deepEqual([lossless.readUIntLE(24, 3), lossless.readUIntLE(27, 3)], [299, 199]);

  const tail = Buffer.from('behind the picture');
  const header = Buffer.alloc(10, 0x08);
  const extended = webp(['VP8X', header], ['VP8L', LOSSLESS], ['XMP ', Buffer.from('old')], ['EXIF', tail]);
  const replaced = written(Buffer.concat([extended, tail]));
  assert.equal(replaced.readUInt8(20), 0x0c);
  assert.ok(replaced.subarray(-tail.length).equals(tail));
  assert.ok(replaced.includes(Buffer.concat([Buffer.from('EXIF\x12\0\0\0', 'latin1'), tail])));
});

test('what is cut off is read by nobody, and written to by nobody', () => {
  const pictures = {
    jpeg: written(jpeg(JFIF, EXIF)),
    png: written(png()),
    webp: written(webp(['VP8L', LOSSLESS])),
  };
  for (const [name, whole] of Object.entries(pictures)) {
    const scan = name === 'jpeg' ? whole.lastIndexOf(Buffer.from([0xff, 0xda])) + 2 : whole.length;
    for (let length = 0; length < whole.length; length++) {
      const cut = whole.subarray(0, length);
      const [read, fresh] = [xmpOf(cut), withXmp(cut, 'new')];
      if (length < scan) assert.deepEqual([read, fresh], [null, null], `${name} of ${length} bytes`);
      else assert.equal(read, PACKET);
    }
  }
});

test('a wrong byte anywhere does no harm', () => {
  for (const whole of [written(jpeg(JFIF, EXIF)), written(png()), written(webp(['VP8L', LOSSLESS]))]) {
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 0x7f, 0xff]) {
        const wrong = Buffer.from(whole);
        wrong[at] = value;
        xmpOf(wrong);
        withXmp(wrong, 'new');
      }
    }
  }
});

test('other files hold no packet', () => {
  for (const text of ['', 'GIF89a', 'RIFF', 'RIFF\0\0\0\0WAVE', '\xff\xd8', '\x89PNG\r\n\x1a\n', 'hello']) {
    const bytes = Buffer.from(text, 'latin1');
    assert.equal(withXmp(bytes, PACKET), null);
    assert.equal(xmpOf(bytes), null);
  }
});
