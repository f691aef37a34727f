/** candle's own models in a worker, on the same weights and pixels. */

import init, { Blip, Bytes, Clip } from '/candle/candle.js';
import { planes, serve } from './worker.js';

const CLIP = '/full/openai/clip-vit-base-patch32/resolve/refs/pr/15/model.safetensors';
const BLIP = '/full/Salesforce/blip-image-captioning-base/resolve/main/model.safetensors';

/** @type {any} */
let clip;
/** @type {any} */
let blip;

async function bytesOf(url) {
  const response = await fetch(url);
  const bytes = new Bytes(Number(response.headers.get('content-length')));
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes;
    bytes.push(value);
  }
}

serve({
  start: async () => void (await init()),
  async loadClip() {
    clip = Clip.create(await bytesOf(CLIP));
  },
  async loadBlip() {
    blip = Blip.create(await bytesOf(BLIP));
  },
  clipImage: () => clip.image(planes(224), 224),
  clipTexts: ({ ids, length }) => clip.texts(Uint32Array.from(ids), length),
  blipImage: () => blip.image(planes(384), 384),
  caption: () => blip.caption(planes(384), 384, 20),
});
