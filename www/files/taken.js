/** A date of zeros, as of cameras that know none, is read as one before. */
const EARLIEST = 1900;

/**
 * When a camera took a picture, as its EXIF data tells. What reads it is loaded when the first picture is asked.
 *
 * @param {Uint8Array} head the first bytes of a JPEG, TIFF or HEIC file
 * @returns {Promise<number | null>} milliseconds, by the clock of whoever looks; null where it is not told
 */
export async function takenIn(head) {
  const { parse } = await import('exifr/dist/lite.esm.mjs');
  // What is damaged, or no picture of these kinds, tells nothing.
  const told = await parse(head, { ifd0: false, exif: ['DateTimeOriginal', 'CreateDate'] }).catch(() => null);
  const time = told?.DateTimeOriginal ?? told?.CreateDate;
  return time instanceof Date && time.getFullYear() >= EARLIEST ? time.getTime() : null;
}
