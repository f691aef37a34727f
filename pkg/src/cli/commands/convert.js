/** `ocelli convert`: by the converter of the Rust library, which the program `ocelli-convert` is made of too. */

import { createReadStream, writeSync } from 'node:fs';
import { copyFile, mkdir, open, readFile, realpath, rename, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as wasm from '../../../wasm/simd128.js';
import { packageFile } from '../../files.js';
import { find } from '../../page/catalogue.js';
import { isHubId } from '../../page/hub.js';
import { WEIGHTS } from '../../shared/model-files.js';
import { wasmAddress } from '../../wasm-files.js';
import { refuseToReplace, unwritable } from '../destination.js';
import { EXIT, Failure, usage } from '../failure.js';
import { findModel } from '../model-folder.js';
import { progress } from '../progress.js';
import { tell } from '../terminal.js';

const DTYPES = ['int8', 'q8', 'q4', 'f16', 'f32'];

/** What weights are called in a model's folder. @param {string} dtype */
const nameOf = (dtype) => (dtype === 'int8' ? 'model.safetensors' : 'model.gguf');

/** @typedef {{ dtype: string, quiet: boolean, force: boolean }} What */

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function convert(values, names) {
  const { dtype, out } = values;
  const [input, ...others] = names;
  if (input === undefined || others.length > 0 || dtype === undefined || out === undefined) {
    throw usage('The weights, --dtype and --out are needed.');
  }
  const what = { dtype: String(dtype), quiet: values.quiet === true, force: values.force === true };
  if (!DTYPES.includes(what.dtype)) throw usage(`--dtype must be one of ${DTYPES.join(', ')}.`);
  const source = await sourceOf(input);
  if (source.isFolder) await convertFolder(source.path, String(out), what);
  else await convertFile(source.path, String(out), what);
  return EXIT.done;
}

/** @param {string} input @returns {Promise<{ path: string, isFolder: boolean }>} */
async function sourceOf(input) {
  const about = await stat(input).catch(() => null);
  if (about) return { path: input, isFolder: about.isDirectory() };
  if (find(input)?.builtIn) {
    return { path: fileURLToPath(new URL('.', packageFile('models/ocelli/config.json'))), isFolder: true };
  }
  throw usage(
    isHubId(input)
      ? `There is no folder ${input}, and models of the hub are not downloaded here: give a folder with the model’s files.`
      : `${input} cannot be read.`,
  );
}

/** @param {string} file @param {string} out @param {What} what */
async function convertFile(file, out, what) {
  const right = path.extname(nameOf(what.dtype));
  const wrong = ['.safetensors', '.gguf'].find((ending) => ending !== right && out.endsWith(ending));
  if (wrong) throw usage(`${what.dtype} is written as ${right}, and --out ends with ${wrong}.`);
  if ((await stat(out).catch(() => null))?.isDirectory()) {
    throw usage(`${out} is a folder: of one file of weights, another file is made.`);
  }
  await refuseToReplace([out], what.force);
  await convertWeights([file], out, what);
}

/** @param {string} folder @param {string} out @param {What} what */
async function convertFolder(folder, out, what) {
  const { weights, beside } = await findModel(folder);
  if ((await realpath(folder)) === (await realpath(out).catch(() => ''))) {
    throw usage('The folder to be written must be another than that of the model.');
  }
  const name = nameOf(what.dtype);
  const copies = beside.map((file) => ({ file, copy: path.join(out, path.basename(file)) }));
  await refuseToReplace([path.join(out, name), ...copies.map(({ copy }) => copy)], what.force);
  for (const other of WEIGHTS.filter((one) => one !== name)) {
    // It would be loaded in place of what is written, or copied again.
    if (await stat(path.join(out, other)).catch(() => null)) {
      throw usage(`${out} has other weights, ${other}: give another folder.`);
    }
  }
  const made = await mkdir(out, { recursive: true }).catch((error) => {
    throw unwritable(out, error);
  });
  try {
    await convertWeights(weights, path.join(out, name), what);
    for (const { file, copy } of copies) await copyFile(file, copy);
  } catch (error) {
    if (made !== undefined) await removeEmpty(out, made);
    throw error;
  }
  process.stdout.write(
    `Put ${out} on any web server that lets your pages read it, and load it by its address.\n`,
  );
}

/** Takes folders away that were made, as far as nothing is in them. @param {string} last @param {string} first */
async function removeEmpty(last, first) {
  const end = path.dirname(path.resolve(first));
  for (let folder = path.resolve(last); folder !== end; folder = path.dirname(folder)) {
    await rmdir(folder).catch(() => {});
  }
}

/**
 * @param {string[]} files the weights, in one file or several
 * @param {string} out
 * @param {What} what
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
  const part = `${out}.part-${process.pid}`;
  const file = await open(part, 'w').catch((error) => {
    throw unwritable(out, error);
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
      tell(`that is more than what was read has, ${(size / 1e6).toFixed(1)} MB`);
    }
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
}
