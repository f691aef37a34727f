/** `ocelli convert`: by the converter of the Rust library, which the program `ocelli-convert` is made of too. */

import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { writeSync } from 'node:fs';
import * as wasm from '../../../wasm/simd128.js';
import { wasmAddress } from '../../wasm-files.js';
import { EXIT, Failure, usage } from '../failure.js';
import { progress } from '../progress.js';

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function convert(values, names) {
  const { dtype, out } = values;
  const [input, ...others] = names;
  if (input === undefined || others.length > 0 || dtype === undefined || out === undefined) {
    throw usage('The weights, --dtype and --out are needed.');
  }
  const about = await stat(input).catch(() => null);
  if (!about?.isFile()) throw usage(`${input} cannot be read.`);
  const engine = /** @type {any} */ (wasm);
  if (typeof engine.default !== 'function' || !engine.Converter) {
    throw new Failure('This build of ocelli lacks the converter.');
  }
  await engine.default({ module_or_path: await readFile(wasmAddress('simd128')) });
  const converter = new engine.Converter(String(dtype));
  const bar = progress({
    quiet: values.quiet === true,
    what: 'Reading, MB',
    total: Math.ceil(about.size / 1e6),
  });
  let read = 0;
  for await (const chunk of createReadStream(input, { highWaterMark: 1 << 20 })) {
    converter.push(chunk);
    read += chunk.length;
    bar.update(Math.round(read / 1e6));
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
    await rename(part, String(out));
    const { size } = await stat(String(out));
    process.stdout.write(`${out}: ${tensors} tensors, ${(size / 1e6).toFixed(1)} MB\n`);
    if (size > about.size) {
      process.stderr.write(`ocelli: that is more than ${input} has, ${(about.size / 1e6).toFixed(1)} MB\n`);
    }
    return EXIT.done;
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
}
