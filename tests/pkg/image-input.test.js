import assert from 'node:assert/strict';
import { Blob, File } from 'node:buffer';
import test from 'node:test';
import { readImage } from '../../pkg/src/page/image-input.js';
import { MAX_IMAGE_BYTES } from '../../pkg/src/shared/limits.js';
import { bytes, serveRoutes } from './support/server.js';

const PNG = Buffer.from('not really a PNG');

/** Objects with the string tags of browser classes. */
const tagged = (tag, properties) => ({ [Symbol.toStringTag]: tag, ...properties });

/** Gives this realm a canvas whose pixels are 1, 2, 3, 4 …; returns what was drawn on it. */
function withCanvas(t, { fail } = {}) {
  const drawn = [];
  globalThis.OffscreenCanvas = class {
    constructor(width, height) {
      Object.assign(this, { width, height });
    }
    getContext() {
      return {
        drawImage: (...args) => drawn.push(args),
        getImageData: (x, y, width, height) => {
          if (fail) throw fail;
          return { data: Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) => i + 1) };
        },
      };
    }
  };
  t.after(() => delete globalThis.OffscreenCanvas);
  return drawn;
}

test('a blob and a file stay blobs, to be read when their turn comes', async () => {
  for (const blob of [new Blob([PNG]), new File([PNG], 'a.png')]) {
    const { source, transfer } = await readImage(blob);
    const { key } = source;
    assert.deepEqual({ source, transfer }, { source: { kind: 'blob', blob, key }, transfer: [] });
    assert.equal((await readImage(blob)).source.key, key, 'the same blob has the same key');
    assert.notEqual((await readImage(new Blob([PNG]))).source.key, key);
  }
});

test('bytes are copied: the user keeps the buffer, and a small view does not drag a large one along', async () => {
  const large = new Uint8Array(1000).fill(1);
  const view = large.subarray(10, 14);
  const { source, transfer } = await readImage(view);
  assert.deepEqual(source, { kind: 'bytes', bytes: Uint8Array.of(1, 1, 1, 1) });
  assert.equal(transfer[0].byteLength, 4);
  structuredClone(source, { transfer });
  assert.equal(large.byteLength, 1000);
  for (const input of [large.buffer, new DataView(large.buffer), new Uint16Array(large.buffer), PNG]) {
    const read = await readImage(input);
    assert.equal(read.source.bytes.length, input.byteLength);
    assert.notEqual(read.source.bytes.buffer, input.buffer ?? input);
  }
  const shared = new Uint8Array(new SharedArrayBuffer(4));
  assert.ok((await readImage(shared)).transfer[0] instanceof ArrayBuffer);
});

test('the copy is made at the call, not later', async () => {
  const data = Uint8Array.of(1, 2, 3);
  const reading = readImage(data);
  data.fill(9);
  assert.deepEqual((await reading).source.bytes, Uint8Array.of(1, 2, 3));
});

