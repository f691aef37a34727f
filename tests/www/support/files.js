// Pictures as their formats are made of, part by part, and archives that lie.

import { readFileSync } from 'node:fs';
import { plain } from '../../browser/support/pictures.js';

/** @param {number} marker @param {Buffer | string} content @returns {Buffer} a segment of a JPEG */
export function segment(marker, content) {
  const body = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

export const JFIF = segment(0xe0, 'JFIF\0\x01\x01\0\0\x01\0\x01\0\0');
export const EXIF = segment(0xe1, 'Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0');

/** @param {Buffer[]} segments that come first @returns {Buffer} a whole JPEG: one grey block */
export function jpeg(...segments) {
  const codes = (/** @type {number} */ table) => [table, 1, ...Array(15).fill(0), 0];
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    ...segments,
    segment(0xdb, Buffer.from([0, ...Array(64).fill(1)])),
    segment(0xc0, Buffer.from([8, 0, 8, 0, 8, 1, 1, 0x11, 0])),
    segment(0xc4, Buffer.from([...codes(0x00), ...codes(0x10)])),
    segment(0xda, Buffer.from([1, 1, 0, 0, 63, 0])),
    Buffer.from([0x3f, 0xff, 0xd9]),
  ]);
}

/** A JPEG with IPTC records, as Photoshop keeps them. @param {[number, string | Buffer][]} records @param {...Buffer} more segments */
export function withIptc(records, ...more) {
  const iim = records.map(([tag, text]) => {
    const value = Buffer.from(text);
    const head = Buffer.from([0x1c, 2, tag, 0, 0]);
    head.writeUInt16BE(value.length, 3);
    return Buffer.concat([head, value]);
  });
  const data = Buffer.concat(iim);
  const resource = Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\0', 'latin1');
  resource.writeUInt32BE(data.length, resource.length - 4);
  return jpeg(segment(0xed, Buffer.concat([resource, data])), ...more);
}

/** A packet with stars, as photo programs give them. @param {string} packet @param {number} stars */
export function rated(packet, stars) {
  const begin = '<rdf:Description ';
  return packet.replace(begin, `${begin}xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="${stars}" `);
}

/** @param {[number, number, Buffer][]} fields of EXIF data: tag, type and value of each, longer than four bytes */
export function exifSegment(fields) {
  const head = Buffer.alloc(8 + 2 + 12 * fields.length + 4);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(fields.length, 8);
  let at = head.length;
  fields.forEach(([tag, type, { length }], i) => {
    const place = 10 + 12 * i;
    head.writeUInt16LE(tag, place);
    head.writeUInt16LE(type, place + 2);
    head.writeUInt32LE(length, place + 4);
    head.writeUInt32LE(at, place + 8);
    at += length;
  });
  return segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), head, ...fields.map(([, , value]) => value)]));
}

/** @param {string} type @param {string} content @returns {Buffer} a chunk of a PNG, whose check sum nobody looks at */
export function pngChunk(type, content) {
  const body = Buffer.from(type + content, 'latin1');
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length - 4);
  return Buffer.concat([head, body, Buffer.alloc(4)]);
}

/** @returns {Buffer} */
export function png() {
  return plain('a.png', { width: 5, height: 3 }).buffer;
}

/** Where the pixels of a PNG begin. */
export const PIXELS = 33;

/** @param {string} type @param {Buffer} body */
function webpChunk(type, body) {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

/** @param {[string, Buffer][]} chunks @returns {Buffer} */
export function webp(...chunks) {
  const body = chunks.map(([type, content]) => webpChunk(type, content));
  return webpChunk('RIFF', Buffer.concat([Buffer.from('WEBP'), ...body]));
}

/** @returns {Buffer} of the page's own samples */
export function sampleWebp() {
  return readFileSync(new URL('../../../www/samples/cat.webp', import.meta.url));
}

/** A header of pixels without loss, 300 by 200, with alpha. */
export const LOSSLESS = (() => {
  const head = Buffer.from([0x2f, 0, 0, 0, 0, 1, 2]);
  head.writeUInt32LE((299 | (199 << 14) | (1 << 28)) >>> 0, 1);
  return head;
})();
