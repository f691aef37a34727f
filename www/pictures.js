/**
 * The pictures of a session.
 *
 * @typedef {object} Picture
 * @property {string} id
 * @property {string} name the file's name, or what stands for it
 * @property {string} path the same, with its folders where it came with them
 * @property {string} key what tells the file from most others at once: its path, length and date
 * @property {number} size bytes of the file
 * @property {string | null} content the digest of what is in the file; null as long as it was not read
 * @property {string | null} sample the same of a few places of it
 * @property {string | null} [pixels] the same of its pixels, where they are known from its file
 * @property {number} batch when it came, and others with it, in milliseconds
 * @property {number} index its place among them
 * @property {number} taken when its file was last written, in milliseconds; 0 where nobody knows
 * @property {Blob} file itself, or the small copy of it that was kept
 */

/** @param {Blob} file @param {string} path */
export function keyOf(file, path) {
  return [path, file.size, takenAt(file)].join('|');
}

/** @param {Blob} file */
export function takenAt(file) {
  return file instanceof File ? file.lastModified : 0;
}

/**
 * A picture of which nothing is known yet.
 * @param {string} id
 * @param {{ file: Blob, path: string, index: number }} arrival
 * @param {number} batch
 * @returns {Picture}
 */
export function pictureOf(id, { file, path, index }, batch) {
  return {
    id,
    name: path.split('/').at(-1) ?? path,
    path,
    key: keyOf(file, path),
    size: file.size,
    content: null,
    sample: null,
    batch,
    index,
    taken: takenAt(file),
    file,
  };
}

/**
 * Those pictures that are not in a list under another id. Of files that came by themselves, two can have one name, length and date.
 * @param {readonly Picture[]} list
 * @param {readonly Picture[]} pictures
 */
export function absentFrom(list, pictures) {
  /** @type {Map<string, Picture[]>} */
  const byKey = new Map();
  for (const one of list) byKey.set(one.key, [...(byKey.get(one.key) ?? []), one]);
  return pictures.filter(
    ({ key, path, content }) =>
      !byKey.get(key)?.some((one) => path.includes('/') || (content !== null && content === one.content)),
  );
}

/**
 * A list with what was taken out of it.
 * @param {readonly Picture[]} now
 * @param {readonly Picture[]} before
 * @param {ReadonlySet<Picture>} gone
 */
export function backIn(now, before, gone) {
  const [left, there] = [new Set(before), new Set(now)];
  // What came in the meantime stays in front.
  return [
    ...now.filter((picture) => !left.has(picture)),
    ...before.filter((picture) => gone.has(picture) || there.has(picture)),
  ];
}

/**
 * A list in another order.
 * @param {readonly Picture[]} list
 * @param {readonly Picture[] | null} order those that are not in it go behind; null for the order of the list
 * @returns {Picture[]}
 */
export function inOrder(list, order) {
  const there = new Set(list);
  const wanted = new Set(order?.filter((picture) => there.has(picture)));
  return [...wanted, ...list.filter((picture) => !wanted.has(picture))];
}

/**
 * Puts pictures where they belong: among those that came with them, before those that came earlier.
 * @param {readonly Picture[]} list
 * @param {readonly Picture[]} pictures that follow each other
 * @returns {Picture[]}
 */
export function inPlace(list, pictures) {
  const [first] = pictures;
  if (!first) return [...list];
  const isBehind = (/** @type {Picture} */ { batch, index }) =>
    batch < first.batch || (batch === first.batch && index > first.index);
  const at = list.findIndex(isBehind);
  return at < 0 ? [...list, ...pictures] : [...list.slice(0, at), ...pictures, ...list.slice(at)];
}
