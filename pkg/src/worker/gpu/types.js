/**
 * What the wasm says of a transformer, and how it hands over its tensors.
 *
 * @typedef {'gelu' | 'quick_gelu' | 'gelu_tanh' | 'relu' | 'relu6' | 'silu'} Activation the formulas of `src/kernels/activation.rs`
 *
 * @typedef {object} TowerDescription
 * @property {number} width hidden size, a multiple of 4
 * @property {number} heads
 * @property {number} intermediate width of the MLP, a multiple of 4
 * @property {Activation} activation
 * @property {number} epsilon of the layer norms
 * @property {number} layers
 * @property {boolean} [causal] whether a row sees only those before it, and itself
 * @property {number} patches of one image; 0 where rows come as they go into the first layer, as those of texts do
 * @property {number} inputs numbers of a patch: 3 * patch * patch
 * @property {number} prefix rows before the patches: class token, registers
 * @property {RowsAsked} output which rows of the last layer are asked for by default
 * @property {boolean} preNorm whether there is a layer norm before the first layer
 * @property {{ layers: number, width: number }} [keyValues] what texts see of images: for so many of their layers keys and values,
 *   so wide each, of the states after a last norm
 *
 * @typedef {'class' | 'all' | 'ends'} RowsAsked the first row alone, or all of them, or one of each text
 *
 * @typedef {'int8' | 'f16' | 'f32'} Dtype
 *
 * @typedef {object} TowerTensor a matrix in the packed layout of `src/kernels/matrix.rs`: panels of 8 rows
 * @property {Dtype} dtype
 * @property {number} rows outputs
 * @property {number} columns inputs
 * @property {Uint8Array} values int8: panel, group of 4 columns, row, column; f32 and f16: panel, column, row
 * @property {Float32Array} [scales] of int8: one for each row, those that fill the last panel included
 *
 * @typedef {(name: string) => { matrix?: TowerTensor, vector?: Float32Array } | undefined} ReadTensor undefined where the
 *   tower has no such tensor
 */

export {};
