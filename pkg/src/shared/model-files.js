/**
 * Which files a model has, and where they lie.
 *
 * @typedef {import('./types.js').ModelFile} ModelFile
 * @typedef {import('./types.js').ModelFiles} ModelFiles
 */

/**
 * A further file of a model, which lies beside its configuration where no other address was given.
 *
 * @param {ModelFiles} files
 * @param {string} name
 * @returns {ModelFile}
 */
export function fileBeside({ config, beside }, name) {
  const own = beside && Object.hasOwn(beside, name) ? beside[name] : undefined;
  return { name, url: own ?? new URL(name, config.url).href };
}

/**
 * The small files of a model, in the order in which the wasm reads them.
 *
 * @param {ModelFiles} files
 * @returns {[ModelFile, ...ModelFile[]]} the configuration first
 */
export function smallFiles({ config, preprocessor, tokenizer }) {
  return tokenizer ? [config, preprocessor, tokenizer] : [config, preprocessor];
}
