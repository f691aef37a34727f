import { latin, textIn } from './bytes.js';

/** A date of zeros, as of cameras that know none, is read as one before. */
const EARLIEST = 1900;

/** What cameras and programs write as a description by themselves. */
const NO_CAPTION =
  /^(.*digital camera|sony dsc|dji\b.*|samsung\b.*|exif_jpeg.*|default|untitled|screenshot|[^\p{Letter}\p{Number}]*)$/iu;

/**
 * @typedef {object} Told
 * @property {number | null} taken when the camera took it, in milliseconds, by the clock of whoever looks; null where it is not told
 * @property {string[]} keywords
 * @property {string} caption empty where there is none
 */

/**
 * What a picture's EXIF data, Windows' own fields in it, and its IPTC records (IIM, which programs wrote before XMP) tell. What reads them
 * is loaded when the first picture is asked.
 *
 * @param {Uint8Array} head the first bytes of a JPEG, TIFF or HEIC file
 * @returns {Promise<Told>}
 */
export async function toldIn(head) {
  const { parse } = await import('exifr/dist/full.esm.mjs');
  const wanted = {
    ifd0: ['ImageDescription', 'XPKeywords', 'XPComment', 'XPTitle'],
    exif: ['DateTimeOriginal', 'CreateDate'],
    iptc: ['Keywords', 'Caption'],
  };
  // What is damaged, or no picture of these kinds, tells nothing.
  const told = await parse(head, wanted).catch(() => null);
  const time = told?.DateTimeOriginal ?? told?.CreateDate;
  const texts = (/** @type {unknown} */ given) =>
    [given].flat().flatMap((one) => (typeof one === 'string' ? decoded(one).trim() || [] : []));
  const captions = [told?.Caption, told?.ImageDescription, told?.XPComment, told?.XPTitle].flatMap(texts);
  const windows = texts(told?.XPKeywords).flatMap((words) => words.split(';'));
  return {
    taken: time instanceof Date && time.getFullYear() >= EARLIEST ? time.getTime() : null,
    keywords: told?.Keywords === undefined ? windows : texts(told.Keywords),
    caption: captions.find((one) => !NO_CAPTION.test(one)) ?? '',
  };
}

/**
 * How a picture is turned, as its EXIF data tell.
 * @param {Uint8Array} bytes of a file
 * @returns {Promise<number>} 1 to 8; 1, as it is, where nothing is told
 */
export async function turnOf(bytes) {
  const { orientation } = await import('exifr/dist/full.esm.mjs');
  const turn = await orientation(bytes).catch(() => undefined);
  return turn !== undefined && turn > 1 && turn <= 8 ? turn : 1;
}

/**
 * A text whose letters are bytes.
 * @param {string} bytes
 */
function decoded(bytes) {
  if (/[\u{100}-\u{10ffff}]/u.test(bytes)) return bytes;
  return textIn(latin(bytes)).text;
}
