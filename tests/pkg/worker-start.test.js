// How a worker starts: from another origin, and not at all.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Connection } from '../../pkg/src/page/connection.js';
import { startWorker } from '../../pkg/src/page/module-worker.js';

/** A worker that says nothing by itself. */
class Silent extends EventTarget {
  terminated = false;
  postMessage() {}
  terminate() {
    this.terminated = true;
  }
  /** @param {unknown} data */
  say(data) {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }
}

test('a worker that never starts fails its calls after a while, with a sentence', async () => {
  const worker = new Silent();
  const connection = new Connection(worker, () => {}, { limit: 20 });
  await assert.rejects(connection.call('load', /** @type {any} */ ({}), { task: 'tag' }), {
    code: 'worker-failed',
    message: /^The worker did not start within 0 seconds: its script may be blocked\.$/,
  });
  assert.ok(worker.terminated);
});

test('one that has started may take its time', async () => {
  const worker = new Silent();
  const connection = new Connection(worker, () => {}, { limit: 20 });
  const answer = connection.call('load', /** @type {any} */ ({}), { task: 'tag' });
  worker.say({ type: 'started' });
  await new Promise((resolve) => setTimeout(resolve, 60));
  worker.say({ type: 'done', id: 1, answer: 'loaded' });
  assert.equal(await answer, 'loaded');
  connection.close(new Error('done'));
});

/** Puts a class in the place of the browser's `Worker`. @param {import('node:test').TestContext} t @param {unknown} Fake */
function withWorker(t, Fake) {
  Object.assign(globalThis, { Worker: Fake });
  t.after(() => Reflect.deleteProperty(globalThis, 'Worker'));
}

test('without workers, as on a server, nothing is started', () => {
  assert.throws(() => startWorker(), {
    code: 'unsupported-browser',
    message: /not while a page is rendered/,
  });
});

test('a script from another origin is imported by a script of the page', async (t) => {
  const started = [];
  class Fake {
    /** @param {string | URL} url */
    constructor(url) {
      started.push(String(url));
      if (!String(url).startsWith('blob:')) throw new DOMException('another origin', 'SecurityError');
    }
  }
  withWorker(t, Fake);
  startWorker();
  startWorker();
  const [plain, imported, , again] = started;
  assert.match(plain, /\/pkg\/src\/worker\.js$/);
  assert.equal(imported, again, 'one address for each script');
  const script = await (await fetch(imported)).text();
  assert.match(script, /^import "file:\/\/.*\/pkg\/dist\/worker\.js";$/);
});

test('where neither way is allowed, the first refusal is told', (t) => {
  const first = new DOMException('another origin', 'SecurityError');
  withWorker(
    t,
    class {
      constructor(/** @type {unknown} */ url) {
        throw String(url).startsWith('blob:') ? new DOMException('no blobs either', 'SecurityError') : first;
      }
    },
  );
  assert.throws(() => startWorker(), first);
});

test('other failures are told as they are', (t) => {
  const failure = new TypeError('no workers here');
  withWorker(
    t,
    class {
      constructor() {
        throw failure;
      }
    },
  );
  assert.throws(() => startWorker(), failure);
});

test('pages with Trusted Types are given a trusted address, or a sentence', (t) => {
  const refuse = (/** @type {unknown} */ url) => {
    if (!(/** @type {any} */ (url)?.trusted)) {
      throw new TypeError("This document requires 'TrustedScriptURL' assignment.");
    }
  };
  withWorker(
    t,
    class {
      constructor(/** @type {unknown} */ url) {
        refuse(url);
      }
    },
  );
  assert.throws(() => startWorker(), { code: 'worker-failed', message: /allow the policy `ocelli`/ });
  const names = [];
  Object.assign(globalThis, {
    trustedTypes: {
      createPolicy(/** @type {string} */ name) {
        names.push(name);
        return { createScriptURL: (/** @type {string} */ url) => ({ trusted: url }) };
      },
    },
  });
  t.after(() => Reflect.deleteProperty(globalThis, 'trustedTypes'));
  startWorker();
  assert.deepEqual(names, ['ocelli']);
});

test('threads are started by the page, and end with their worker', async () => {
  const threads = [];
  const startThread = () => {
    const thread = new Silent();
    threads.push(thread);
    return thread;
  };
  const worker = new Silent();
  const told = [];
  worker.postMessage = (/** @type {any} */ message) => told.push(message.type);
  const connection = new Connection(worker, () => {}, { startThread });
  worker.say({ type: 'start-threads', count: 2, message: { type: 'thread' } });
  assert.equal(threads.length, 2);
  threads.forEach((thread) => thread.say({ type: 'thread-ready' }));
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(told, ['threads-started']);
  connection.close(new Error('done'));
  assert.ok(threads.every(({ terminated }) => terminated));
});

test('threads that do not start are ended, and the worker goes on without', async () => {
  for (const fail of [
    (/** @type {Silent} */ thread) => thread.say({ type: 'thread-failed', reason: 'no memory' }),
    (/** @type {Silent} */ thread) => thread.dispatchEvent(new Event('error')),
  ]) {
    const thread = new Silent();
    const worker = new Silent();
    const told = [];
    worker.postMessage = (/** @type {any} */ message) => told.push(message.type);
    const connection = new Connection(worker, () => {}, { startThread: () => thread });
    worker.say({ type: 'start-threads', count: 1, message: { type: 'thread' } });
    fail(thread);
    await new Promise((resolve) => setTimeout(resolve, 1));
    assert.deepEqual(told, ['threads-failed']);
    assert.ok(thread.terminated && !worker.terminated);
    connection.close(new Error('done'));
  }
});
