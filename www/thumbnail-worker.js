/**
 * Makes small copies of pictures, with the orientation that their EXIF data tells. What the browser cannot decode has none, unless its
 * pixels are given.
 */

/** Sharp enough at this size, and a few kilobytes. */
const FORM = { type: 'image/webp', quality: 0.8 };

addEventListener('message', async ({ data: { id, picture, edge } }) => {
  const copy = await smallCopy(picture, edge).catch(() => ({ blob: null, pixels: null }));
  postMessage({ id, ...copy });
});

/**
 * @param {Blob | import('ocelli').DecodedImage} picture
 * @param {number} edge pixels of the shorter edge
 * @returns {Promise<{ blob: Blob, pixels: { width: number, height: number } }>} with the size of the whole picture
 */
async function smallCopy(picture, edge) {
  const isFile = picture instanceof Blob;
  const source = isFile ? picture : new ImageData(picture.data, picture.width, picture.height);
  const whole = await createImageBitmap(source);
  try {
    const scale = Math.min(1, edge / Math.min(whole.width, whole.height));
    const [width, height] = [whole.width, whole.height].map((length) =>
      Math.max(1, Math.round(length * scale)),
    );
    // A banner of one pixel's height would still be as long as it was.
    const canvas = new OffscreenCanvas(Math.min(width, 4 * edge), Math.min(height, 4 * edge));
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.imageSmoothingQuality = 'high';
    context.drawImage(whole, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
    const pixels = isFile
      ? { width: whole.width, height: whole.height }
      : { width: picture.naturalWidth, height: picture.naturalHeight };
    return { blob: await canvas.convertToBlob(FORM), pixels };
  } finally {
    whole.close();
  }
}
