/** What is read back from storage, which anything of this origin may have written. */

import { TASK_NAMES } from '../shared/tasks.js';

/** How many small files a model may have: all have two, and those that read or write texts up to four more. */
const SMALL_FILES = [2, 3, 4, 5, 6];

/** More files than any model has, those of its weights included. */
const MOST_FILES = 1100;

/** What can be kept of a model: all of it, one tower or both, or what a task needs. @type {readonly string[]} */
const PARTS = ['all', 'both', 'image', 'text', ...TASK_NAMES];

/**
 * @param {any} value
 * @returns {value is import('./index.js').Record}
 */
export function isRecord(value) {
  const text = (/** @type {unknown} */ field) => typeof field === 'string' && field.length <= 4096;
  const count = (/** @type {unknown} */ field) => Number.isSafeInteger(field) && Number(field) >= 0;
  return (
    typeof value === 'object' &&
    value !== null &&
    text(value.id) &&
    (value.revision === null || text(value.revision)) &&
    PARTS.includes(value.part) &&
    text(value.dtype) &&
    text(value.date) &&
    count(value.packing) &&
    count(value.weights) &&
    Array.isArray(value.small) &&
    SMALL_FILES.includes(value.small.length) &&
    value.small.every((/** @type {any} */ file) => count(file?.bytes) && text(file?.sha256)) &&
    // Earlier versions did not keep them.
    (value.versions === undefined ||
      (Array.isArray(value.versions) &&
        value.versions.length <= MOST_FILES &&
        value.versions.every((/** @type {any} */ file) => text(file?.url) && text(file?.version))))
  );
}
