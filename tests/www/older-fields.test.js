// What programs wrote before there was XMP, once somebody has said something else.

import './support/dom.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { toldIn } from '../../www/files/told.js';
import { withoutStale } from '../../www/files/older-fields.js';
import { withKeywords } from '../../www/files/with-keywords.js';
import { exifSegment, JFIF, jpeg, segment, withIptc } from './support/files.js';

const OLD = 'Opa im Grünen';
const wide = (/** @type {number} */ tag, /** @type {string} */ text) =>
  /** @type {[number, number, Buffer]} */ ([tag, 1, Buffer.from(`${text}\0`, 'utf16le')]);
const exif = exifSegment([
  [0x10e, 2, Buffer.from(`${OLD}\0`)],
  [0x10f, 2, Buffer.from('A camera\0')],
  wide(0x9c9c, OLD),
  wide(0x9c9e, 'Oma;Opa;Ferien'),
]);
/** Of Node's buffers a slice is no copy. */
const plain = (/** @type {Buffer} */ bytes) => new Uint8Array(bytes);
const whole = plain(
  withIptc(
    [
      [25, 'Oma'],
      [25, 'Opa'],
      [80, 'Tante Gerda'],
      [120, OLD],
    ],
    exif,
  ),
);

/** @param {Uint8Array<ArrayBuffer>} bytes @param {object} [stale] */
const told = async (bytes, stale) =>
  toldIn(stale ? withoutStale(bytes, { keywords: [], caption: '', instead: '', ...stale }) : bytes);

test('a keyword that was taken away is gone from IPTC and from Windows’ fields, and all else stays', async () => {
  assert.deepEqual((await told(whole)).keywords, ['Oma', 'Opa']);
  assert.deepEqual((await told(whole, { keywords: ['opa'] })).keywords, ['Oma']);
  const windows = plain(jpeg(exif));
  assert.deepEqual((await told(windows)).keywords, ['Oma', 'Opa', 'Ferien']);
  const left = withoutStale(windows, { keywords: ['Opa'], caption: '', instead: '' });
  assert.deepEqual((await told(left)).keywords, ['Oma', 'Ferien']);
  assert.equal(left.length, windows.length, 'in its place');
  const written = withoutStale(whole, { keywords: ['Opa'], caption: '', instead: '' });
  for (const kept of ['Tante Gerda', 'A camera', OLD]) assert.ok(Buffer.from(written).includes(kept), kept);
});

test('a caption that was replaced is the new one everywhere, or none where that has no room', async () => {
  assert.equal((await told(whole)).caption, OLD);
  assert.equal((await told(whole, { caption: OLD, instead: 'Opa' })).caption, 'Opa');
  const long = 'Opa und alle anderen im Grünen, im Sommer';
  assert.equal((await told(whole, { caption: OLD, instead: long })).caption, long);
  assert.equal((await told(plain(jpeg(exif)), { caption: OLD, instead: 'Opa' })).caption, 'Opa');
  assert.equal((await told(plain(jpeg(exif)), { caption: OLD, instead: long })).caption, '');
  const endless = '海'.repeat(1000);
  assert.equal((await told(whole, { caption: OLD, instead: endless })).caption, '海'.repeat(666));
  assert.equal((await told(whole, { caption: 'another', instead: 'x' })).caption, OLD);
  const latin = plain(withIptc([[120, Buffer.from(OLD, 'latin1')]]));
  assert.equal((await told(latin, { caption: OLD, instead: 'Öse' })).caption, 'Öse');
});

test('what is not changed is the same bytes, and so is what is damaged', () => {
  const stale = { keywords: ['Opa'], caption: OLD, instead: 'x' };
  const nothing = plain(jpeg(JFIF));
  assert.equal(withoutStale(nothing, stale), nothing);
  assert.equal(withoutStale(whole, { ...stale, keywords: [], caption: '' }), whole);
  for (let cut = 0; cut < 90; cut++) {
    const head = Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x10', 'latin1');
    const records = Buffer.from('\x1c\x02\x19\0\x03Opa\x1c\x02\x19\0\x03Oma', 'latin1');
    const parts = [Buffer.concat([head, records]).subarray(0, cut), exif.subarray(4, 4 + cut)];
    const damaged = plain(jpeg(segment(0xed, parts[0] ?? ''), segment(0xe1, parts[1] ?? '')));
    const written = withoutStale(damaged, stale);
    assert.ok(written.length <= damaged.length, String(cut));
  }
});

test('copies of pictures say in all fields what is said of them', async () => {
  const content = { subjects: ['Oma'], rejected: ['Opa'], description: 'Neu' };
  const copy = await withKeywords(new Blob([whole]), content);
  const found = await toldIn(new Uint8Array((await copy?.arrayBuffer()) ?? new ArrayBuffer()));
  assert.deepEqual([found.keywords, found.caption], [['Oma'], 'Neu']);
  const kept = await withKeywords(new Blob([whole]), { ...content, description: OLD });
  assert.equal((await toldIn(new Uint8Array((await kept?.arrayBuffer()) ?? new ArrayBuffer()))).caption, OLD);
});
