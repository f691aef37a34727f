/**
 * A command over many pictures: models that work side by side, results in the order of the pictures.
 *
 * @typedef {import('./inputs.js').Picture} Picture
 * @typedef {import('./results.js').Results} Results
 */

import { OcelliError } from '../shared/errors.js';
import { EXIT, Failure } from './failure.js';
import { readPicture } from './inputs.js';
import { loading, progress } from './progress.js';
import { amount, tell } from './terminal.js';
import { writeSidecar } from './xmp.js';

/** Codes of what is wrong with the command or the model, and so with every picture. */
const EVERY_PICTURE = /^(worker-failed|argument-invalid|label.*|template-invalid)$/;

/**
 * @template {{ dispose: () => void }} M
 * @typedef {object} Work
 * @property {Picture[]} pictures
 * @property {number} jobs
 * @property {boolean} quiet
 * @property {(onProgress: (progress: import('../shared/protocol.js').Progress) => void) => Promise<M>} open loads a model
 * @property {(model: M, bytes: Uint8Array, signal: AbortSignal) => Promise<Record<string, unknown>>} ask
 * @property {Pick<Results, 'known' | 'isWritten' | 'add' | 'onTerminal'>} results
 * @property {((answer: any) => { subjects?: string[], description?: string }) | null} sidecar what goes into sidecars
 */

/**
 * @template {{ dispose: () => void }} M
 * @param {Work<M>} work
 * @returns {Promise<number>} an exit code
 */
export async function work({ pictures, jobs, quiet, open, ask, results, sidecar }) {
  const controller = new AbortController();
  const { signal } = controller;
  const interrupt = () => controller.abort();
  process.once('SIGINT', interrupt);
  // Lines of results would be written into the bar.
  const bar = progress({ quiet: quiet || results.onTerminal, what: 'Pictures', total: pictures.length });
  /** @type {M[]} */
  const models = [];
  /** Why a model could not be loaded. @type {unknown} */
  let unopened;
  let failures = 0;
  /** Sidecars that were left as somebody else has written them. */
  let leftAlone = 0;
  let next = 0;
  let done = 0;
  /** Results that wait for those of pictures before them. @type {Map<number, (() => Promise<void>)>} */
  const waiting = new Map();
  let written = 0;
  let writing = Promise.resolve();

  /** Has results written in the order of the pictures. @param {number} index @param {() => Promise<void>} write */
  function settle(index, write) {
    waiting.set(index, write);
    for (let ready = waiting.get(written); ready; ready = waiting.get(written)) {
      waiting.delete(written);
      written += 1;
      const step = ready;
      writing = writing.then(step);
    }
    done += 1;
    bar.update(done);
    return writing;
  }

  /** @param {Picture} picture @param {unknown} error */
  function fail(picture, error) {
    failures += 1;
    tell(named(picture.path, error).message);
  }

  /** Loads a model with the first picture that needs one: where all is written already, none is. */
  async function labour() {
    /** @type {M | null} */
    let model = null;
    let ahead = take();
    while (ahead && !signal.aborted) {
      const { index, picture, read } = ahead;
      // The next picture is read while the model looks at this one.
      ahead = take();
      try {
        const { bytes, sha256 } = await read;
        const isWritten = results.isWritten({ path: picture.path, sha256 });
        if (isWritten && !sidecar) {
          await settle(index, async () => {});
          continue;
        }
        const answer = results.known.get(sha256) ?? (await ask((model ??= await openOne()), bytes, signal));
        await settle(index, async () => {
          if (!isWritten) await results.add({ path: picture.path, sha256, answer });
          if (!sidecar || picture.bytes !== undefined) return;
          try {
            if (!(await writeSidecar(picture.path, sidecar(answer)))) leftAlone += 1;
          } catch (error) {
            fail(picture, error);
          }
        });
      } catch (error) {
        if (signal.aborted) return;
        if (error === unopened || (error instanceof OcelliError && EVERY_PICTURE.test(error.code))) {
          throw error;
        }
        await settle(index, async () => fail(picture, error));
      }
    }
  }

  async function openOne() {
    const load = loading({ quiet });
    try {
      const model = await open(load.onProgress);
      models.push(model);
      return model;
    } catch (error) {
      // It is no picture's fault.
      unopened = error;
      throw error;
    } finally {
      load.stop();
    }
  }

  function take() {
    const index = next;
    const picture = pictures[index];
    if (!picture) return null;
    next += 1;
    const read = readPicture(picture);
    read.catch(() => {});
    return { index, picture, read };
  }

  try {
    await Promise.all(Array.from({ length: Math.min(jobs, pictures.length) }, labour));
    await writing;
  } finally {
    bar.stop();
    process.off('SIGINT', interrupt);
    for (const model of models) model.dispose();
  }
  if (leftAlone > 0) {
    const [were, it] = leftAlone === 1 ? [' was', 'it'] : ['s were', 'them'];
    tell(`${leftAlone} sidecar${were} there already, not as ocelli writes ${it}, and left alone.`);
  }
  const all = amount(pictures.length, 'picture');
  if (signal.aborted) {
    tell(`stopped after ${done} of ${all}; with --out, the same command goes on.`);
    return EXIT.interrupted;
  }
  if (failures > 0) tell(`${failures} of ${all} failed.`);
  return failures > 0 ? EXIT.partly : EXIT.done;
}

/** @param {unknown} error */
export function sentenceOf(error) {
  const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
  if (error instanceof OcelliError || error instanceof Failure) return message;
  if (code === 'ENOENT') return 'There is no such file.';
  if (code === 'EISDIR') return 'It is a folder.';
  if (code === 'EACCES' || code === 'EPERM') return 'It may not be read.';
  return message;
}

/** What is wrong with a file, by its name. @param {string} file @param {unknown} error */
export function named(file, error) {
  return new Failure(`${file}: ${sentenceOf(error)}`, EXIT.failed, { cause: error });
}
