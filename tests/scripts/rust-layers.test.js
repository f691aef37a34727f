import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { checkLength, checkRust, checkLayers, MAX_LINES } from '../../scripts/check-layers.mjs';
import { shippedRust } from '../../scripts/lib/sources.mjs';

/**
 * @param {import('../../scripts/check-layers.mjs').Violation[]} violations
 */
const rules = (violations) => violations.map(({ line, rule }) => (line ? `${line}: ${rule}` : rule));

describe('Rust layers', () => {
  /** @type {[string, string, string, string[]][]} */
  const cases = [
    ['a layer may import those below it', 'src/nn/linear.rs', 'use crate::{Error, weights::Weights};', []],
    ['and itself', 'src/nn/linear.rs', 'use crate::nn::Rows;\nuse super::Rows;', []],
    [
      'but none above',
      'src/nn/linear.rs',
      '\nuse crate::models::dual;',
      ['2: the layer `nn` may not import `models`'],
    ],
    [
      'in a list of several',
      'src/text/mod.rs',
      'use crate::{\n  error::{Error, Result},\n  image,\n};',
      ['1: the layer `text` may not import `image`'],
    ],
    [
      'in an expression',
      'src/error.rs',
      'fn f() { crate::tasks::g() }',
      ['1: the layer `error` may not import `tasks`'],
    ],
    [
      'by way of super',
      'src/models/clip/mod.rs',
      'use super::super::tasks::Tagger;',
      ['1: the layer `models` may not import `tasks`'],
    ],
    [
      'a file named like a layer is no layer',
      'src/models/clip/mod.rs',
      'use super::text; use super::super::nn::X;',
      [],
    ],
    [
      'comments and strings import nothing',
      'src/nn/mod.rs',
      '//! [`crate::tasks`]\nconst A: &str = "crate::tasks";',
      [],
    ],
    [
      'unit tests may',
      'src/nn/mod.rs',
      'fn f() {}\n#[cfg(test)]\nmod tests {\n use crate::models::X;\n}\n',
      [],
    ],
    ['lib.rs may name all', 'src/lib.rs', 'pub mod wasm; pub use crate::tasks::Tagger;', []],
    [
      'another crate may be called like a layer',
      'src/nn/mod.rs',
      'use ::image::RgbImage; use candle::tasks;',
      [],
    ],
    [
      'wasm names stay in their layer',
      'src/tasks/tag.rs',
      'use js_sys::Array;',
      ['1: `js_sys` is known to src/wasm/ only'],
    ],
    [
      'tests may name what they need, also those that others use',
      'src/kernels/tile.rs',
      '#[cfg(test)]\npub(super) mod tests {\n    use wasm_bindgen_test::wasm_bindgen_test as test;\n}\n',
      [],
    ],
    ['where they are at home', 'src/wasm/mod.rs', 'use wasm_bindgen::prelude::*;', []],
    [
      'a new layer has to be declared',
      'src/audio/mod.rs',
      '',
      ['src/audio is no layer that scripts/check-layers.mjs knows'],
    ],
  ];
  for (const [name, file, text, expected] of cases) {
    test(name, () => assert.deepEqual(rules(checkRust(file, text)), expected));
  }
});

describe('length', () => {
  const long = 'x\n'.repeat(MAX_LINES + 1);

  test('has a limit', () => {
    assert.deepEqual(checkLength('src/nn/mod.rs', 'x\n'.repeat(MAX_LINES)), []);
    assert.equal(checkLength('src/nn/mod.rs', long).length, 1);
    assert.equal(checkLength('www/app.css', long).length, 1);
  });

  test('tests apart', () => {
    const unit = `x\n#[cfg(test)]\nmod tests {\n${long}}\n`;
    assert.deepEqual(checkLength('src/nn/mod.rs', unit), []);
    assert.deepEqual(checkLength('src/nn/tests.rs', long), []);
    assert.deepEqual(checkLength('tests/clip.rs', long), []);
    assert.equal(shippedRust(unit).trim(), 'x');
  });
});

test('a whole tree in git', () => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'ocelli-rules-'));
  /** @type {Record<string, string>} */
  const files = {
    '.gitignore': '/pkg/types/\n/target/\n',
    'src/lib.rs': 'pub mod nn;',
    'src/nn/mod.rs': 'use web_sys::Window;',
    'pkg/types/index.d.ts': 'export {};',
    'www/core.wasm': '',
    'target/junk.rs': 'use web_sys::Window;',
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  const git = (/** @type {string[]} */ ...args) => execFileSync('git', ['-C', root, ...args]);
  git('init', '-q');
  git('add', '--force', 'pkg/types', 'src', 'www');
  const found = checkLayers(root).map(({ file, rule }) => `${file}: ${rule}`);
  assert.deepEqual(found.sort(), [
    'pkg/types/index.d.ts: generated files are not committed',
    'src/nn/mod.rs: `web_sys` is known to src/wasm/ only',
    'www/core.wasm: generated files are not committed',
  ]);
  rmSync(root, { recursive: true });
});