test('a detached buffer is an invalid argument', async () => {
  const buffer = new ArrayBuffer(8);
  const view = new Uint8Array(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  await assert.rejects(readImage(buffer), { code: 'argument-invalid' });
  assert.equal((await readImage(view).catch((error) => error)).code ?? 'empty', 'argument-invalid');
});

test('too many bytes are refused before they are read', async () => {
  const size = MAX_IMAGE_BYTES + 1;
  await assert.rejects(readImage(tagged('Blob', { size })), { name: 'ImageError', code: 'image-too-large' });
});

test('an address is fetched', async (t) => {
  const { url } = await serveRoutes(t, { '/a.png': bytes(PNG, { 'content-type': 'image/png' }) });
  for (const address of [`${url}/a.png`, new URL(`${url}/a.png`)]) {
    const { source } = await readImage(address);
    assert.equal(source.blob.type, 'image/png');
    assert.deepEqual(Buffer.from(await source.blob.arrayBuffer()), PNG);
  }
  await assert.rejects(readImage(`${url}/none.png`), (error) => {
    assert.equal(error.code, 'image-unreadable');
    assert.equal(error.cause.status, 404);
    assert.match(error.message, /none\.png/);
    return true;
  });
  await assert.rejects(readImage('not an address'), { code: 'image-unreadable' });
  const dataAddress = `data:image/png;base64,${PNG.toString('base64')}`;
  assert.deepEqual(Buffer.from(await (await readImage(dataAddress)).source.blob.arrayBuffer()), PNG);
});

/** The sentence with which a picture is refused. */
const refusal = async (image) => {
  const error = await readImage(image).then(
    () => assert.fail(`${image} was taken`),
    (reason) => reason,
  );
  assert.deepEqual([error.name, error.code], ['ImageError', 'image-unreadable']);
  return error.message;
};

/** Makes this realm a page for the length of a test. @param {string} href */
function inPage(t, href) {
  globalThis.location = new URL(href);
  t.after(() => delete globalThis.location);
}

test('an address that is none is refused before anything is asked for', async (t) => {
  const { url, requests } = await serveRoutes(t, {});
  inPage(t, `${url}/a/page.html`);
  for (const empty of ['', ' ', '\n']) {
    assert.equal(await refusal(empty), 'The address of the picture is empty.');
  }
  assert.equal(await refusal('http://'), '"http://" is not the address of a picture.');
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, ...Buffer.alloc(5000, 7)]).toString('base64');
  const unknown = Buffer.alloc(5000, 1).toString('base64');
  const inLines = jpeg.replace(/.{76}/g, '$&\r\n');
  const png = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1').toString('base64url') + 'A'.repeat(100);
  for (const text of [jpeg, unknown, inLines, png]) {
    assert.match(
      await refusal(text),
      /^The picture is given as Base64 .*"data:image\/jpeg;base64,".*Buffer\.from\(text/,
    );
  }
  assert.deepEqual(requests, []);
  // Long addresses are addresses all the same.
  for (const path of [`/${'a'.repeat(900)}`, `/${'a/b'.repeat(900)}.jpg`, '/9j/short']) {
    assert.match(await refusal(path), /the server answered 404/);
  }
  assert.equal(requests.length, 3);
});

test('a picture that could not be fetched is named by its whole address, and with the reason', async (t) => {
  const { url } = await serveRoutes(t, {
    '/a/page': bytes('<!doctype html>', { 'content-type': 'text/html' }),
    '/a/lost.png': (_, response) =>
      response.writeHead(200, { 'content-length': 9 }).write('x', () => response.destroy()),
  });
  inPage(t, `${url}/a/page.html`);
  const at = (path) => `The picture at ${url}${path} could not be fetched`;
  assert.equal(await refusal('none.png'), `${at('/a/none.png')}: the server answered 404.`);
  assert.equal(await refusal('page'), `${at('/a/page')}: a web page lies there.`);
  assert.equal(await refusal('lost.png'), `${at('/a/lost.png')}: the connection was lost.`);
  assert.equal(
    await refusal('http://127.0.0.1:9/x.png'),
    "The picture at http://127.0.0.1:9/x.png could not be fetched: 127.0.0.1:9 is out of reach, or its server does not allow other sites' pages (CORS).",
  );
  globalThis.location = new URL('http://127.0.0.1:9/');
  assert.match(await refusal('x.png'), /: 127\.0\.0\.1:9 is out of reach\.$/);
  assert.match(await refusal(`blob:${url}/gone`), /: the address was revoked, or is of another page\.$/);
  assert.equal(await refusal('data:image/png;base64,%'), 'The data address of the picture is damaged.');
});

test('fetching a picture can be aborted', async (t) => {
  const { url } = await serveRoutes(t, { '/slow.png': () => {} });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(readImage(`${url}/slow.png`, { signal: controller.signal }), { name: 'AbortError' });
  await assert.rejects(readImage(PNG, { signal: controller.signal }), { name: 'AbortError' });
});

