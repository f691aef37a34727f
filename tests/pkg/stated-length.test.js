import assert from 'node:assert/strict';
import test from 'node:test';
import { StatedLength } from '../../pkg/src/worker/operations/stated-length.js';

/** @param {string} header @param {number} [stated] its length as the file has it */
function file(header, stated = header.length) {
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(stated));
  return new Uint8Array(Buffer.concat([head, Buffer.from(header), Buffer.alloc(20)]));
}

const HEADER = JSON.stringify({
  __metadata__: { format: 'pt' },
  b: { dtype: 'F32', shape: [3], data_offsets: [8, 20] },
  a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
});

test('a header tells how long its file is, in whatever chunks it comes, once', () => {
  const whole = file(HEADER);
  for (const size of [1, 7, 64, whole.length]) {
    const length = new StatedLength();
    const told = [];
    for (let at = 0; at < whole.length; at += size) told.push(length.add(whole.subarray(at, at + size)));
    assert.deepEqual(
      told.filter((one) => one !== null),
      [whole.length],
      `in chunks of ${size}`,
    );
  }
});

test('what is no header tells nothing', () => {
  for (const [name, bytes] of Object.entries({
    'not JSON': file('hello'),
    'a list of nothing': file('null'),
    'offsets of no numbers': file('{"a":{"data_offsets":[0,"x"]}}'),
    'too long a header': file(HEADER, 2 ** 40),
    'cut off': file(HEADER).subarray(0, 30),
  })) {
    const length = new StatedLength();
    assert.equal(length.add(bytes), null, name);
    assert.equal(length.add(new Uint8Array(100_000)), null, name);
  }
});
