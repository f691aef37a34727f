/** How far a command has come: a bar on a terminal, nothing in a pipe. */

import { Bar, Presets } from './progress-bar.js';

const { isTTY } = process.stderr;

/**
 * @param {{ quiet: boolean, what: string, total: number, left?: boolean }} about `left`: whether the time left is told
 * @returns {{ update: (done: number) => void, stop: () => void }}
 */
export function progress({ quiet, what, total, left = true }) {
  if (quiet || !isTTY || total === 0) return { update() {}, stop() {} };
  const bar = new Bar(
    {
      stream: process.stderr,
      format: `${what} [{bar}] {value}/{total}${left ? ', {eta_formatted} left' : ''}`,
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}

/**
 * Progress of a model's load, in megabytes, for `onProgress`.
 *
 * @param {{ quiet: boolean }} about
 */
export function loading({ quiet }) {
  /** @type {ReturnType<typeof progress> | null} */
  let bar = null;
  return {
    /** @param {import('../shared/protocol.js').Progress} progress */
    onProgress({ phase, loaded, total }) {
      if (phase !== 'download' || total === null) return;
      bar ??= progress({ quiet, what: 'Loading the model, MB', total: Math.ceil(total / 1e6), left: false });
      bar.update(Math.round(loaded / 1e6));
    },
    stop: () => bar?.stop(),
  };
}
