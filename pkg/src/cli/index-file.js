/** Files of indexes. */

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Index } from '../page/vector-index.js';
import { usage } from './failure.js';

/**
 * @param {string} file
 * @param {import('../page/index-options.js').IndexOptions} options
 * @returns {Promise<Index>}
 */
export async function openIndexFile(file, options) {
  const about = await stat(file).catch(() => null);
  if (!about?.isFile()) {
    throw usage(`There is no index ${file}: \`ocelli index FOLDER --out ${file}\` makes one.`);
  }
  return Index.open(pathToFileURL(path.resolve(file)), options);
}
