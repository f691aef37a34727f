import assert from 'node:assert/strict';
import test from 'node:test';
import { withAddress } from '../../pkg/src/worker/operations/small-files.js';
import { wasmError } from './support/fake-wasm.js';

const file = (name) => ({ name, url: `https://x.example/${name}` });
const files = {
  config: file('config.json'),
  preprocessor: [file('preprocessor_config.json')],
  tokenizer: [file('tokenizer.json')],
  extra: [file('decoder_tokenizer.json'), file('words.json')],
};

/** @param {string} code @param {string} message */
const told = (code, message) => withAddress(wasmError(code, message), files).message;

test('what is wrong with a small file is told with its address', () => {
  assert.equal(told('config-invalid', 'It is none.'), 'It is none (https://x.example/config.json).');
  assert.match(
    told('config-invalid', 'The file words.json is none.'),
    /\(https:\/\/x\.example\/words\.json\)\.$/,
  );
  assert.match(told('preprocessor-invalid', 'It is none.'), /\/preprocessor_config\.json\)\.$/);
  const both = 'It is none (https://x.example/tokenizer.json or https://x.example/decoder_tokenizer.json).';
  assert.equal(told('tokenizer-invalid', 'It is none.'), both);
});

test('its detail stays its cause, and all else stays as it is', () => {
  const error = Object.assign(wasmError('config-invalid', 'It is none.'), { detail: 'line 1' });
  const found = withAddress(error, files);
  assert.deepEqual([found.name, found.code, found.cause], ['ModelError', 'config-invalid', 'line 1']);
  const trap = new WebAssembly.RuntimeError('unreachable');
  const other = wasmError('weights-invalid', 'They are none.');
  for (const one of [trap, other, 'thrown']) assert.equal(withAddress(one, files), one);
  const none = wasmError('preprocessor-invalid', 'It is none.');
  assert.equal(withAddress(none, { ...files, preprocessor: [] }), none);
});
