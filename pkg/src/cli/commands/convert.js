/** `ocelli convert`: by the converter of the Rust library, which the program `ocelli-convert` is made of too. */

import { createReadStream, writeSync } from 'node:fs';
import { copyFile, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import * as wasm from '../../../wasm/simd128.js';
import { wasmAddress } from '../../wasm-files.js';
import { EXIT, Failure, usage } from '../failure.js';
import { findModel } from '../model-folder.js';
import { progress } from '../progress.js';

/** What weights are called in a model's folder. @param {string} dtype */
const nameOf = (dtype) => (dtype === 'int8' ? 'model.safetensors' : 'model.gguf');

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function convert(values, names) {
  const { dtype, out } = values;
  const [input, ...others] = names;
  if (input === undefined || others.length > 0 || dtype === undefined || out === undefined) {
    throw usage('The weights, --dtype and --out are needed.');
  }
  const about = await stat(input).catch(() => null);
  if (!about) throw usage(`${input} cannot be read.`);
  const what = { dtype: String(dtype), quiet: values.quiet === true };
  if (about.isDirectory()) await convertFolder(input, String(out), what);
  else await convertWeights([input], String(out), what);
  return EXIT.done;
}

/**
 * @param {string} folder
 * @param {string} out
 * @param {{ dtype: string, quiet: boolean }} what
 */
async function convertFolder(folder, out, what) {
  const { weights, beside } = await findModel(folder);
  await mkdir(out, { recursive: true }).catch((error) => {
    throw new Failure(`${out} cannot be written: ${error.message}.`);
  });
  if ((await realpath(folder)) === (await realpath(out))) {
    throw usage('The folder to be written must be another than that of the model.');
  }
  await convertWeights(weights, path.join(out, nameOf(what.dtype)), what);
  for (const file of beside) await copyFile(file, path.join(out, path.basename(file)));
  process.stdout.write(
    `Put ${out} on any web server that lets your pages read it, and load it by its address.\n`,
  );
}

/**
 * @param {string[]} files the weights, in one file or several
 * @param {string} out
 * @param {{ dtype: string, quiet: boolean }} what
 */
async function convertWeights(files, out, { dtype, quiet }) {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => null,
      ),
    ),
  );
  const missing = files.find((_, i) => sizes[i] === null);
  if (missing !== undefined) throw usage(`${missing} cannot be read.`);
  const size = sizes.reduce((/** @type {number} */ sum, one) => sum + (one ?? 0), 0);
  const engine = /** @type {any} */ (wasm);
  if (typeof engine.default !== 'function' || !engine.Converter) {
    throw new Failure('This build of ocelli lacks the converter.');
  }
  await engine.default({ module_or_path: await readFile(wasmAddress('simd128')) });
  const converter = new engine.Converter(dtype);
  const bar = progress({ quiet, what: 'Reading, MB', total: Math.ceil(size / 1e6) });
  let read = 0;
  for (const [i, file] of files.entries()) {
    if (i > 0) converter.nextFile();
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
      converter.push(chunk);
      read += chunk.length;
      bar.update(Math.round(read / 1e6));
    }
  }
  bar.stop();
  // Under another name until it is whole.
  const part = `${out}.part`;
  const file = await open(part, 'w').catch((error) => {
    throw new Failure(`${out} cannot be written: ${error.message}.`);
  });
  try {
    const tensors = converter.finish((/** @type {Uint8Array} */ piece) => {
      for (let at = 0; at < piece.length;) at += writeSync(file.fd, piece, at);
    });
    await file.sync();
    await file.close();
    await rename(part, out);
    const written = (await stat(out)).size;
    process.stdout.write(`${out}: ${tensors} tensors, ${(written / 1e6).toFixed(1)} MB\n`);
    if (written > size) {
      process.stderr.write(`ocelli: that is more than what was read has, ${(size / 1e6).toFixed(1)} MB\n`);
    }
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
}
