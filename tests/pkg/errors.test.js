import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import * as ocelli from '../../pkg/src/index.js';
import { codeOf, errorFor, revive, serialise } from '../../pkg/src/shared/errors.js';

const { OcelliError, NetworkError, errorCodes } = ocelli;

/** Across the boundary: what is serialised must survive structured cloning. */
const roundTrip = (error) => revive(structuredClone(serialise(error)));

test('every code has a class of ours, and survives the worker boundary', () => {
  assert.ok(errorCodes.length > 20);
  for (const code of errorCodes) {
    const error = errorFor(code, 'A sentence.');
    const revived = roundTrip(error);
    assert.ok(revived instanceof OcelliError);
    assert.equal(revived.constructor, error.constructor);
    assert.equal(revived.constructor, ocelli[revived.name], 'its name is its exported class');
    assert.equal(revived.code, code);
    assert.equal(revived.message, 'A sentence.');
    assert.equal(revived.stack, error.stack);
  }
});

test('causes and statuses survive, and other errors stay what they are', () => {
  const cause = new NetworkError('http-status', 'The server answered 503.', { status: 503 });
  const revived = roundTrip(errorFor('network', 'Lost.', { cause, status: null }));
  assert.equal(revived.cause.status, 503);
  assert.equal(revived.cause.code, 'http-status');
  const plain = roundTrip(new TypeError('not ours', { cause: 'a string' }));
  assert.ok(plain instanceof Error && !(plain instanceof OcelliError));
  assert.equal(plain.name, 'TypeError');
  assert.equal(plain.cause.message, 'a string');
  assert.equal(roundTrip('thrown').message, 'thrown');
});

test('the detail that the wasm adds is the cause', () => {
  const error = Object.assign(new Error('The image is damaged.'), {
    code: 'image-damaged',
    detail: 'bad marker: 0xff',
  });
  assert.equal(roundTrip(error).cause.message, 'bad marker: 0xff');
});

test('a long address is cut, and the sentence around it is whole', () => {
  const long = `data:image/png;base64,${'A'.repeat(5_000_000)}`;
  const { message, stack } = new OcelliError('internal', `The model "${long}" is not an address.`);
  assert.equal(message, `The model "${long.slice(0, 199)}…" is not an address.`);
  assert.ok(stack.length < 5000);
  assert.equal(roundTrip(errorFor('not-found', `x at ${long}.`)).message, `x at ${long.slice(0, 200)}….`);
  const short = `http://x/${'a'.repeat(150)}?${'b'.repeat(30)}`;
  assert.equal(errorFor('not-found', `x at ${short}.`).message, `x at ${short}.`);
  assert.ok(errorFor('internal', '{ "a": 1 }, '.repeat(10_000)).message.length < 2100);
  const halves = errorFor('internal', `${'a'.repeat(199)}${'😀'.repeat(9)}`).message;
  assert.equal(halves, `${'a'.repeat(199)}…`);
});

test('a cycle of causes is cut', () => {
  const error = new Error('one');
  error.cause = error;
  assert.equal(roundTrip(error).message, 'one');
});

test('an unknown code is kept, in the base class', () => {
  const error = roundTrip(errorFor('from-the-future', 'New.'));
  assert.equal(error.constructor, OcelliError);
  assert.equal(error.code, 'from-the-future');
  assert.equal(errorFor('constructor', 'x').constructor, OcelliError);
});

test('only codes of our form are codes', () => {
  assert.equal(codeOf(Object.assign(new Error(), { code: 'image-empty' })), 'image-empty');
  assert.equal(codeOf(new DOMException('x', 'AbortError')), null);
  assert.equal(codeOf(Object.assign(new Error(), { code: 'ECONNRESET' })), null);
  assert.equal(codeOf('image-empty'), null);
});

test('the codes of src/error.rs are all known here', () => {
  const rust = readFileSync(new URL('../../src/error.rs', import.meta.url), 'utf8');
  const codes = [...rust.matchAll(/=> "([a-z-]+)"/g)].map(([, code]) => code);
  assert.ok(codes.length > 10, 'or this test proves nothing');
  assert.deepEqual(
    codes.filter((code) => !errorCodes.includes(code)),
    [],
  );
});
