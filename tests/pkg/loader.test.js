import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { chunks, MAX_CHUNK, openFile, openFirst, readSmallFile } from '../../pkg/src/shared/loader.js';
import { bytes, serveRoutes } from './support/server.js';

const WEIGHTS = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
WEIGHTS[0] = 0;
const FAST = { backoff: 1 };

const file = (url, name = 'model.safetensors') => ({ name, url: `${url}/${name}` });

/** Opens and reads a file as the engine does; returns its bytes. */
async function download(source, options = FAST) {
  const parts = [];
  const open = await openFile(source, options);
  for await (const chunk of chunks(open, options)) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

/**
 * A server of WEIGHTS whose first answers break off: `breaks` says after how many bytes of the file. `answer`
 * may change how a resumed request is answered.
 */
function breaking(breaks, answer = {}) {
  let turn = 0;
  return (request, response) => {
    const limit = breaks[turn];
    turn += 1;
    const match = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const tag = turn === 1 ? '"one"' : (answer.etag ?? '"one"');
    if (match && answer.status) return response.writeHead(answer.status).end('busy');
    if (!match || answer.ignoreRange) {
      response.writeHead(200, { 'content-length': WEIGHTS.length, etag: tag });
      if (limit === undefined) return response.end(WEIGHTS);
      return response.write(WEIGHTS.subarray(0, limit), () => setTimeout(() => response.destroy(), 20));
    }
    const start = Number(match[1]);
    const from = answer.from ?? start;
    response.writeHead(206, {
      'content-length': WEIGHTS.length - start,
      'content-range': `bytes ${from}-${WEIGHTS.length - 1}/${answer.total ?? WEIGHTS.length}`,
      etag: tag,
    });
    if (limit === undefined) return response.end(WEIGHTS.subarray(start));
    return response.write(WEIGHTS.subarray(start, limit), () => setTimeout(() => response.destroy(), 20));
  };
}

test('reads a file in bounded chunks', async (t) => {
  const large = Buffer.alloc(3 * MAX_CHUNK + 17, 5);
  const whole = (async function* () {
    yield large;
  })();
  const fetch = async () =>
    new Response(ReadableStream.from(whole), { headers: { 'content-length': String(large.length) } });
  const open = await openFile(file('http://x'), { fetch });
  assert.equal(open.total, large.length);
  const sizes = [];
  for await (const chunk of chunks(open, { fetch })) sizes.push(chunk.length);
  assert.deepEqual(sizes, [MAX_CHUNK, MAX_CHUNK, MAX_CHUNK, 17]);
  t.diagnostic('one network chunk became four');
});

test('sends no credentials', async () => {
  const asked = [];
  const fetch = async (url, options) => (asked.push({ url, options }), new Response('{}'));
  await openFile(file('http://x'), { fetch });
  assert.equal(asked[0].options.credentials, 'omit');
});

test('waits for slow chunks', async (t) => {
  const { url } = await serveRoutes(t, {
    '/model.safetensors': (request, response) => {
      response.writeHead(200, { 'content-length': 30 });
      let sent = 0;
      const timer = setInterval(() => {
        response.write(Buffer.alloc(10, sent));
        sent += 1;
        if (sent === 3) {
          clearInterval(timer);
          response.end();
        }
      }, 20);
    },
  });
  assert.equal((await download(file(url))).length, 30);
});

test('a compressed file has no known total, with or without a length', async (t) => {
  const zipped = gzipSync(WEIGHTS);
  const { url } = await serveRoutes(t, {
    '/model.safetensors': bytes(zipped, { 'content-encoding': 'gzip' }),
    '/chunked': (request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(zipped),
  });
  for (const source of [file(url), file(url, 'chunked')]) {
    assert.equal((await openFile(source)).total, null);
    assert.deepEqual(await download(source), WEIGHTS);
  }
});

test('a length that the body exceeds was that of a compressed body: it does not cut the file', async () => {
  // Cross-origin, browsers hide Content-Encoding and show the compressed length.
  const fetch = async () => new Response(WEIGHTS, { headers: { 'content-length': '1000' } });
  assert.deepEqual(await download(file('http://x'), { fetch }), WEIGHTS);
});

test('takes up a broken stream where it broke', async (t) => {
  const { url, requests } = await serveRoutes(t, { '/model.safetensors': breaking([100_000, 200_000]) });
  assert.deepEqual(await download(file(url)), WEIGHTS);
  assert.deepEqual(
    requests.map(({ headers }) => [headers.range, headers['if-range']]),
    [
      [undefined, undefined],
      ['bytes=100000-', '"one"'],
      ['bytes=200000-', '"one"'],
    ],
  );
});

test('takes up a stream that ended short without an error', async () => {
  let turn = 0;
  const fetch = async (url, { headers }) => {
    turn += 1;
    const length = String(WEIGHTS.length);
    if (turn === 1) return new Response(WEIGHTS.subarray(0, 1000), { headers: { 'content-length': length } });
    assert.equal(headers.range, 'bytes=1000-');
    const range = `bytes 1000-${WEIGHTS.length - 1}/${length}`;
    return new Response(WEIGHTS.subarray(1000), { status: 206, headers: { 'content-range': range } });
  };
  assert.deepEqual(await download(file('http://x'), { fetch, ...FAST }), WEIGHTS);
});

test('a server without ranges is read again from the start, without what is known', async (t) => {
  const { url, requests } = await serveRoutes(t, {
    '/model.safetensors': breaking([100_000], { ignoreRange: true }),
  });
  assert.deepEqual(await download(file(url)), WEIGHTS);
  assert.equal(requests.length, 2);
});

for (const [what, answer] of Object.entries({
  'a changed file': { etag: '"two"' },
  'a changed file from a server without ranges': { etag: '"two"', ignoreRange: true },
  'a range that begins elsewhere': { from: 5 },
  'a range of a file of another size': { total: 5_000_000 },
})) {
  test(`does not go on with ${what}`, async (t) => {
    const { url, requests } = await serveRoutes(t, { '/model.safetensors': breaking([100_000], answer) });
    await assert.rejects(download(file(url)), {
      name: 'NetworkError',
      code: 'network',
      message: /changed on the server/,
    });
    assert.equal(requests.length, 2);
  });
}

test('gives up after a bounded number of retries', async (t) => {
  const { url, requests } = await serveRoutes(t, {
    '/model.safetensors': breaking([100_000], { status: 503 }),
  });
  await assert.rejects(download(file(url)), (error) => {
    assert.equal(error.code, 'network');
    assert.match(error.message, /connection was lost/);
    assert.equal(error.cause.status, 503);
    return true;
  });
  assert.equal(requests.length, 1 + 4);
});

test('a megabyte of progress starts the count of retries anew', async () => {
  const size = 9 * MAX_CHUNK;
  let requests = 0;
  const fetch = async (url, { headers }) => {
    requests += 1;
    const start = Number(/\d+/.exec(headers.range ?? '0')[0]);
    const answer = { 'content-length': String(size), 'content-range': `bytes ${start}-${size - 1}/${size}` };
    return new Response(new Uint8Array(MAX_CHUNK), { status: start ? 206 : 200, headers: answer });
  };
  assert.equal((await download(file('http://x'), { fetch, ...FAST })).length, size);
  assert.equal(requests, 9);
});

test('a compressed stream that breaks is not taken up', async () => {
  let requests = 0;
  const broken = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(10));
      setTimeout(() => controller.error(new TypeError('terminated')), 10);
    },
  });
  const fetch = async () => (
    (requests += 1),
    new Response(broken, { headers: { 'content-encoding': 'br' } })
  );
  await assert.rejects(download(file('http://x'), { fetch, ...FAST }), { code: 'network' });
  assert.equal(requests, 1);
});

