/** `ocelli encode-text`. */

import { ClipTextEncoder, toSafetensors } from '../../page/text-encoder.js';
import { destinationOf, refuseToReplace, replaceFile } from '../destination.js';
import { EXIT, usage } from '../failure.js';
import { modelOf, openModel } from '../model.js';
import { loading } from '../progress.js';
import { readText } from '../text-files.js';
import { npy } from '../vectors.js';

/** @typedef {import('../../page/text-encoder.js').EncodedTexts} EncodedTexts */

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function encodeText(values, names) {
  const [given, ...others] = names;
  if (given === undefined || others.length > 0) {
    throw usage('One prompt is needed, in quotation marks, or - for standard input.');
  }
  const out = values.out === undefined ? '' : String(values.out);
  const write = await writerOf(out, values);
  const { model, load } = modelOf(values, 'encode-text', 'openai/clip-vit-large-patch14');
  const options = optionsOf(values);
  const prompt = given === '-' ? ((await readText('-')) ?? '').trim() : given;
  const bar = loading({ quiet: values.quiet === true });
  const encoder = await openModel(model, () =>
    ClipTextEncoder.load(model, { ...load, onProgress: bar.onProgress }),
  ).finally(bar.stop);
  try {
    await write(await encoder.encode(prompt, options));
    return EXIT.done;
  } finally {
    encoder.dispose();
  }
}

/**
 * @param {string} out
 * @param {import('../options.js').Values} values
 * @returns {Promise<(encoded: EncodedTexts) => Promise<void>>}
 */
async function writerOf(out, { force, negative }) {
  if (out === '') throw usage('Where to? Give --out FILE.safetensors, FILE.npy, or - for standard output.');
  const { kind } = await destinationOf(out);
  const isArray = out.endsWith('.npy');
  if (kind !== 'stdout' && !isArray && !out.endsWith('.safetensors')) {
    throw usage('--out ends with .safetensors or .npy.');
  }
  if (isArray && negative !== undefined) {
    throw usage('A file .npy has room for one prompt: with --negative, --out ends with .safetensors.');
  }
  if (kind === 'file') await refuseToReplace([out], force === true);
  return async (encoded) => {
    const bytes = isArray ? npy(rowsOf(encoded)) : toSafetensors(encoded);
    if (kind !== 'stdout') await replaceFile(out, bytes);
    else await new Promise((resolve) => process.stdout.write(bytes, resolve));
  };
}

/** @param {EncodedTexts} encoded */
function rowsOf({ hiddenStates, dims: [rows, width] }) {
  return Array.from({ length: rows }, (_, row) => hiddenStates.subarray(row * width, (row + 1) * width));
}

/**
 * @param {import('../options.js').Values} values
 * @returns {import('../../page/text-encoder.js').EncodeOptions}
 */
function optionsOf(values) {
  const { negative, padding, emphasis } = values;
  const skip = wholeOf(values, 'skip');
  const commaBacktrack = wholeOf(values, 'comma-backtrack');
  return {
    ...(negative !== undefined && { negativePrompt: String(negative) }),
    ...(skip !== undefined && { skip }),
    ...(values['no-final-norm'] && { finalNorm: false }),
    ...(values['attention-mask'] && { attentionMask: true }),
    ...(padding !== undefined && {
      padding: /^\d+$/.test(String(padding)) ? Number(padding) : /** @type {'end'} */ (padding),
    }),
    ...(emphasis !== undefined && { emphasis: /** @type {'none'} */ (emphasis) }),
    ...(commaBacktrack !== undefined && { commaBacktrack }),
    ...(values.truncate && { truncate: true }),
  };
}

/** A whole number from zero on. @param {import('../options.js').Values} values @param {string} name */
function wholeOf(values, name) {
  const given = values[name];
  if (given === undefined) return undefined;
  if (!/^\d{1,6}$/.test(String(given))) throw usage(`--${name} must be a whole number.`);
  return Number(given);
}
