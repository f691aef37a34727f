/** Files of indexes. */

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Index } from '../page/vector-index.js';
import { codeOf } from '../shared/errors.js';
import { usage } from './failure.js';
import { named } from './work.js';

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
  try {
    return await Index.open(pathToFileURL(path.resolve(file)), options);
  } catch (error) {
    // One that belongs to another model is no fault of the file.
    throw codeOf(error) === 'index-invalid' ? named(file, error) : error;
  }
}
