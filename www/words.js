/**
 * The page's small change of language: bytes, percentages, counts and progress as a person reads them.
 *
 * @typedef {import('ocelli').ProgressEvent} Progress
 */

const number = new Intl.NumberFormat('en');

/** @param {number} count @param {string} one @param {string} [many] @returns {string} "1 label", "159 labels" */
export function count(count, one, many = `${one}s`) {
  return `${number.format(count)} ${count === 1 ? one : many}`;
}

/** @param {number} pictures that somebody had removed @returns {string} */
export function leftOut(pictures) {
  return `${count(pictures, 'removed picture was', 'removed pictures were')} left out.`;
}

/** @param {number} value @returns {string} "1,000" */
export function digits(value) {
  return number.format(value);
}

/** @param {number} value in megabytes @returns {string} one decimal below a hundred, none above */
function megabytes(value) {
  return value < 99.95 ? value.toFixed(1) : number.format(Math.round(value));
}

/** @param {number} value @returns {string} "12.3 MB" */
export function bytes(value) {
  return `${megabytes(value / 1e6)} MB`;
}

/** @param {number} value @returns {string} "2.4 MB", and "31 kB" rather than "0.0 MB" */
export function fileSize(value) {
  return value < 1e6 ? `${number.format(Math.max(1, Math.round(value / 1e3)))} kB` : bytes(value);
}

/** @param {number} score from 0 to 1 @returns {string} "41%", and "<1%" rather than "0%" */
export function percent(score) {
  if (score < 0.01) return '<1%';
  return `${Math.round(score * 100)}%`;
}

/** @param {string} text @returns {string} with a capital, to begin a sentence */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {Progress} progress @param {string} title the model's @returns {string} what is going on, as a sentence without its stop */
export function progressLine(progress, title) {
  switch (progress.phase) {
    case 'download':
      if (progress.total === null) return `Downloading ${title}: ${bytes(progress.loaded)}`;
      return `Downloading ${title}: ${megabytes(progress.loaded / 1e6)} of ${bytes(progress.total)}`;
    case 'cache':
      return `Reading ${title} from this browser: ${megabytes(progress.loaded / 1e6)} of ${bytes(progress.total ?? 0)}`;
    case 'build':
      return `Preparing ${title}`;
    case 'labels':
    case 'texts':
    case 'words':
    case 'answers':
      return `Reading ${progress.phase}: ${number.format(progress.loaded)} of ${number.format(progress.total ?? 0)}`;
    case 'image':
      return `Looking: layer ${progress.loaded} of ${progress.total ?? 0}`;
    default:
      return `${capital(title)} is ready`;
  }
}

/** @param {Progress | null} progress @returns {number | null} how far, from 0 to 1; `null` where nobody knows */
export function fraction(progress) {
  if (!progress || progress.phase === 'build' || !progress.total) return null;
  return Math.min(1, progress.loaded / progress.total);
}

/**
 * A plain sentence for any failure. The package's errors carry one; anything else is a defect of the
 * page and is said to be one.
 *
 * @param {unknown} error
 * @returns {{ sentence: string, code: string }}
 */
export function explain(error) {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return { sentence: error.message, code: error.code };
  }
  const detail = error instanceof Error ? ` (${error.message})` : '';
  return { sentence: `Something went wrong inside the page${detail}.`, code: 'page' };
}

/** @param {unknown} error @returns {boolean} whether someone cancelled, which is no failure */
export function isAbort(error) {
  return error instanceof Error && error.name === 'AbortError';
}

/**
 * What a model runs on, and why.
 * @param {import('ocelli').Runtime} runtime
 */
export function runsOn({ device, variant, threads, reason }) {
  const simd = variant.startsWith('relaxed') ? 'relaxed SIMD' : 'plain SIMD';
  const how = `with ${simd} on ${threads === 1 ? 'one thread' : `${threads} threads`}`;
  const runs = device === 'webgpu' ? `Runs on the graphics card, and ${how}` : `Runs ${how}`;
  return `${runs}. ${reason}`;
}

/** Characters of a text that are enough to know it again. */
const ENOUGH = 60;

/** @param {string} text @returns {string} the same, or its beginning where it is long */
function short(text) {
  const letters = [...text];
  if (letters.length <= ENOUGH) return text;
  const start = letters.slice(0, ENOUGH).join('');
  return `${start.replace(/\s+\S*$/, '')}…`;
}

/** @param {'tag' | 'word' | 'match' | 'class'} about @param {string} text @returns {string} what a map shows */
export function lookedAt(about, text) {
  if (about === 'tag') return `What speaks for “${short(text)}”`;
  if (about === 'word') return `Where the captioner looked for “${text}”`;
  if (about === 'match') return `What makes it match “${short(text)}”`;
  return 'Where the classifier looked';
}

/** What there is to say where work was stopped. @param {{ stopped: number }} tally @returns {string | null} null where it was not */
export function stoppedLine({ stopped }) {
  return stopped > 0 ? `Stopped with ${count(stopped, 'picture')} left` : null;
}
