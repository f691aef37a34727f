/** Paths of files, as they come from pictures, archives and tables, and as they may be written. */

/** What pictures' names end with, here and in photo programs. */
const PICTURE = /\.(jpe?g|jfif|png|webp|gif|bmp|tiff?|avif|hei[cf]|svg|jxl|dng|cr[23]|nef|arw|raf|orf|rw2)$/i;

/** What Windows calls devices, whatever ending they have. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/** @param {string} path @returns {string[]} its folders and its name; nothing that leads out */
export function partsOf(path) {
  return path.split(/[\\/]/).filter((part) => !['', '.', '..'].includes(part));
}

/** @param {string} path @returns {string} the same without the ending of its name */
export function stemOf(path) {
  return path.replace(/(?<=[^\\/])\.[^.\\/]+$/, '');
}

/** @param {string} path @returns {string} the folder that it lies in; empty where it has none */
export function folderOf(path) {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** @param {string} path @returns {boolean} whether it is an archive's, by its name */
export function isArchive(path) {
  return /\.zip$/i.test(path);
}

/** What files end with that say something of pictures. */
const ANSWERS = /\.(xmp|txt|csv|jsonl?|html|md)$/i;

/** @param {string} path @returns {string | undefined} the ending of a file that may say something of pictures, by its name */
export function answersEndingOf(path) {
  return isOfSystem(path) ? undefined : ANSWERS.exec(path)?.[1]?.toLowerCase();
}

/** @param {string} path @returns {boolean} whether it may say something of pictures, by its name; archives may */
export function isAnswersPath(path) {
  return answersEndingOf(path) !== undefined || (isArchive(path) && !isOfSystem(path));
}

/** @param {string} path @returns {boolean} whether macOS keeps it for itself, beside files and in archives */
export function isOfSystem(path) {
  return partsOf(path).some((part) => part.startsWith('._') || part === '__MACOSX');
}

/** @param {string} path @returns {boolean} whether it ends as a picture's does */
export function isPicturePath(path) {
  return PICTURE.test(path);
}

/** @param {string} path @returns {string[]} its parts as every system lets files be called */
export function safePartsOf(path) {
  return partsOf(path).map((part) =>
    part
      // eslint-disable-next-line no-control-regex
      .replace(/[\u0000-\u001f\u007f<>:"|?*]/g, '_')
      .replace(/[. ]+$/, (end) => '_'.repeat(end.length))
      .replace(DEVICE, '$&_'),
  );
}