for (const [status, code] of [
  [404, 'not-found'],
  [500, 'http-status'],
  [403, 'http-status'],
]) {
  test(`${status} is "${code}"`, async (t) => {
    const { url, requests } = await serveRoutes(t, {
      '/model.safetensors': (request, response) => response.writeHead(status).end('no'),
    });
    await assert.rejects(openFile(file(url)), {
      name: 'NetworkError',
      code,
      status,
      message: /model\.safetensors/,
    });
    assert.equal(requests.length, 1, 'not asked again');
  });
}

test('a server that does not answer is "network"', async () => {
  const fetch = async () => {
    throw new TypeError('fetch failed');
  };
  await assert.rejects(openFile(file('https://hub.example'), { fetch }), (error) => {
    assert.equal(error.code, 'network');
    assert.equal(error.status, null);
    assert.match(error.message, /hub\.example/);
    assert.equal(error.cause.message, 'fetch failed');
    return true;
  });
});

test('a web page in place of a model is refused, by its type or by its text', async (t) => {
  const { url } = await serveRoutes(t, {
    '/typed': bytes('hello', { 'content-type': 'text/html; charset=utf-8' }),
    '/untyped': bytes('\n <!DOCTYPE html><p>Not here'),
    '/pointer': bytes('version https://git-lfs.github.com/spec/v1\noid sha256:0'),
  });
  for (const name of ['typed', 'untyped', 'pointer']) {
    await assert.rejects(download(file(url, name)), { name: 'ModelError', code: 'not-a-model' });
  }
});

