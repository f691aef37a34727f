/**
 * The errors of the package: one base class, a subclass for each family, a stable `code` for programs and
 * a plain sentence for people. Errors cross the worker boundary through `serialise` and `revive` alone,
 * because structured cloning would strip their class and code.
 */

/** How long a word of a message can be, such as an address, and a message, in letters. */
const LONGEST_WORD = 200;
const LONGEST_MESSAGE = 2000;

/** Any error of ocelli. */
export class OcelliError extends Error {
  /**
   * @param {string} code what went wrong, for programs
   * @param {string} message what went wrong, for people: one sentence
   * @param {{ cause?: unknown }} [options]
   */
  constructor(code, message, options) {
    super(shortened(message), options);
    /** @type {string} What went wrong, for programs; codes never change meaning. */
    this.code = code;
    this.name = 'OcelliError';
  }
}

/**
 * A message that can be read, whatever it names: addresses can hold whole files (`data:`), and so can what was given in the
 * place of a name.
 *
 * @param {string} message
 */
function shortened(message) {
  const short = message.replace(new RegExp(`\\S{${LONGEST_WORD},}`, 'g'), (word) => {
    const [end] = /["').,:;?!]{0,4}$/.exec(word) ?? [''];
    return beginning(word.slice(0, word.length - end.length), LONGEST_WORD) + end;
  });
  return beginning(short, LONGEST_MESSAGE);
}

/** As much of a text, with a sign that it went on. @param {string} text @param {number} letters */
function beginning(text, letters) {
  if (text.length <= letters) return text;
  // No half of a letter that is written as two.
  return `${text.slice(0, letters).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** The picture is empty, damaged, too large, unreadable or of an unsupported format. */
export class ImageError extends OcelliError {
  /** @param {string} code @param {string} message @param {{ cause?: unknown, index?: number }} [options] */
  constructor(code, message, options) {
    super(code, message, options);
    this.name = 'ImageError';
    /** @type {number | null} Of several pictures, the place of the one that it is about. */
    this.index = options?.index ?? null;
  }
}

/** The labels or their template cannot be used. */
export class LabelError extends OcelliError {
  /** @param {string} code @param {string} message @param {{ cause?: unknown }} [options] */
  constructor(code, message, options) {
    super(code, message, options);
    this.name = 'LabelError';
  }
}

/** The model's files are not what the model needs. */
export class ModelError extends OcelliError {
  /** @param {string} code @param {string} message @param {{ cause?: unknown }} [options] */
  constructor(code, message, options) {
    super(code, message, options);
    this.name = 'ModelError';
  }
}

/** An index cannot take or give what it is asked for. */
export class IndexError extends OcelliError {
  /** @param {string} code @param {string} message @param {{ cause?: unknown }} [options] */
  constructor(code, message, options) {
    super(code, message, options);
    this.name = 'IndexError';
  }
}

/** A file could not be fetched. */
export class NetworkError extends OcelliError {
  /** @param {string} code @param {string} message @param {{ cause?: unknown, status?: number | null }} [options] */
  constructor(code, message, options) {
    super(code, message, options);
    this.name = 'NetworkError';
    /** @type {number | null} The HTTP status, where the server answered at all. */
    this.status = options?.status ?? null;
  }
}

/** The call was aborted through its `AbortSignal`; `cause` is the signal's reason. */
export class AbortError extends OcelliError {
  /** @param {string} code @param {string} message @param {{ cause?: unknown }} [options] */
  constructor(code, message, options) {
    super(code, message, options);
    this.name = 'AbortError';
  }
}

/** The worker failed, could not start, or was disposed of. */
export class WorkerError extends OcelliError {
  /** @param {string} code @param {string} message @param {{ cause?: unknown }} [options] */
  constructor(code, message, options) {
    super(code, message, options);
    this.name = 'WorkerError';
  }
}

/** Every code and the class that carries it. Codes shared with Rust are spelt as in `src/error.rs`. */
const CLASS_OF = Object.freeze({
  'image-empty': ImageError,
  'image-unsupported': ImageError,
  'image-damaged': ImageError,
  'image-too-large': ImageError,
  'image-unreadable': ImageError,
  'labels-empty': LabelError,
  'labels-too-many': LabelError,
  'label-empty': LabelError,
  'label-too-long': LabelError,
  'template-invalid': LabelError,
  'config-invalid': ModelError,
  'preprocessor-invalid': ModelError,
  'tokenizer-invalid': ModelError,
  'weights-invalid': ModelError,
  'weights-truncated': ModelError,
  'weights-mismatch': ModelError,
  'not-a-model': ModelError,
  'integrity-mismatch': ModelError,
  'index-invalid': IndexError,
  'index-mismatch': IndexError,
  'index-full': IndexError,
  'index-missing': IndexError,
  network: NetworkError,
  'http-status': NetworkError,
  'not-found': NetworkError,
  aborted: AbortError,
  disposed: WorkerError,
  'worker-failed': WorkerError,
  'unsupported-browser': WorkerError,
  'argument-invalid': OcelliError,
  internal: OcelliError,
});

/** @typedef {keyof typeof CLASS_OF} ErrorCode A code that this version of ocelli gives. */

/** Every error code of this version. */
export const errorCodes = /** @type {readonly ErrorCode[]} */ (Object.freeze(Object.keys(CLASS_OF)));

/**
 * The error for a code: of the code's own class, or a plain `OcelliError` for a code unknown here.
 *
 * @param {string} code
 * @param {string} message
 * @param {{ cause?: unknown, status?: number | null, index?: number }} [options]
 * @returns {OcelliError}
 */
export function errorFor(code, message, options) {
  const Class = Object.hasOwn(CLASS_OF, code) ? CLASS_OF[/** @type {ErrorCode} */ (code)] : OcelliError;
  return new Class(code, message, options);
}

/**
 * The stable code of a thrown value, or null where it has none. `DOMException.code` is a number and is
 * none of ours; Node's system errors (`ECONNRESET`) are no codes of ours either.
 *
 * @param {unknown} error
 * @returns {string | null}
 */
export function codeOf(error) {
  if (!(error instanceof Error)) return null;
  const code = /** @type {{ code?: unknown }} */ (error).code;
  return typeof code === 'string' && /^[a-z]+(-[a-z]+)*$/.test(code) ? code : null;
}

/**
 * An error that says which of several pictures it is of, where it is of a picture.
 *
 * @param {unknown} error
 * @param {number} index
 * @returns {unknown}
 */
export function ofPicture(error, index) {
  const code = codeOf(error);
  if (!(error instanceof Error) || !code?.startsWith('image-')) return error;
  return errorFor(code, error.message, { cause: error.cause, index });
}

/**
 * @typedef {object} ErrorData An error as it crosses the worker boundary.
 * @property {string} name
 * @property {string | null} code
 * @property {string} message
 * @property {string | undefined} stack
 * @property {number | null} status
 * @property {number} [index]
 * @property {ErrorData | null} cause
 */

/** A chain of causes longer than this is cut: it can only be a cycle. */
const MAX_CAUSES = 8;

/**
 * @param {unknown} error anything that was thrown
 * @returns {ErrorData}
 */
export function serialise(error, depth = 0) {
  if (!(error instanceof Error)) {
    return { name: 'Error', code: null, message: String(error), stack: undefined, status: null, cause: null };
  }
  const cause = error.cause ?? detailOf(error);
  return {
    name: error.name,
    code: codeOf(error),
    message: error.message,
    stack: error.stack,
    status: error instanceof NetworkError ? error.status : null,
    ...(error instanceof ImageError && error.index !== null && { index: error.index }),
    cause: cause === undefined || depth >= MAX_CAUSES ? null : serialise(cause, depth + 1),
  };
}

/**
 * The wasm tells lower-level causes as one string, which stands in for a cause.
 *
 * @param {Error & { detail?: unknown }} error
 * @returns {string | undefined}
 */
function detailOf({ detail }) {
  return typeof detail === 'string' ? detail : undefined;
}

/**
 * The error that `serialise` was given, of its own class again.
 *
 * @param {ErrorData} data
 * @returns {Error}
 */
export function revive(data) {
  const { name, code, message, stack, status, index } = data;
  const options = {
    status,
    ...(index !== undefined && { index }),
    ...(data.cause && { cause: revive(data.cause) }),
  };
  const error =
    code === null ? Object.assign(new Error(message, options), { name }) : errorFor(code, message, options);
  if (stack !== undefined) error.stack = stack;
  return error;
}
