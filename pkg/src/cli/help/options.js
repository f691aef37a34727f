/** Options that several commands take, and what a command is. */

/**
 * @typedef {object} Option
 * @property {'string' | 'boolean'} type
 * @property {string} [short]
 * @property {string} [value] what it takes, in help
 * @property {string} help
 *
 * @typedef {object} Command
 * @property {string} summary
 * @property {string} usage
 * @property {string} about
 * @property {Record<string, Option>} options
 * @property {string[]} examples
 */

export const MODEL = /** @type {const} @satisfies {Record<string, Option>} */ ({
  model: {
    type: 'string',
    short: 'm',
    value: 'MODEL',
    help: 'built-in model (ocelli, the default), ORG/NAME on the hub, or a folder with a model’s files',
  },
  dtype: {
    type: 'string',
    value: 'TYPE',
    help: 'how matrices are kept in memory: int8 (the default), f16 or f32',
  },
  threads: { type: 'string', value: 'N', help: 'threads of each model; all cores, at most 8, by default' },
  'hub-url': { type: 'string', value: 'URL', help: 'where the model hub is' },
  revision: { type: 'string', value: 'REV', help: 'revision of the model on the hub' },
  'no-cache': { type: 'boolean', help: 'do not keep a model of the hub for the next time' },
});

/** @type {Record<string, Option>} */
export const ALWAYS = {
  help: { type: 'boolean', short: 'h', help: 'this text' },
  quiet: { type: 'boolean', short: 'q', help: 'no progress, only results and failures' },
};

export const OUTPUT = /** @type {const} @satisfies {Record<string, Option>} */ ({
  out: {
    type: 'string',
    short: 'o',
    value: 'FILE',
    help: 'write there (.jsonl or .csv), and go on with what an earlier run wrote; - is standard output',
  },
  force: { type: 'boolean', help: 'with --out, begin anew, whatever the file has' },
  json: { type: 'boolean', help: 'JSON lines: one object for each picture' },
  csv: { type: 'boolean', help: 'comma-separated values with a header' },
  jobs: { type: 'string', short: 'j', value: 'N', help: 'models that work side by side; 1 by default' },
});

/** @type {Record<string, Option>} */
export const TABLE = {
  out: {
    ...OUTPUT.out,
    help: 'write there (.jsonl, .npy or .parquet), and go on with what an earlier run wrote of pictures',
  },
  force: OUTPUT.force,
  jobs: OUTPUT.jobs,
};

/** @type {Record<string, Option>} */
export const LIST = {
  null: { type: 'boolean', short: '0', help: 'the list on standard input has NULs between its names' },
};

/** @type {Option} */
export const XMP = {
  type: 'boolean',
  help: 'sidecars beside pictures, photo.jpg.xmp; those of other programs stay',
};

export const PICTURES = `PICTURE is a file, a folder (with all below it), a glob ("photos/**/*.jpg"), or -:
standard input, either one picture or a list of files, one a line (with -0 as find -print0 has it).`;