test('the next name is asked for where a server says in its own way that a file is not there', async (t) => {
  const page = bytes('<!doctype html>', { 'content-type': 'text/html' });
  const refuse = (status) => (_, response) => response.writeHead(status).end('no');
  const { url } = await serveRoutes(t, {
    '/page/a': page,
    '/page/b': bytes('weights'),
    '/store/a': refuse(403),
    '/store/b': bytes('weights'),
    '/hub/a': refuse(401),
    '/hub/b': bytes('weights'),
    '/busy/a': refuse(503),
    '/busy/b': bytes('weights'),
    '/pages/a': page,
    '/pages/b': page,
    '/stores/a': refuse(403),
    '/stores/b': refuse(403),
  });
  const open = (folder) =>
    openFirst({ ...file(`${url}/${folder}`, 'a'), others: [file(`${url}/${folder}`, 'b')] });
  for (const folder of ['page', 'store', 'hub', 'missing']) {
    if (folder === 'missing') {
      await assert.rejects(open(folder), {
        code: 'not-found',
        message: /^a was not found .*, nor b beside it\.$/,
      });
    } else {
      assert.equal((await open(folder)).file.name, 'b', folder);
    }
  }
  await assert.rejects(open('busy'), { code: 'http-status', status: 503 });
  await assert.rejects(open('pages'), {
    code: 'not-a-model',
    message: /a web page\. Neither is there b beside it\.$/,
  });
  await assert.rejects(open('stores'), { code: 'http-status', status: 403 });
});

