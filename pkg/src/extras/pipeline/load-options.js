/**
 * From the options of `pipeline` to those of a load.
 *
 * @typedef {import('../../page/model.js').LoadOptions} LoadOptions
 * @typedef {import('../../shared/protocol.js').Dtype} Dtype
 * @typedef {import('./progress.js').ProgressInfo} ProgressInfo
 *
 * @typedef {'auto' | 'fp32' | 'fp16' | 'q8' | 'int8' | 'uint8' | 'q4' | 'bnb4' | 'q4f16' | 'q2' | 'q2f16' | 'q1' | 'q1f16'} DataType
 * @typedef {'auto' | 'gpu' | 'cpu' | 'wasm' | 'webgpu' | 'cuda' | 'dml' | 'coreml' | 'webnn' | 'webnn-npu' | 'webnn-gpu'
 *   | 'webnn-cpu'} Device
 *
 * @typedef {object} TransformersLoadOptions
 * @property {((info: ProgressInfo) => void) | null} [progress_callback]
 * @property {DataType | Dtype | Record<string, DataType> | null} [dtype] how the matrices are stored in memory: `fp32` is `f32`
 *   here, `fp16` `f16`, and everything smaller, as well as nothing, `int8`. Of several files' the most exact
 * @property {Device | Record<string, Device> | null} [device] `wasm` and `cpu`, or
 *   `webgpu` and `gpu`; of the others nothing comes, and ocelli chooses
 * @property {string | null} [revision] the hub revision of all files; each model's own by default
 * @property {string | null} [subfolder] where the file of weights is in the model's folder: `onnx` where `model_file_name` is
 *   given
 * @property {string | null} [model_file_name] the file of weights, without what `dtype` adds to its name and without `.onnx`
 * @property {boolean} [local_files_only] whether the model is looked for below `env.localModelPath` alone
 * @property {string | null} [cache_dir] nothing comes of it
 * @property {object} [session_options] nothing comes of it
 * @property {false | null} [use_external_data_format]
 * @property {null} [config]
 *
 * @typedef {TransformersLoadOptions & Omit<LoadOptions, 'dtype' | 'revision' | 'onProgress' | 'base' | 'keep'>} PipelineOptions
 *   The options of transformers.js, and those of a load that it has no names for.
 */

import { LOAD } from '../../page/model.js';
import { env } from './env.js';
import { CALLBACK, FLAG, IGNORED, oneOf, PASSED, readNamed, refused, TEXT } from './options.js';

/** What transformers.js calls types of numbers, and ocelli's own names: each with ours, and with how its files end. */
const DTYPES = /** @type {const} */ ({
  fp32: { dtype: 'f32', suffix: '' },
  fp16: { dtype: 'f16', suffix: '_fp16' },
  q8: { dtype: 'int8', suffix: '_quantized' },
  int8: { dtype: 'int8', suffix: '_int8' },
  uint8: { dtype: 'int8', suffix: '_uint8' },
  auto: { dtype: 'int8', suffix: '_quantized' },
  f32: { dtype: 'f32', suffix: '' },
  f16: { dtype: 'f16', suffix: '_fp16' },
});
/** Types with less than eight bits, whose files are not read: the eight-bit ones are taken. */
const SMALLER = ['q4', 'bnb4', 'q4f16', 'q2', 'q2f16', 'q1', 'q1f16'];
const DTYPE_NAMES = [...Object.keys(DTYPES), ...SMALLER];
/** The most exact one first. @type {readonly Dtype[]} */
const EXACTNESS = ['f32', 'f16', 'int8'];

const DEVICES = [
  ...['auto', 'gpu', 'cpu', 'wasm', 'webgpu', 'cuda', 'dml', 'coreml'],
  ...['webnn', 'webnn-npu', 'webnn-gpu', 'webnn-cpu'],
];

/** One of some names, or several by the files that they are for. @param {readonly string[]} names */
const ofFiles = (names) => ({
  valid: (/** @type {any} */ value) =>
    typeof value === 'object'
      ? Object.values(value).every((one) => names.includes(one))
      : names.includes(value),
  must: oneOf(names).must,
});

const OWN = LOAD.filter((name) => !['dtype', 'device', 'revision', 'onProgress'].includes(name));

const OPTIONS = {
  progress_callback: CALLBACK,
  dtype: ofFiles(DTYPE_NAMES),
  device: ofFiles(DEVICES),
  revision: TEXT,
  subfolder: TEXT,
  model_file_name: TEXT,
  local_files_only: FLAG,
  cache_dir: IGNORED,
  session_options: IGNORED,
  use_external_data_format: {
    valid: (/** @type {unknown} */ value) => value === false,
    must: 'be left out: weights in files beside an ONNX file are not read',
    unheeded: true,
  },
  config: refused("be left out: the configuration is read from the model's folder"),
  ...Object.fromEntries(OWN.map((name) => [name, PASSED])),
};

/** Organisations of the hub whose models are for transformers.js: their weights are in ONNX files, one for each type. */
const ONNX_OWNERS = /^(Xenova|onnx-community)\//;

/** The most threads that a load takes. */
const MOST_THREADS = 64;

/**
 * @param {PipelineOptions} options
 * @returns {{ load: (model: unknown) => LoadOptions, tell: ((info: ProgressInfo) => void) | undefined, localOnly: boolean,
 *   revision: string | undefined }} `load`: the options of the load of a model
 * @throws {OcelliError} `argument-invalid`
 */
export function readLoadOptions(options) {
  const {
    progress_callback: tell,
    dtype: named,
    device: wanted,
    revision,
    subfolder = 'onnx',
    model_file_name: file,
    local_files_only: localOnly = false,
    ...own
  } = readNamed(options, OPTIONS);
  const { dtype, suffix } = typeOf(named);
  const device = deviceOf(wanted);
  const isNamed = file !== undefined || (options.subfolder ?? undefined) !== undefined;
  return {
    tell,
    localOnly,
    revision,
    load(model) {
      const inOnnx = isNamed || (typeof model === 'string' && ONNX_OWNERS.test(model));
      const weights = `${subfolder === '' ? '' : `${subfolder}/`}${file ?? 'model'}${suffix}.onnx`;
      return {
        ...environment(),
        ...(revision !== undefined && { revision }),
        ...(inOnnx && { weights }),
        ...own,
        ...(device && { device }),
        dtype,
      };
    },
  };
}

/** @param {string | Record<string, string> | undefined} named @returns {{ dtype: Dtype, suffix: string }} */
function typeOf(named = 'auto') {
  const found = (typeof named === 'object' ? Object.values(named) : [named]).map((name) =>
    Object.hasOwn(DTYPES, name) ? DTYPES[/** @type {keyof typeof DTYPES} */ (name)] : DTYPES.q8,
  );
  const dtype = EXACTNESS.find((one) => found.some((type) => type.dtype === one));
  return found.find((type) => type.dtype === dtype) ?? DTYPES.auto;
}

/** The processor or the GPU, where one of them is named for all files. @param {string | Record<string, string> | undefined} wanted */
function deviceOf(wanted) {
  if (wanted === 'wasm' || wanted === 'cpu') return 'wasm';
  return wanted === 'webgpu' || wanted === 'gpu' ? 'webgpu' : null;
}

/** What `env` says of every load. @returns {LoadOptions} */
function environment() {
  const threads = env.backends?.onnx?.wasm?.numThreads;
  const kept = env.useBrowserCache !== false && env.useFSCache !== false;
  return {
    ...(threads !== undefined && threads >= 1 && { threads: Math.min(Math.floor(threads), MOST_THREADS) }),
    ...(!kept && { cache: false }),
  };
}
