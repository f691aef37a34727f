/**
 * What a loaded text encoder can be asked.
 *
 * @typedef {import('../handles.js').EncodedPromptHandle} EncodedPromptHandle
 * @typedef {import('../handles.js').TextEncoderHandle} TextEncoderHandle
 * @typedef {import('../../shared/protocol.js').EncodedPrompt} EncodedPrompt
 * @typedef {import('../../shared/protocol.js').EncodeTextAnswer} EncodeTextAnswer
 * @typedef {import('../../shared/protocol.js').EncodeTextArguments} EncodeTextArguments
 * @typedef {import('../../shared/protocol.js').Step} Step
 */

import { progress } from './meter.js';
import { release } from './release.js';

/** The text tower of a CLIP. */
export class TextEncoderOperations {
  #handle;

  /** @param {TextEncoderHandle} handle */
  constructor(handle) {
    this.#handle = handle;
  }

  /**
   * @param {EncodeTextArguments} given
   * @returns {AsyncGenerator<Step, EncodeTextAnswer, void>}
   */
  async *encodeText({ padding, ...given }) {
    const run = this.#handle.begin({ ...given, ...(padding !== undefined && { padding: String(padding) }) });
    try {
      const { total } = run;
      for (let left = total; left > 0;) {
        yield progress('texts', null, total - left, total);
        left = this.#handle.step(run);
      }
      yield progress('texts', null, total, total);
      const negative = run.negative();
      return { prompt: read(run.encoded()), negative: negative ? read(negative) : null };
    } finally {
      release(run);
    }
  }
}

/** @param {EncodedPromptHandle} encoded is freed @returns {EncodedPrompt} */
function read(encoded) {
  try {
    return {
      states: encoded.states(),
      pooled: encoded.pooled(),
      projected: encoded.projected() ?? null,
      tokens: encoded.tokens(),
      weights: encoded.weights(),
    };
  } finally {
    release(encoded);
  }
}
