/**
 * Between `<encode-prompt>` and the package's text encoder: a prompt as image generators take it, in a file. The model is downloaded
 * when a prompt is encoded with it, and stays until another is.
 */

import { TextEncoder as ClipTextEncoder, toSafetensors } from 'ocelli';
import { download } from './download.js';
import { on } from './elements/dom.js';
import { explain, isAbort, progressLine } from './words.js';

/**
 * @param {any} form the `<encode-prompt>`
 * @param {import('./options.js').LoadOptions} given how models are loaded
 */
export function encodePrompts(form, given) {
  /** @type {{ model: string, encoder: ClipTextEncoder } | null} */
  let loaded = null;
  /** @type {AbortController | null} */
  let work = null;

  /** @param {string} model @param {Pick<import('ocelli').LoadOptions, 'signal' | 'onProgress'>} options */
  const encoderOf = async (model, options) => {
    if (loaded?.model === model) return loaded.encoder;
    loaded?.encoder.dispose();
    loaded = null;
    // Generators were trained with the numbers as they are.
    const encoder = await ClipTextEncoder.load(model, { dtype: 'f32', ...given, ...options });
    loaded = { model, encoder };
    return encoder;
  };

  on(form, 'encode', async ({ model, prompt, negativePrompt }) => {
    work?.abort();
    const controller = new AbortController();
    work = controller;
    const { signal } = controller;
    const onProgress = (/** @type {import('ocelli').ProgressEvent} */ progress) =>
      work === controller && form.show(true, progressLine(progress, model));
    form.show(true, 'Loading the model');
    try {
      const encoder = await encoderOf(model, { signal, onProgress });
      const encoded = await encoder.encode(prompt, { ...(negativePrompt && { negativePrompt }), signal });
      download(new Blob([toSafetensors(encoded)]), 'prompt.safetensors');
      const [rows, width] = encoded.dims;
      form.show(false, `Saved prompt.safetensors: ${rows} tokens, ${width} numbers each.`);
    } catch (error) {
      if (work === controller) form.show(false, isAbort(error) ? 'Stopped.' : explain(error).sentence);
    }
  });
  on(form, 'encode-stop', () => work?.abort());
}
