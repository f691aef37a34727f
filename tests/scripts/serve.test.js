import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accepts, parseRange, resolve, serve } from '../../scripts/serve.mjs';

/** @type {string} */
let folder;
/** @type {import('../../scripts/serve.mjs').Served} */
let served;
/** @type {[string | undefined, number][]} */
const seen = [];

before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'ocelli-serve-'));
  mkdirSync(path.join(folder, 'site/deep'), { recursive: true });
  mkdirSync(path.join(folder, 'hub/org/name/resolve/refs/pr/15'), { recursive: true });
  writeFileSync(path.join(folder, 'secret.txt'), 'secret');
  writeFileSync(path.join(folder, 'site-too.txt'), 'secret');
  writeFileSync(path.join(folder, 'site/index.html'), '<title>page</title>');
  writeFileSync(path.join(folder, 'site/deep/index.html'), '<title>deep</title>');
  writeFileSync(path.join(folder, 'site/digits.wasm'), '0123456789');
  writeFileSync(path.join(folder, 'site/empty.js'), '');
  writeFileSync(path.join(folder, 'site/page.css'), 'the whole style');
  writeFileSync(path.join(folder, 'site/page.css.br'), 'brotli');
  writeFileSync(path.join(folder, 'site/page.css.gz'), 'gz');
  writeFileSync(path.join(folder, 'site/new.js'), 'new');
  writeFileSync(path.join(folder, 'site/new.js.br'), 'old');
  utimesSync(path.join(folder, 'site/new.js.br'), 1, 1);
  writeFileSync(path.join(folder, 'secret.txt.br'), 'secret');
  writeFileSync(path.join(folder, 'site/a name.JSON'), '{}');
  writeFileSync(path.join(folder, 'hub/org/name/resolve/refs/pr/15/config.json'), '{"hub":true}');
  served = await serve({
    root: path.join(folder, 'site'),
    mounts: {
      '/hub/': path.join(folder, 'hub'),
      '/hub/made/': (rest) => (rest === 'up' ? path.join(folder, 'secret.txt') : null),
    },
    headers: { 'X-Test': 'yes' },
    onReply: ({ url }, status) => seen.push([url, status]),
  });
});

after(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

/**
 * A request exactly as written: `fetch` would tidy the path first.
 * @param {string} target
 * @param {Record<string, string>} [headers]
 * @param {string} [method]
 * @returns {Promise<{ status: number | undefined, headers: import('node:http').IncomingHttpHeaders, body: string }>}
 */
function get(target, headers = {}, method = 'GET') {
  return new Promise((done, failed) => {
    const options = { host: '127.0.0.1', port: served.port, path: target, headers, method };
    const sent = request(options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => done({ status: response.statusCode, headers: response.headers, body }));
    });
    sent.on('error', failed);
    sent.end();
  });
}

describe('headers', () => {
  test('every reply isolates the page from other origins', async () => {
    for (const target of ['/', '/digits.wasm', '/absent', '/hub/org/name/resolve/refs/pr/15/config.json']) {
      const { headers } = await get(target);
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin', target);
      assert.equal(headers['cross-origin-embedder-policy'], 'require-corp', target);
      assert.equal(headers['cross-origin-resource-policy'], 'cross-origin', target);
      assert.equal(headers['x-test'], 'yes', target);
    }
  });

  test('types are those that browsers insist on', async () => {
    assert.equal((await get('/')).headers['content-type'], 'text/html; charset=utf-8');
    assert.equal((await get('/digits.wasm')).headers['content-type'], 'application/wasm');
    assert.equal((await get('/empty.js')).headers['content-type'], 'text/javascript; charset=utf-8');
    assert.equal((await get('/a%20name.JSON')).headers['content-type'], 'application/json; charset=utf-8');
  });

  test('an unchanged file is not sent twice', async () => {
    const { headers } = await get('/digits.wasm');
    const again = await get('/digits.wasm', { 'If-None-Match': headers.etag ?? '' });
    assert.equal(again.status, 304);
    assert.equal(again.body, '');
  });
});

describe('files', () => {
  test('folders answer with their index, after a redirect to the slash', async () => {
    assert.match((await get('/?base=x')).body, /page/);
    const bare = await get('/deep?q=1');
    assert.equal(bare.status, 301);
    assert.equal(bare.headers.location, './deep/?q=1');
    assert.match((await get('/deep/')).body, /deep/);
  });

  test('an empty file is an empty reply', async () => {
    const { status, headers, body } = await get('/empty.js');
    assert.deepEqual([status, headers['content-length'], body], [200, '0', '']);
  });

  test('HEAD has the length and no body', async () => {
    const { status, headers, body } = await get('/digits.wasm', {}, 'HEAD');
    assert.deepEqual([status, headers['content-length'], body], [200, '10', '']);
  });

  test('absent files, folders without an index and other methods', async () => {
    assert.equal((await get('/absent')).status, 404);
    assert.equal((await get('/digits.wasm/')).status, 404);
    assert.equal((await get('/hub/org/')).status, 404);
    assert.equal((await get('/', {}, 'POST')).status, 405);
  });

  test('mounts play a hub, with slashes in the revision written either way', async () => {
    for (const revision of ['refs/pr/15', 'refs%2Fpr%2F15']) {
      const { body } = await get(`/hub/org/name/resolve/${revision}/config.json`);
      assert.equal(body, '{"hub":true}');
    }
    assert.equal((await get('/hub/made/up')).body, 'secret');
    assert.equal((await get('/hub/made/down')).status, 404);
  });

  test('each reply is reported', async () => {
    seen.length = 0;
    await get('/absent?x');
    await new Promise(setImmediate);
    assert.deepEqual(seen, [['/absent?x', 404]]);
  });
});

