/**
 * Matrices and vectors of a tower, as the kernels read them.
 *
 * @typedef {import('./types.js').TowerTensor} TowerTensor
 * @typedef {import('./types.js').ReadTensor} ReadTensor
 * @typedef {import('./device.js').Uploads} Uploads
 *
 * @typedef {object} Matrix
 * @property {import('./types.js').Dtype} dtype
 * @property {number} outputs
 * @property {number} inputs
 * @property {number} pitch of a panel: groups of int8 columns, columns of others
 * @property {GPUBuffer} values in the layout of the wasm
 * @property {GPUBuffer} columns for each four outputs their scales, then their biases
 *
 * @typedef {{ gain: GPUBuffer, bias: GPUBuffer }} Norm
 */

/** Rows of one panel. */
const PANEL = 8;

/** Bytes of one row's numbers that lie together in a panel, and how many columns those are. */
const CELLS = {
  int8: { bytes: 4, columns: 4 },
  f16: { bytes: 2, columns: 1 },
  f32: { bytes: 4, columns: 1 },
};

/** How many cells a row has: int8 rows have an even number. @param {TowerTensor} tensor */
function pitchOf({ dtype, columns }) {
  return dtype === 'int8' ? Math.ceil(columns / 8) * 2 : columns;
}

/** Several matrices below each other. @param {TowerTensor[]} tensors @returns {TowerTensor} */
export function stacked(tensors) {
  const [first] = tensors;
  if (!first) throw new Error('There is no matrix to stack.');
  if (tensors.length === 1) return first;
  const { dtype, columns } = first;
  if (tensors.some((one) => one.dtype !== dtype || one.columns !== columns)) {
    throw new Error('Matrices that are read together differ in dtype or width.');
  }
  const rows = tensors.reduce((sum, one) => sum + one.rows, 0);
  const { bytes } = CELLS[dtype];
  const pitch = pitchOf(first);
  const padded = Math.ceil(rows / PANEL) * PANEL;
  const values = new Uint8Array(padded * pitch * bytes);
  const scales = dtype === 'int8' ? new Float32Array(padded) : undefined;
  let row = 0;
  for (const tensor of tensors) {
    if (tensor.scales) scales?.set(tensor.scales.subarray(0, tensor.rows), row);
    if (row % PANEL === 0) {
      // Zero rows at the end of its last panel are overwritten by the next.
      values.set(tensor.values.subarray(0, values.length - row * pitch * bytes), row * pitch * bytes);
    } else {
      for (let from = 0; from < tensor.rows; from++) {
        copyRow(tensor.values, from, values, row + from, pitch, bytes);
      }
    }
    row += tensor.rows;
  }
  return { dtype, rows, columns, values, scales };
}

/**
 * @param {Uint8Array} source @param {number} from @param {Uint8Array} target @param {number} to
 * @param {number} pitch @param {number} bytes
 */
function copyRow(source, from, target, to, pitch, bytes) {
  const first = (/** @type {number} */ row) =>
    (Math.floor(row / PANEL) * pitch * PANEL + (row % PANEL)) * bytes;
  for (let cell = 0; cell < pitch; cell++) {
    const at = first(from) + cell * PANEL * bytes;
    target.set(source.subarray(at, at + bytes), first(to) + cell * PANEL * bytes);
  }
}

/**
 * @param {Uploads} uploads
 * @param {string} label
 * @param {TowerTensor} tensor
 * @param {{ bias?: Float32Array, factor?: Float32Array }} [options] `factor`: what multiplies each output, bias included
 * @returns {Matrix}
 */
export function uploadMatrix(uploads, label, tensor, { bias, factor } = {}) {
  const { dtype, rows, columns, values, scales } = tensor;
  const pitch = pitchOf(tensor);
  const panels = Math.ceil(rows / PANEL);
  if (values.byteLength !== panels * PANEL * pitch * CELLS[dtype].bytes) {
    throw new Error(
      `${label} has ${values.byteLength} bytes, which are not ${rows} rows of ${columns} in ${dtype}.`,
    );
  }
  if (dtype === 'int8' && (scales?.length ?? 0) < rows) {
    throw new Error(`${label} has no scale for each row.`);
  }
  const perColumn = new Float32Array(panels * PANEL * 2);
  for (let row = 0; row < rows; row++) {
    const at = Math.floor(row / 4) * 8 + (row % 4);
    const by = factor?.[row] ?? 1;
    perColumn[at] = by * (scales?.[row] ?? 1);
    perColumn[at + 4] = by * (bias?.[row] ?? 0);
  }
  return {
    dtype,
    outputs: rows,
    inputs: columns,
    pitch,
    values: uploads.add(label, values),
    columns: uploads.add(`${label}, columns`, perColumn),
  };
}

/** @param {ReadTensor} read @param {string} name @param {number} length */
export function vector(read, name, length) {
  const values = read(name)?.vector;
  if (values && values.length !== length) {
    throw new Error(`${name} has ${values.length} numbers, not ${length}.`);
  }
  return values;
}

/** A vector that has to be there. @param {ReadTensor} read @param {string} name @param {number} length */
export function required(read, name, length) {
  const values = vector(read, name, length);
  if (!values) throw new Error(`The tower has no ${name}.`);
  return values;
}

/**
 * A matrix with its bias, if any, or several that are stacked; undefined where the tower has no tensor of the first name. Each tensor
 * is read once.
 * @param {Uploads} uploads
 * @param {ReadTensor} read
 * @param {string[]} names
 * @param {{ outputs: number, inputs: number, factor?: Float32Array }} shape outputs of each
 */
export function findMatrix(uploads, read, names, { outputs, inputs, factor }) {
  /** @type {TowerTensor[]} */
  const tensors = [];
  for (const name of names) {
    const tensor = read(name)?.matrix;
    if (!tensor && tensors.length === 0) return undefined;
    if (tensor?.rows !== outputs || tensor.columns !== inputs) {
      throw new Error(`The tower has no ${name} of ${outputs} by ${inputs} numbers.`);
    }
    tensors.push(tensor);
  }
  const bias = new Float32Array(outputs * names.length);
  for (const [i, name] of names.entries()) {
    const values = vector(read, `${name}.bias`, outputs);
    if (values) bias.set(values, i * outputs);
  }
  return uploadMatrix(uploads, names.join(', '), stacked(tensors), { bias, factor });
}

/**
 * A matrix that has to be there.
 * @param {Uploads} uploads
 * @param {ReadTensor} read
 * @param {string[]} names
 * @param {{ outputs: number, inputs: number, factor?: Float32Array }} shape outputs of each
 */
export function readMatrix(uploads, read, names, shape) {
  const matrix = findMatrix(uploads, read, names, shape);
  if (!matrix) {
    throw new Error(`The tower has no ${names[0]} of ${shape.outputs} by ${shape.inputs} numbers.`);
  }
  return matrix;
}

/**
 * @param {Uploads} uploads @param {ReadTensor} read @param {string} name @param {number} width
 * @returns {Norm}
 */
export function readNorm(uploads, read, name, width) {
  return {
    gain: uploads.add(`${name}.weight`, required(read, `${name}.weight`, width)),
    bias: uploads.add(`${name}.bias`, required(read, `${name}.bias`, width)),
  };
}
