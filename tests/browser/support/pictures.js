// Pictures for the tests, made on the spot or found in the shared data: each as Playwright takes files.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';

/**
 * @typedef {{ name: string, mimeType: string, buffer: Buffer }} File
 */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The check sum of PNG's chunks. Node has it too, but not in every release of version 20. @param {Buffer} bytes */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(body));
  return Buffer.concat([head, body, tail]);
}

/** @param {number} width @param {number} height @returns {Buffer} the signature and header of an RGB PNG of that size */
function pngStart(width, height) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header)]);
}

/**
 * A whole PNG of one colour.
 * @param {string} name
 * @param {{ width?: number, height?: number, colour?: [number, number, number] }} [options]
 * @returns {File}
 */
export function plain(name, { width = 64, height = 64, colour = [40, 120, 200] } = {}) {
  const row = Buffer.concat([Buffer.from([0]), ...Array.from({ length: width }, () => Buffer.from(colour))]);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  const buffer = Buffer.concat([
    pngStart(width, height),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return { name, mimeType: 'image/png', buffer };
}

/** What people drop by mistake, with the code that each must be answered with. */
export function badPictures() {
  const cut = plain('cut-off.png', { width: 200, height: 200, colour: [1, 2, 3] });
  cut.buffer = cut.buffer.subarray(0, 60);
  return [
    {
      code: 'image-unsupported',
      file: {
        name: 'letter.doc',
        mimeType: 'application/msword',
        buffer: Buffer.from('Dear ocelli,\nthis is no picture.\n'),
      },
    },
    { code: 'image-empty', file: { name: 'empty.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(0) } },
    { code: 'image-damaged', file: cut },
    {
      // 600 million pixels are promised; nothing of that size may be allocated to find out.
      code: 'image-too-large',
      file: {
        name: 'poster.png',
        mimeType: 'image/png',
        buffer: Buffer.concat([
          pngStart(30_000, 20_000),
          chunk('IDAT', deflateSync(Buffer.alloc(64))),
          chunk('IEND', Buffer.alloc(0)),
        ]),
      },
    },
  ];
}

/** @param {string} file @returns {File} */
function open(file) {
  const mimeType = file.endsWith('.png') ? 'image/png' : 'image/jpeg';
  return { name: path.basename(file), mimeType, buffer: readFileSync(file) };
}

const PHOTOS = path.join(ROOT, '../shared/data');

/** Where the photographs are, for a test to skip where they are not. */
export const photosAreHere = existsSync(path.join(PHOTOS, 'photos.csv'));

/**
 * The first photograph of each label in the test split: none of them was trained on.
 * @param {string[]} labels
 * @returns {{ label: string, file: File }[]}
 */
export function photographs(labels) {
  const rows = readFileSync(path.join(PHOTOS, 'photos.csv'), 'utf8').trim().split('\n');
  return labels.map((label) => {
    const row = rows.find((line) => line.endsWith(`,${label},test`));
    if (!row) throw new Error(`photos.csv has no test photograph of: ${label}`);
    const file = open(path.join(PHOTOS, 'photos', row.split(',')[0]));
    return { label, file: { ...file, name: `${label} ${file.name}` } };
  });
}

/** Styles of drawing that the built-in model was trained on, and one that it never saw. */
export const STYLES = {
  trained: ['fluent-emoji', 'fluent-emoji-flat', 'noto', 'twemoji'],
  unseen: ['openmoji'],
};

const DRAWINGS = path.join(ROOT, 'tests/images/drawings');

/**
 * The drawings of a style: files are called `<style>-<label>.png`.
 * @param {string} style
 * @returns {{ label: string, file: File }[]}
 */
export function drawings(style) {
  return readdirSync(DRAWINGS)
    .filter((name) => name.startsWith(`${style}-`) && /^[a-z]+\.png$/.test(name.slice(style.length + 1)))
    .map((name) => ({ label: name.slice(style.length + 1, -4), file: open(path.join(DRAWINGS, name)) }));
}

/** A TIFF of one colour, not compressed (TIFF 6.0): Chromium and Firefox do not show any. @param {string} name @returns {File} */
export function tiff(name, { width = 64, height = 48, colour = [200, 30, 30] } = {}) {
  const pixels = Buffer.alloc(width * height * 3, Buffer.from(colour));
  const bits = 8 + pixels.length;
  const [short, long] = [3, 4];
  const fields = [
    [256, short, 1, width],
    [257, short, 1, height],
    [258, short, 3, bits],
    [259, short, 1, 1],
    [262, short, 1, 2],
    [273, long, 1, 8],
    [277, short, 1, 3],
    [278, short, 1, height],
    [279, long, 1, pixels.length],
  ];
  const directory = Buffer.alloc(2 + 12 * fields.length + 4);
  directory.writeUInt16LE(fields.length, 0);
  for (const [i, [tag = 0, type = 0, count = 0, value = 0]] of fields.entries()) {
    directory.writeUInt16LE(tag, 2 + 12 * i);
    directory.writeUInt16LE(type, 4 + 12 * i);
    directory.writeUInt32LE(count, 6 + 12 * i);
    directory.writeUInt32LE(value, 10 + 12 * i);
  }
  const head = Buffer.from('II*\0\0\0\0\0', 'latin1');
  head.writeUInt32LE(bits + 6, 4);
  const buffer = Buffer.concat([head, pixels, Buffer.from([8, 0, 8, 0, 8, 0]), directory]);
  return { name, mimeType: 'image/tiff', buffer };
}
