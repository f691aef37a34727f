/** `ocelli embed`. */

import { readFile, rm, writeFile } from 'node:fs/promises';
import { Embedder } from '../../page/embedder.js';
import { EXIT, usage } from '../failure.js';
import { linesOf, readAll } from '../inputs.js';
import { loadOptions, modelOf } from '../options.js';
import { overPictures } from '../over-pictures.js';
import { loading } from '../progress.js';
import { writeVectors } from '../vectors.js';

const FORMATS = ['jsonl', 'npy', 'parquet'];
/** The largest file of texts. */
const MAX_TEXTS = 64 << 20;

/** @type {import('../results.js').Shape} */
const SHAPE = {
  text: ({ embedding }) => JSON.stringify(embedding),
  columns: ['embedding'],
  rows: ({ embedding }) => [[JSON.stringify(embedding)]],
};

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function embed(values, names) {
  const out = values.out === undefined ? undefined : String(values.out);
  const ending = FORMATS.find((format) => out?.endsWith(`.${format}`));
  const format = String(values.format ?? ending ?? 'jsonl');
  if (!FORMATS.includes(format)) throw usage(`--format must be one of ${FORMATS.join(', ')}.`);
  if (out !== undefined && values.format === undefined && ending === undefined) {
    throw usage(
      `--out ends with ${FORMATS.map((one) => `.${one}`).join(', ')}, or --format says what it is.`,
    );
  }
  if (format !== 'jsonl' && out === undefined) throw usage(`--format ${format} needs --out.`);
  const model = modelOf(values, 'ocelli');
  const load = loadOptions(values);
  if (values.text !== undefined) return embedTexts(values, { model, load, out, format });
  // Tables are written as a whole; what they are made of is kept beside them until then, for a run that is stopped.
  const kept = format === 'jsonl' ? out : `${out}.part.jsonl`;
  const code = await overPictures(values, names, {
    shape: SHAPE,
    settings: ['embed', model, load],
    output: { json: true, ...(kept !== undefined && { out: kept }), force: values.force === true },
    open: (onProgress) => Embedder.load(model, { ...load, onProgress, tower: 'image' }),
    async ask(embedder, bytes, signal) {
      const [vector = new Float32Array()] = await embedder.embedImages([bytes], { signal });
      return { embedding: [...vector] };
    },
    sidecar: null,
  });
  if (format !== 'jsonl' && out !== undefined && kept !== undefined && code !== EXIT.interrupted) {
    await writeTable(out, /** @type {'npy'} */ (format), kept);
  }
  return code;
}

/** @param {string} out @param {'npy' | 'parquet'} format @param {string} kept */
async function writeTable(out, format, kept) {
  const lines = (await readFile(kept, 'utf8')).split('\n').filter(Boolean);
  const rows = lines.map((line) => {
    const { path, sha256, embedding } = JSON.parse(line);
    return { about: { path, sha256 }, embedding: Float32Array.from(embedding) };
  });
  if (rows.length === 0) return;
  await writeVectors(out, format, rows);
  await rm(kept);
}

/**
 * @param {import('../options.js').Values} values
 * @param {{ model: string, load: import('../../page/model.js').LoadOptions, out: string | undefined, format: string }} about
 */
async function embedTexts(values, { model, load, out, format }) {
  const given = String(values.text);
  const bytes =
    given === '-' ? await readAll(process.stdin, MAX_TEXTS) : await readFile(given).catch(() => null);
  if (bytes === null) throw usage(`The texts cannot be read from ${given}.`);
  const texts = linesOf(new TextDecoder().decode(bytes));
  if (texts.length === 0) throw usage('There is no text.');
  const bar = loading({ quiet: values.quiet === true });
  const embedder = await Embedder.load(model, { ...load, onProgress: bar.onProgress, tower: 'text' });
  bar.stop();
  try {
    const vectors = await embedder.embedTexts(texts);
    const rows = texts.map((text, i) => ({ about: { text }, embedding: vectors[i] ?? new Float32Array() }));
    if (format !== 'jsonl' && out !== undefined) {
      await writeVectors(out, /** @type {'npy'} */ (format), rows);
      return EXIT.done;
    }
    const lines = rows.map(
      ({ about, embedding }) => `${JSON.stringify({ ...about, embedding: [...embedding] })}\n`,
    );
    if (out !== undefined) await writeFile(out, lines.join(''));
    else for (const line of lines) process.stdout.write(line);
    return EXIT.done;
  } finally {
    embedder.dispose();
  }
}
