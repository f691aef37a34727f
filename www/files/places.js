/**
 * Where files go in a folder that somebody has chosen, by where it lies among the folders that pictures came from: files belong beside
 * their pictures, whichever folder above or below is chosen.
 *
 * @typedef {(parts: readonly string[]) => string[] | null} Placing the parts of a path below the chosen folder; null where it lies outside of that
 */

import { partsOf } from './paths.js';

/**
 * @param {FileSystemDirectoryHandle} chosen
 * @param {readonly FileSystemDirectoryHandle[]} opened folders whose names pictures' paths begin with
 * @returns {Promise<Placing>}
 */
export async function placingIn(chosen, opened) {
  const placings = await placingsOf(chosen, opened);
  if (!placings.get(chosen.name)) placings.set(chosen.name, await placingByName(chosen));
  return (parts) => {
    // A name without folders is no picture's of a folder.
    const placing = parts.length > 1 && placings.get(parts[0] ?? '');
    return placing ? placing(parts) : [...parts];
  };
}

/**
 * Tells whether what is written of a picture goes beside the picture's own file, and not to some other place.
 *
 * @param {FileSystemDirectoryHandle} chosen
 * @param {readonly FileSystemDirectoryHandle[]} opened
 * @returns {Promise<(path: string) => boolean>} by where the picture lies
 */
export async function besideIn(chosen, opened) {
  const placings = await placingsOf(chosen, opened);
  return (path) => {
    const parts = partsOf(path);
    const placing = parts.length > 1 && placings.get(parts[0] ?? '');
    return Boolean(placing && placing(parts));
  };
}

/**
 * How paths lie to the chosen folder, by the names of opened folders that they begin with; null where nobody knows.
 * @param {FileSystemDirectoryHandle} chosen
 * @param {readonly FileSystemDirectoryHandle[]} opened
 */
async function placingsOf(chosen, opened) {
  /** @type {Map<string, Placing | null>} */
  const placings = new Map();
  for (const folder of await distinct(opened)) {
    // Of two folders with one name, nobody knows whose a path is.
    placings.set(folder.name, placings.has(folder.name) ? null : await placingOf(chosen, folder));
  }
  return placings;
}

/**
 * The pictures that lie in a chosen folder, where that is a part of the folder they came with; all of them otherwise, as it is then some
 * place to put files.
 *
 * @template {{ path: string }} Row
 * @param {readonly Row[]} rows
 * @param {Placing} placing
 * @returns {Row[]}
 */
export function rowsWithin(rows, placing) {
  const outside = new Set(rows.filter(({ path }) => placing(partsOf(path)) === null));
  return rows.filter((row) => outside.size === rows.length || !outside.has(row));
}

/**
 * @param {FileSystemDirectoryHandle} chosen
 * @param {FileSystemDirectoryHandle} folder
 * @returns {Promise<Placing | null>} null where the two have nothing to do with each other
 */
async function placingOf(chosen, folder) {
  const above = await pathBetween(chosen, folder);
  if (above) return ([, ...rest]) => [...above, ...rest];
  const below = await pathBetween(folder, chosen);
  if (!below) return null;
  return ([, ...rest]) => (below.every((part, i) => part === rest[i]) ? rest.slice(below.length) : null);
}

/** @param {readonly FileSystemDirectoryHandle[]} folders @returns {Promise<FileSystemDirectoryHandle[]>} each once, whatever handles it has */
async function distinct(folders) {
  /** @type {FileSystemDirectoryHandle[]} */
  const all = [];
  for (const folder of folders) {
    const same = await Promise.all(all.map((one) => one.isSameEntry(folder).catch(() => false)));
    if (!same.includes(true)) all.push(folder);
  }
  return all;
}

/** @param {FileSystemDirectoryHandle} above @param {FileSystemDirectoryHandle} below */
async function pathBetween(above, below) {
  return above.resolve(below).catch(() => null);
}

/** Pictures of earlier visits, or of a browser that gave no handle: a folder that is called as theirs is theirs. @param {FileSystemDirectoryHandle} chosen */
async function placingByName(chosen) {
  // Unless it holds another of that name, which is the one then.
  const isAbove = await chosen.getDirectoryHandle(chosen.name).then(
    () => true,
    () => false,
  );
  return isAbove ? null : (/** @type {readonly string[]} */ [, ...rest]) => rest;
}
