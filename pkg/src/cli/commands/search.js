/** `ocelli search`. */

import { stat } from 'node:fs/promises';
import { Embedder } from '../../page/embedder.js';
import { isHubId } from '../../page/hub.js';
import { find } from '../../page/catalogue.js';
import { ImageError } from '../../shared/errors.js';
import { EXIT, usage } from '../failure.js';
import { openIndexFile } from '../index-file.js';
import { readPicture } from '../inputs.js';
import { modelOf, openModel } from '../model.js';
import { countOf, shareOf } from '../options.js';
import { loading } from '../progress.js';
import { printable, tell } from '../terminal.js';
import { named } from '../work.js';
import { parseQuery } from '../../page/index-query.js';

/** @typedef {import('../options.js').Values} Values */

/** @param {Values} values @param {string[]} names */
export async function search(values, names) {
  if (values.index === undefined) throw usage('Which index? Give --index FILE.');
  if (names.length === 0) throw usage('What is looked for? Give a text or a picture.');
  const file = String(values.index);
  const topK = countOf(values, 'top', 20);
  const threshold = shareOf(values, 'threshold');
  const parts = (await Promise.all(names.map(partsOf))).flat();
  const { model, load } = modelOf(values, 'embed', await usualModel(values, file));
  const bar = loading({ quiet: values.quiet === true });
  const embedder = await openModel(model, () =>
    Embedder.load(model, { ...load, onProgress: bar.onProgress }),
  );
  bar.stop();
  try {
    const opened = await openIndexFile(file, { model: embedder });
    try {
      const query = await Promise.all(parts.map((part) => withVector(part, embedder)));
      const hits = await opened.search(query, {
        topK,
        ...(threshold !== undefined && { threshold }),
        ...(values.all === true && { cutoff: null }),
      });
      for (const hit of hits) process.stdout.write(lineOf(hit, values.json === true));
      if (hits.length === 0) tell(`nothing in ${file} fits ${names.join(' and ')}.`);
      return EXIT.done;
    } finally {
      opened.dispose();
    }
  } finally {
    embedder.dispose();
  }
}

/**
 * A part of a query: a text or a picture.
 *
 * @typedef {{ weight: number } & ({ text: string } | { file: string, bytes: Uint8Array })} Part
 */

/**
 * A picture, or what is between the signs of a query, each a picture where there is such a file.
 *
 * @param {string} name
 * @returns {Promise<Part[]>}
 */
async function partsOf(name) {
  const parts = (await isFile(name)) ? [{ text: name, weight: 1 }] : parseQuery(name);
  return Promise.all(
    parts.map(async ({ text, weight }) => {
      if (await isFile(text)) return { file: text, bytes: await bytesOf(text), weight };
      // Nobody looks for pictures of a file's name: it is mistyped.
      if (PATH.test(text)) throw usage(`There is no file ${printable(text)}.`);
      return { text, weight };
    }),
  );
}

/** @param {string} file */
async function bytesOf(file) {
  try {
    return (await readPicture({ path: file })).bytes;
  } catch (error) {
    throw named(file, error);
  }
}

/**
 * Of a picture its vector, so that what is wrong with it is told with its name.
 *
 * @param {Part} part
 * @param {Embedder} embedder
 * @returns {Promise<import('../../page/index-query.js').QueryPart>}
 */
async function withVector(part, embedder) {
  if ('text' in part) return part;
  const { file, bytes, weight } = part;
  try {
    const [vector = new Float32Array()] = await embedder.embedImages([bytes]);
    return { vector, weight };
  } catch (error) {
    throw error instanceof ImageError ? named(file, error) : error;
  }
}

/** What is meant as a file: it ends as pictures do, or has folders before it. */
const PATH =
  /\.(jpe?g|png|webp|gif|bmp|tiff?|avif|heic)$|^(\.{0,2}|~)[\\/]|^[a-z]:\\|^[^\s/]+(\/[^\s/]+)+\/?$/i;

/** @param {string} name */
async function isFile(name) {
  const about = await stat(name).catch(() => null);
  return about?.isFile() === true;
}

/** The model that the index names, where it can be found by that. @param {Values} values @param {string} file */
async function usualModel(values, file) {
  if (values.model !== undefined) return undefined;
  const opened = await openIndexFile(file, { threads: 1 });
  const { id } = opened.model;
  opened.dispose();
  if (find(id) || isHubId(id)) return id;
  throw usage(
    `The vectors of ${file} are of ${id || 'a model that it does not name'}: give its folder with --model.`,
  );
}

/** @param {import('../../page/index-options.js').Hit} hit @param {boolean} json */
function lineOf({ id, score, standardScore }, json) {
  if (!json) return `${printable(id)}: ${score.toFixed(3)}\n`;
  return `${JSON.stringify({ path: id, score, ...(standardScore !== null && { standardScore }) })}\n`;
}
