/** How commands end, for shells. */

export const EXIT = Object.freeze({
  done: 0,
  /** Some of the pictures could not be read; the others were. */
  partly: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The model could not be loaded, or a file not be written. */
  failed: 3,
  /** Ended by the user (128 + SIGINT). */
  interrupted: 130,
});

/** What ends a command, with one sentence for the person at the terminal. */
export class Failure extends Error {
  /** @param {string} message @param {number} [code] of `EXIT` @param {ErrorOptions} [options] */
  constructor(message, code = EXIT.failed, options) {
    super(message, options);
    this.code = code;
  }
}

/** @param {string} message */
export function usage(message) {
  return new Failure(message, EXIT.usage);
}
