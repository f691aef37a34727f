/** What all contestants share: one verb at a time, timed here, and the same picture for everybody. */

/** @param {Record<string, (given: any) => any>} verbs */
export function serve(verbs) {
  addEventListener('message', async ({ data: { verb, given } }) => {
    try {
      const start = performance.now();
      const answer = await verbs[verb](given ?? {});
      const ms = performance.now() - start;
      postMessage({ ms, answer: ArrayBuffer.isView(answer) ? Array.from(answer) : (answer ?? null) });
    } catch (error) {
      postMessage({ error: `${verb}: ${error?.stack ?? error}` });
    }
  });
}

/** @param {string} url */
export async function bytesOf(url) {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

/** Red, green, blue and alpha of a picture of `size` by `size` pixels, some pattern. @param {number} size */
export function rgba(size) {
  const pixels = new Uint8Array(size * size * 4);
  for (let i = 0; i < pixels.length; i++) pixels[i] = i % 4 === 3 ? 255 : (i * 7919 + (i >> 8) * 31) & 255;
  return pixels;
}

/** @param {any} wasm @param {number} size */
export function picture(wasm, size) {
  return wasm.Picture.fromRgba(size, size, rgba(size));
}

/**
 * The same picture as the models take it, planes of red, green and blue, normalised as CLIP has it if nothing else is said.
 * @param {number} size
 * @param {number[]} [mean]
 * @param {number[]} [deviation]
 */
export function planes(
  size,
  mean = [0.48145466, 0.4578275, 0.40821073],
  deviation = [0.26862954, 0.26130258, 0.27577711],
) {
  const pixels = rgba(size);
  const values = new Float32Array(3 * size * size);
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < size * size; i++) {
      values[channel * size * size + i] =
        (pixels[4 * i + channel] / 255 - mean[channel]) / deviation[channel];
    }
  }
  return values;
}
