// How a worker starts: from another origin, and not at all.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Connection } from '../../pkg/src/page/connection.js';
import { startModuleWorker } from '../../pkg/src/shared/module-worker.js';

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
  const connection = new Connection(worker, () => {}, 20);
  await assert.rejects(connection.call('load', /** @type {any} */ ({}), { task: 'tag' }), {
    code: 'worker-failed',
    message: /^The worker did not start within 0 seconds: its script may be blocked\.$/,
  });
  assert.ok(worker.terminated);
});

test('one that has started may take its time', async () => {
  const worker = new Silent();
  const connection = new Connection(worker, () => {}, 20);
  const answer = connection.call('load', /** @type {any} */ ({}), { task: 'tag' });
  worker.say({ type: 'started' });
  await new Promise((resolve) => setTimeout(resolve, 60));
  worker.say({ type: 'done', id: 1, answer: 'loaded' });
  assert.equal(await answer, 'loaded');
  connection.close(new Error('done'));
});

test('a script from another origin is imported by a script of the page', async (t) => {
  const started = [];
  class Fake {
    /** @param {string} url */
    constructor(url) {
      started.push(url);
    }
  }
  Object.assign(globalThis, { Worker: Fake });
  t.after(() => Reflect.deleteProperty(globalThis, 'Worker'));
  const refuse = () => {
    throw new DOMException('another origin', 'SecurityError');
  };
  startModuleWorker(refuse, 'https://cdn.example/ocelli/src/worker/worker.js');
  startModuleWorker(refuse, 'https://cdn.example/ocelli/src/worker/worker.js');
  assert.equal(started[0], started[1], 'one address for each script');
  const script = await (await fetch(String(started[0]))).text();
  assert.equal(script, 'import "https://cdn.example/ocelli/src/worker/worker.js";');
});

test('where neither way is allowed, the first refusal is told', (t) => {
  class Forbidden {
    constructor() {
      throw new DOMException('no blobs either', 'SecurityError');
    }
  }
  Object.assign(globalThis, { Worker: Forbidden });
  t.after(() => Reflect.deleteProperty(globalThis, 'Worker'));
  const first = new DOMException('another origin', 'SecurityError');
  const refuse = () => {
    throw first;
  };
  assert.throws(() => startModuleWorker(refuse, 'https://cdn.example/x.js'), first);
});

test('other failures are told as they are', () => {
  const failure = new TypeError('no workers here');
  const fail = () => {
    throw failure;
  };
  assert.throws(() => startModuleWorker(fail, 'x'), failure);
});
