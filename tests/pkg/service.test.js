import assert from 'node:assert/strict';
import test from 'node:test';
import { serve } from '../../pkg/src/worker/service.js';
import { trap, wasmError } from './support/fake-wasm.js';

/** A service over an engine of generators; returns what it posts and a way to send to it. */
function start(operations, startEngine) {
  const posted = [];
  let listener;
  let closed = false;
  const port = {
    postMessage: (message) => posted.push(structuredClone(message)),
    addEventListener: (type, added) => (listener = added),
    close: () => (closed = true),
  };
  let engines = 0;
  serve(port, async () => {
    engines += 1;
    await startEngine?.();
    return { run: ({ operation, given }, signal) => operations[operation](given, signal) };
  });
  // Quiet for some rounds of the event loop, not for a time: on a busy machine any time can be too short.
  const idle = async () => {
    for (let quiet = 0, rounds = 0; quiet < 5 && rounds < 200; quiet++, rounds++) {
      const before = posted.length;
      await new Promise((resolve) => setTimeout(resolve, 4));
      if (posted.length > before) quiet = -1;
    }
  };
  const send = (...messages) => messages.forEach((data) => listener({ data }));
  return { posted, send, idle, closed: () => closed, engines: () => engines };
}

const call = (id, operation, given = null) => ({ type: 'call', id, operation, given });

test('steps and the answer bear the id of their call', async () => {
  const { posted, send, idle, engines } = start({
    async *caption(given) {
      yield { piece: `${given} ` };
      return given;
    },
  });
  send(call(7, 'caption', 'x'), call(3, 'caption', 'y'));
  await idle();
  assert.deepEqual(posted, [
    { type: 'step', id: 7, step: { piece: 'x ' } },
    { type: 'done', id: 7, answer: 'x' },
    { type: 'step', id: 3, step: { piece: 'y ' } },
    { type: 'done', id: 3, answer: 'y' },
  ]);
  assert.equal(engines(), 1);
});

test('an abort arrives between two steps; the operation can clean up', async () => {
  let cleaned = false;
  const { posted, send, idle } = start({
    async *caption() {
      try {
        for (;;) {
          yield { piece: 'on ' };
          send({ type: 'abort', id: 1 });
        }
      } finally {
        cleaned = true;
      }
    },
  });
  send(call(1, 'caption'));
  await idle();
  assert.ok(cleaned);
  assert.equal(posted.filter(({ type }) => type === 'step').length, 2);
  assert.equal(posted.at(-1).type, 'failed');
  assert.equal(posted.at(-1).error.code, 'aborted');
});

test('a call aborted while it waits is never begun', async () => {
  const begun = [];
  const { posted, send, idle } = start({
    async *tag(given) {
      begun.push(given);
      yield { piece: '' };
      return null;
    },
  });
  send(
    call(1, 'tag', 'a'),
    call(2, 'tag', 'b'),
    call(3, 'tag', 'c'),
    { type: 'abort', id: 2 },
    { type: 'abort', id: 99 },
  );
  await idle();
  assert.deepEqual(begun, ['a', 'c']);
  assert.deepEqual(
    posted.filter(({ type }) => type !== 'step').map(({ type, id }) => [type, id]),
    [
      ['done', 1],
      ['failed', 2],
      ['done', 3],
    ],
  );
});

test('an error with a code fails its call; one without is the end', async () => {
  const { posted, send, idle, closed } = start({
    // eslint-disable-next-line require-yield
    async *tag(error) {
      throw error === 'trap' ? trap() : wasmError('label-empty', 'Label 2 is empty.');
    },
  });
  send(call(1, 'tag'));
  await idle();
  assert.equal(closed(), false);
  assert.deepEqual(
    [posted[0].type, posted[0].error.code, posted[0].error.message],
    ['failed', 'label-empty', 'Label 2 is empty.'],
  );
  send(call(2, 'tag', 'trap'), call(3, 'tag'));
  await idle();
  assert.equal(closed(), true);
  assert.deepEqual(
    posted.slice(1).map(({ type }) => type),
    ['fatal'],
    'nothing is answered after it',
  );
  assert.equal(posted[1].error.code, 'worker-failed');
  assert.equal(posted[1].error.cause.name, 'RuntimeError');
});
