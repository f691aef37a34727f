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

import { OcelliError } from '../../shared/errors.js';
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
      const prompt = read(run.encoded(false));
      if (!prompt) throw new OcelliError('internal', 'A prompt was encoded as nothing.');
      return { prompt, negative: read(run.encoded(true)) };
    } finally {
      release(run);
    }
  }
}

/** @param {EncodedPromptHandle | undefined} encoded is freed @returns {EncodedPrompt | null} */
function read(encoded) {
  if (!encoded) return null;
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
