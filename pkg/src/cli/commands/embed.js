/** `ocelli embed`. */

import { writeFile } from 'node:fs/promises';
import { Embedder } from '../../page/embedder.js';
import { destinationOf, refuseToReplace } from '../destination.js';
import { EXIT, usage } from '../failure.js';
import { linesOf } from '../inputs.js';
import { modelOf, openModel } from '../model.js';
import { settingsOf } from '../options.js';
import { overPictures } from '../over-pictures.js';
import { loading } from '../progress.js';
import { Table } from '../table.js';
import { readText } from '../text-files.js';
import { filesOfTable, writeVectors } from '../vectors.js';

const FORMATS = /** @type {const} */ (['jsonl', 'npy', 'parquet']);

/** @typedef {typeof FORMATS[number]} Format */

/** @type {import('../results.js').Shape} */
const SHAPE = {
  text: ({ embedding }) => JSON.stringify(embedding),
  columns: ['embedding'],
  rows: ({ embedding }) => [[JSON.stringify(embedding)]],
};

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function embed(values, names) {
  const out = values.out === undefined ? undefined : String(values.out);
  const { kind } = await destinationOf(out);
  const format = formatOf(values, out, kind === 'file');
  if (format !== 'jsonl' && kind !== 'file') throw usage(`--format ${format} needs a file: --out FILE.`);
  if (values.text !== undefined) {
    if (names.length > 0) throw usage(`Either --text or pictures are embedded: ${names[0]} is one too many.`);
    return embedTexts(values, out, format);
  }
  const { model, load } = modelOf(values, 'embed');
  const settings = ['embed', model, load];
  const force = values.force === true;
  const table =
    format === 'jsonl' || out === undefined ? null : new Table(out, format, await settingsOf(settings));
  const file = table ? table.lines : out;
  const code = await overPictures(values, names, {
    shape: SHAPE,
    settings,
    output: { json: true, force, ...(file !== undefined && { out: file }) },
    goOn: async () => force || table?.goOn(),
    open: (onProgress) =>
      openModel(model, () => Embedder.load(model, { ...load, onProgress, tower: 'image' })),
    async ask(embedder, bytes, signal) {
      const [vector = new Float32Array()] = await embedder.embedImages([bytes], { signal });
      return { embedding: [...vector] };
    },
    sidecar: null,
  });
  if (code !== EXIT.interrupted) await table?.write();
  return code;
}

/**
 * @param {import('../options.js').Values} values
 * @param {string | undefined} out
 * @param {boolean} isFile
 * @returns {Format}
 */
function formatOf({ format }, out, isFile) {
  const ending = FORMATS.find((one) => out?.endsWith(`.${one}`));
  const found = FORMATS.find((one) => one === (format ?? ending ?? 'jsonl'));
  if (!found) throw usage(`--format must be one of ${FORMATS.join(', ')}.`);
  if (isFile && format === undefined && ending === undefined) {
    throw usage(
      `--out ends with ${FORMATS.map((one) => `.${one}`).join(', ')}, or --format says what it is.`,
    );
  }
  return found;
}

/**
 * @param {import('../options.js').Values} values
 * @param {string | undefined} out
 * @param {Format} format
 */
async function embedTexts(values, out, format) {
  const { model, load } = modelOf(values, 'embed');
  const { kind } = await destinationOf(out);
  const file = out !== undefined && kind !== 'stdout' ? out : null;
  if (file !== null && kind === 'file') {
    await refuseToReplace(format === 'jsonl' ? [file] : filesOfTable(file, format), values.force === true);
  }
  const texts = await readTexts(String(values.text));
  const bar = loading({ quiet: values.quiet === true });
  const embedder = await openModel(model, () =>
    Embedder.load(model, { ...load, onProgress: bar.onProgress, tower: 'text' }),
  );
  bar.stop();
  try {
    const vectors = await embedder.embedTexts(texts);
    const rows = texts.map((text, i) => ({ about: { text }, embedding: vectors[i] ?? new Float32Array() }));
    if (format !== 'jsonl' && file !== null) {
      await writeVectors(file, format, rows);
      return EXIT.done;
    }
    const lines = rows.map(
      ({ about, embedding }) => `${JSON.stringify({ ...about, embedding: [...embedding] })}\n`,
    );
    if (file !== null) await writeFile(file, lines.join(''));
    else for (const line of lines) process.stdout.write(line);
    return EXIT.done;
  } finally {
    embedder.dispose();
  }
}

/** @param {string} given */
async function readTexts(given) {
  const text = await readText(given);
  if (text === null) {
    throw usage(
      `There is no file ${given}: give one with a text a line, or \`echo "${given}" | ocelli embed --text -\`.`,
    );
  }
  const texts = linesOf(text);
  if (texts.length === 0) throw usage('There is no text.');
  return texts;
}