test('a safetensors file whose length begins like a tag is no web page', async (t) => {
  const body = Buffer.concat([Buffer.from([0x3c, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{}'.padEnd(60))]);
  const { url } = await serveRoutes(t, { '/model.safetensors': bytes(body) });
  assert.deepEqual(await download(file(url)), body);
});

test('a small file is bounded', async (t) => {
  const { url } = await serveRoutes(t, { '/config.json': bytes('x'.repeat(3 << 20)) });
  const source = file(url, 'config.json');
  assert.equal((await readSmallFile(await openFile(source))).length, 3 << 20);
  await assert.rejects(readSmallFile(await openFile(source), { limit: 2 << 20 }), {
    code: 'not-a-model',
    message: /larger than 2 MB/,
  });
});

test('an empty file is an empty file', async (t) => {
  const { url } = await serveRoutes(t, { '/config.json': bytes('') });
  assert.equal((await readSmallFile(await openFile(file(url, 'config.json')))).length, 0);
});

test('abort: before, during and between answers', async (t) => {
  const aborted = { name: 'AbortError', code: 'aborted' };
  const reason = new Error('enough');
  const { url, requests } = await serveRoutes(t, {
    '/silent': () => {},
    '/model.safetensors': (request, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write(Buffer.alloc(10));
    },
    '/broken': breaking([1000]),
  });
  await assert.rejects(openFile(file(url), { signal: AbortSignal.abort(reason) }), {
    ...aborted,
    cause: reason,
  });
  assert.equal(requests.length, 0);

  const waiting = new AbortController();
  setTimeout(() => waiting.abort(reason), 20);
  await assert.rejects(openFile(file(url, 'silent'), { signal: waiting.signal }), {
    ...aborted,
    cause: reason,
  });

  const reading = new AbortController();
  setTimeout(() => reading.abort(reason), 20);
  await assert.rejects(download(file(url), { signal: reading.signal }), { ...aborted, cause: reason });

  const pausing = new AbortController();
  setTimeout(() => pausing.abort(reason), 100);
  const options = { signal: pausing.signal, backoff: 60_000 };
  await assert.rejects(download(file(url, 'broken'), options), { ...aborted, cause: reason });
  assert.equal(requests.filter(({ path }) => path === '/broken').length, 1, 'an abort is never retried');
});

test('whoever stops reading cancels the download', async (t) => {
  let closed;
  const gone = new Promise((resolve) => (closed = resolve));
  const { url } = await serveRoutes(t, {
    '/model.safetensors': (request, response) => {
      response.on('close', closed);
      response.writeHead(200, { 'content-length': 1e9 }).write(Buffer.alloc(1000));
    },
  });
  for await (const chunk of chunks(await openFile(file(url)))) {
    assert.ok(chunk.length > 0);
    break;
  }
  await gone;
});

test('a private file is asked for with what lets in to it, when it is taken up again too', async () => {
  const asked = [];
  const fetch = async (url, { headers, credentials }) => {
    asked.push({ headers, credentials });
    const broken = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array([1, 2]));
      },
      pull(controller) {
        controller.error(new Error('lost'));
      },
    });
    const about = { 'content-length': '4', etag: '"x"', 'accept-ranges': 'bytes' };
    if (asked.length === 1) return new Response(broken, { headers: about });
    return new Response(new Uint8Array([3, 4]), {
      status: 206,
      headers: { ...about, 'content-length': '2', 'content-range': 'bytes 2-3/4' },
    });
  };
  const access = { headers: { authorization: 'Bearer key' }, credentials: 'include' };
  const open = await openFile({ name: 'w', url: 'https://private.example/w', access }, { fetch });
  const bytes = [];
  for await (const chunk of chunks(open, { fetch, backoff: 1 })) bytes.push(...chunk);
  assert.deepEqual(bytes, [1, 2, 3, 4]);
  assert.equal(asked.length, 2);
  for (const { headers, credentials } of asked) {
    assert.equal(headers.authorization, 'Bearer key');
    assert.equal(credentials, 'include');
  }
  assert.ok(asked[1].headers.range ?? asked[1].headers.Range);
});

test('who asks for a private file without a key is told of one', async () => {
  const fetch = async () => new Response('', { status: 401 });
  const file = { name: 'config.json', url: 'https://private.example/config.json' };
  const told = { code: 'http-status', status: 401, message: /A private model needs the option headers/ };
  await assert.rejects(openFile(file, { fetch }), told);
  const access = { headers: { authorization: 'wrong' } };
  await assert.rejects(openFile({ ...file, access }, { fetch }), { message: /asked for config\.json\.$/ });
});
