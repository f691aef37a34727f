/**
 * Which files a model has, and where they lie.
 *
 * @typedef {import('./types.js').ModelFile} ModelFile
 * @typedef {import('./types.js').ModelFiles} ModelFiles
 */

/** Names that a model's weights have where no other was given, in the order in which they are looked for. */
export const WEIGHTS = [
  ...['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin'],
  ...['pytorch_model.bin.index.json', 'model.gguf', 'open_clip_model.safetensors'],
  ...['open_clip_pytorch_model.bin', 'onnx/model_quantized.onnx', 'onnx/model.onnx'],
];

/**
 * A further file of a model, which lies beside its configuration where no other address was given.
 *
 * @param {Pick<ModelFiles, 'config' | 'beside'>} files
 * @param {string} name
 * @returns {ModelFile}
 */
export function fileBeside({ config, beside }, name) {
  const own = beside && Object.hasOwn(beside, name) ? beside[name] : undefined;
  const url = own ?? addressBeside(name, new URL(config.url)).href;
  return { name, url, ...(config.access && { access: config.access }) };
}

/**
 * The address of a file beside another, or in a folder. What signs that address, its query, signs this one.
 *
 * @param {string} name
 * @param {URL} other
 * @returns {URL}
 */
export function addressBeside(name, other) {
  const url = new URL(name, other);
  url.search = other.search;
  return url;
}

/**
 * What lets in to a model, out of the options of a load; undefined where there is none of them.
 *
 * @param {{ [K in keyof import('./types.js').Access]?: import('./types.js').Access[K] | undefined }} options
 * @returns {import('./types.js').Access | undefined}
 */
export function accessOf({ headers, credentials, integrity }) {
  const access = {
    ...(headers && { headers: { ...headers } }),
    ...(credentials && { credentials }),
    ...(integrity && { integrity: { ...integrity } }),
  };
  return Object.keys(access).length > 0 ? access : undefined;
}

/**
 * The same files, asked for with what lets in to them.
 *
 * @param {ModelFiles} files
 * @param {import('./types.js').Access} access
 * @returns {ModelFiles}
 */
export function withAccess({ config, preprocessor, tokenizer, weights, ...rest }, access) {
  /** @param {ModelFile} file @returns {ModelFile} */
  const granted = (file) => ({ ...file, access, ...(file.others && { others: file.others.map(granted) }) });
  return {
    ...rest,
    config: granted(config),
    preprocessor: granted(preprocessor),
    ...(tokenizer && { tokenizer: granted(tokenizer) }),
    weights: granted(weights),
  };
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