describe('nothing outside of the folder', () => {
  const attempts = [
    '/../secret.txt',
    '/deep/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..%5csecret.txt',
    '/hub/../secret.txt',
    '/hub/..%2f..%2fsecret.txt',
    '/../site-too.txt',
    '/digits.wasm%00.html',
    '/%',
    'http://elsewhere/../secret.txt',
  ];
  for (const target of attempts) {
    test(target, async () => {
      const { status, body } = await get(target);
      assert.equal(status, 404);
      assert.ok(!body.includes('secret'));
    });
  }

  test('a double slash stays inside', () => {
    const file = resolve('//etc/passwd', [['/', '/srv/site']]);
    assert.ok(file === null || file.startsWith('/srv/site/'), String(file));
  });
});

describe('ranges', () => {
  /** @type {[string, number, string, string | undefined][]} */
  const cases = [
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=4-2', 200, '0123456789', undefined],
    ['bytes=0-1,4-5', 200, '0123456789', undefined],
    ['lines=1-2', 200, '0123456789', undefined],
  ];
  for (const [range, status, body, contentRange] of cases) {
    test(range, async () => {
      const reply = await get('/digits.wasm', { Range: range });
      assert.deepEqual([reply.status, reply.body], [status, body]);
      assert.equal(reply.headers['content-range'], contentRange);
      assert.equal(reply.headers['content-length'], String(body.length));
    });
  }

  test('past the end', async () => {
    const { status, headers } = await get('/digits.wasm', { Range: 'bytes=10-' });
    assert.deepEqual([status, headers['content-range']], [416, 'bytes */10']);
    assert.equal(parseRange('bytes=-0', 10), 'unsatisfiable');
  });

  test('of a file that has changed since', async () => {
    const { status, body } = await get('/digits.wasm', { Range: 'bytes=2-4', 'If-Range': '"another"' });
    assert.deepEqual([status, body.length], [200, 10]);
  });
});

describe('compressed copies', () => {
  /** @type {[string, string, string, string | undefined][]} */
  const cases = [
    ['gzip, deflate, br, zstd', '/page.css', 'brotli', 'br'],
    ['gzip, br;q=0', '/page.css', 'gz', 'gzip'],
    ['deflate', '/page.css', 'the whole style', undefined],
    ['br', '/new.js', 'new', undefined],
    ['br', '/digits.wasm', '0123456789', undefined],
  ];
  for (const [accepted, target, body, encoding] of cases) {
    test(`${target} for ${accepted}`, async () => {
      const reply = await get(target, { 'Accept-Encoding': accepted });
      assert.deepEqual([reply.status, reply.body], [200, body]);
      assert.equal(reply.headers['content-encoding'], encoding);
      assert.equal(reply.headers['content-length'], String(body.length));
      assert.equal(reply.headers.vary, 'Accept-Encoding');
    });
  }

  test('have the type of the file, and a tag of their own', async () => {
    const [plain, gzip, brotli] = await Promise.all(
      ['', 'gzip', 'br'].map((encoding) => get('/page.css', { 'Accept-Encoding': encoding })),
    );
    for (const reply of [gzip, brotli]) {
      assert.equal(reply?.headers['content-type'], 'text/css; charset=utf-8');
    }
    assert.equal(new Set([plain, gzip, brotli].map((reply) => reply?.headers.etag)).size, 3);
    const etag = String(brotli?.headers.etag);
    const again = { 'Accept-Encoding': 'br', 'If-None-Match': etag };
    assert.equal((await get('/page.css', again)).status, 304);
    assert.equal((await get('/page.css', { 'If-None-Match': etag })).status, 200);
  });

  test('are not what ranges are taken from', async () => {
    const reply = await get('/page.css', { 'Accept-Encoding': 'br', Range: 'bytes=4-8' });
    assert.deepEqual([reply.status, reply.body], [206, 'whole']);
    assert.equal(reply.headers['content-encoding'], undefined);
  });

  test('are found nowhere else than the file', async () => {
    assert.equal((await get('/../secret.txt', { 'Accept-Encoding': 'br' })).status, 404);
  });

  test('names and weights are read as browsers write them', () => {
    assert.ok(accepts('gzip,BR;q=0.5', 'br'));
    for (const header of [undefined, '', 'brotli', 'gzip', 'br; q=0.0']) assert.ok(!accepts(header, 'br'));
  });
});

test('a header can be left out', async () => {
  const bare = await serve({ root: folder, headers: { 'Cross-Origin-Opener-Policy': null } });
  const { headers } = await fetch(`${bare.url}secret.txt`);
  assert.equal(headers.get('cross-origin-opener-policy'), null);
  assert.equal(headers.get('cross-origin-embedder-policy'), 'require-corp');
  await bare.close();
});

describe('ports', () => {
  test('a taken port leads to the next', async () => {
    const other = await serve({ root: folder, port: served.port });
    assert.ok(other.port > served.port);
    await other.close();
  });

  test('only this machine is answered', async () => {
    const outside = Object.values(os.networkInterfaces())
      .flat()
      .find((address) => address && !address.internal && address.family === 'IPv4');
    if (!outside) return;
    await assert.rejects(
      new Promise((done, failed) => {
        const socket = connect(served.port, outside.address, () => done(socket.destroy()));
        socket.on('error', failed);
      }),
    );
  });
});