test('ImageData and its like are pixels', async () => {
  const data = Uint8ClampedArray.of(1, 2, 3, 4);
  for (const image of [{ data, width: 1, height: 1 }, tagged('ImageData', { data, width: 1, height: 1 })]) {
    const { source, transfer } = await readImage(image);
    assert.deepEqual(source, { kind: 'pixels', rgba: Uint8Array.of(1, 2, 3, 4), width: 1, height: 1 });
    assert.notEqual(transfer[0], data.buffer);
  }
  for (const wrong of [
    { data, width: 2, height: 1 },
    { data: new Float32Array(4), width: 1, height: 1 },
    { data: new DataView(data.buffer), width: 1, height: 1 },
    { data, width: -1, height: -1 },
  ]) {
    await assert.rejects(readImage(wrong), { code: 'argument-invalid' });
  }
  await assert.rejects(readImage({ data, width: 30_000, height: 20_000 }), { code: 'image-too-large' });
});

test('canvases and bitmaps are drawn and read', async (t) => {
  const drawn = withCanvas(t);
  for (const tag of ['HTMLCanvasElement', 'OffscreenCanvas', 'ImageBitmap']) {
    const image = tagged(tag, { width: 1, height: 2 });
    const { source, transfer } = await readImage(image);
    assert.deepEqual(source, {
      kind: 'pixels',
      rgba: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
      width: 1,
      height: 2,
    });
    assert.equal(transfer[0], source.rgba.buffer);
    assert.equal(drawn.at(-1)[0], image);
  }
  const [empty, huge] = [
    { width: 0, height: 5 },
    { width: 30_000, height: 20_000 },
  ];
  await assert.rejects(readImage(tagged('HTMLCanvasElement', empty)), { code: 'image-empty' });
  await assert.rejects(readImage(tagged('HTMLCanvasElement', huge)), { code: 'image-too-large' });
});

test('a canvas without a 2D context and a tainted one are unreadable', async (t) => {
  withCanvas(t, { fail: new DOMException('tainted', 'SecurityError') });
  await assert.rejects(readImage(tagged('HTMLCanvasElement', { width: 1, height: 1 })), {
    code: 'image-unreadable',
    message: /another site/,
  });
  globalThis.OffscreenCanvas.prototype.getContext = () => null;
  await assert.rejects(readImage(tagged('ImageBitmap', { width: 1, height: 1 })), {
    code: 'image-unreadable',
  });
});

test('an image element gives its file, or what it shows where the file is of no use', async (t) => {
  const { url } = await serveRoutes(t, {
    '/a.jpg': bytes(PNG, { 'content-type': 'image/jpeg' }),
    '/a.svg': bytes('<svg/>', { 'content-type': 'image/svg+xml' }),
    '/a.avif': bytes('avif', { 'content-type': 'image/avif' }),
  });
  const drawn = withCanvas(t);
  const element = (name, more) =>
    tagged('HTMLImageElement', {
      src: 'other',
      currentSrc: `${url}/${name}`,
      naturalWidth: 1,
      naturalHeight: 1,
      decode: async () => {},
      ...more,
    });
  assert.equal((await readImage(element('a.jpg'))).source.kind, 'blob');
  assert.equal(drawn.length, 0);
  for (const name of ['a.svg', 'a.avif', 'refused.jpg']) {
    assert.equal((await readImage(element(name))).source.kind, 'pixels', name);
  }
  const broken = element('refused.jpg', {
    decode: async () => {
      throw new DOMException('broken', 'EncodingError');
    },
  });
  await assert.rejects(readImage(broken), { code: 'image-unreadable' });
  await assert.rejects(readImage(element('', { src: '', currentSrc: '' })), { code: 'image-unreadable' });
  await assert.rejects(readImage(element('a.jpg'), { signal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('anything else is an invalid argument', async () => {
  for (const image of [undefined, null, 5, {}, [], () => {}, { data: 'x', width: 1, height: 1 }]) {
    await assert.rejects(readImage(image), { name: 'OcelliError', code: 'argument-invalid' });
  }
});
