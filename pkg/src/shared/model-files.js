/**
 * Which files a model has, and where they lie.
 *
 * @typedef {import('./types.js').ModelFile} ModelFile
 * @typedef {import('./types.js').ModelFiles} ModelFiles
 */

/**
 * A file beside another one.
 *
 * @param {ModelFile} file
 * @param {string} name
 * @returns {ModelFile}
 */
export function siblingOf({ url }, name) {
  return { name, url: new URL(name, url).href };
}

/**
 * The small files of a model, in the order in which the wasm reads them.
 *
 * @param {ModelFiles} files
 * @returns {ModelFile[]}
 */
export function smallFiles({ config, preprocessor, tokenizer }) {
  return tokenizer ? [config, preprocessor, tokenizer] : [config, preprocessor];
}
