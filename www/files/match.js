/**
 * Which picture a row of a file is about. Rows name pictures as whoever wrote them saw them: with more folders or fewer than the
 * page knows, and some without the ending of the picture.
 *
 * @typedef {{ path: string, exact: boolean }} Named `exact`: whether the path has the picture's own ending
 */

import { safePartsOf, stemOf } from './paths.js';

/** Pictures below a folder, and half of those that a file speaks of, by which it is known again under another name. */
const ENOUGH = 3;

/**
 * @template {{ path: string, name: string }} Picture
 * @param {readonly Picture[]} pictures
 * @param {readonly Named[]} [rows] all that will be asked for: two that differ and could both mean one picture mean none
 * @returns {(row: Named) => Picture | null} null where no picture is meant, or more than one may be
 */
export function matcher(pictures, rows = []) {
  /** @typedef {{ picture: Picture, parts: string[] }} Known */
  /** @type {Map<string, Known[]>} */
  const byName = new Map();
  /** @type {Map<string, Known[]>} */
  const byStem = new Map();
  for (const picture of pictures) {
    const known = { picture, parts: keysOf(picture.path) };
    const name = known.parts.at(-1) ?? '';
    put(byName, name, known);
    put(byStem, stemOf(name), known);
  }

  /** @param {string} name @param {boolean} exact */
  const called = (name, exact) => [byName.get(name) ?? [], ...(exact ? [] : [byStem.get(name) ?? []])];

  /** @param {Named} row @param {string[]} [parts] @returns {{ known: Known, parts: string[] } | null} */
  const findAs = ({ path, exact }, parts = keysOf(path)) => {
    for (const some of called(parts.at(-1) ?? '', exact)) {
      const known = best(some, parts, path);
      if (known) return { known, parts };
    }
    return null;
  };

  /** The folder that is opened here in the place of one that rows begin with: it may be called otherwise. @type {Map<string, string>} */
  const renamed = new Map();
  /** @type {Map<string, { count: number, roots: Map<string, number> }>} */
  const strange = new Map();
  for (const row of rows) {
    const parts = keysOf(row.path);
    const [root = ''] = parts;
    if (parts.length < 2 || findAs(row, parts)) continue;
    const { count, roots } = strange.get(root) ?? { count: 0, roots: new Map() };
    const [like = []] = called(parts.at(-1) ?? '', row.exact).filter((some) => some.length > 0);
    const fitting = like
      .filter((known) => isBelowAs(known.parts, parts))
      .map((known) => known.parts[0] ?? '');
    for (const one of new Set(fitting)) roots.set(one, (roots.get(one) ?? 0) + 1);
    strange.set(root, { count: count + 1, roots });
  }
  for (const [root, { count, roots }] of strange) {
    const [[here = '', most = 0] = [], [, next = 0] = []] = [...roots].sort(([, a], [, b]) => b - a);
    if (most >= ENOUGH && most > next && most * 2 >= count) renamed.set(root, here);
  }

  /** @param {Named} row @returns {ReturnType<typeof findAs>} */
  const find = (row) => {
    const parts = keysOf(row.path);
    const here = renamed.get(parts[0] ?? '');
    return findAs(row, parts) ?? (here === undefined ? null : findAs(row, [here, ...parts.slice(1)]));
  };

  /** Folders of rows that name more of them than their picture has. @type {Map<Picture, Set<string>>} */
  const claims = new Map();
  for (const row of rows) {
    const found = find(row);
    if (!found || found.parts.length <= found.known.parts.length) continue;
    const folders = claims.get(found.known.picture) ?? new Set();
    claims.set(found.known.picture, folders.add(found.parts.slice(0, -1).join('/')));
  }

  return (row) => {
    const found = find(row);
    if (!found) return null;
    const { known, parts } = found;
    const isDoubtful = parts.length > known.parts.length && (claims.get(known.picture)?.size ?? 0) > 1;
    return isDoubtful ? null : known.picture;
  };
}

/** @param {string} path @returns {string[]} its parts, as they are however a system or an archive writes them */
function keysOf(path) {
  return safePartsOf(path.normalize('NFC'));
}

/** @template Known @param {Map<string, Known[]>} map @param {string} key @param {Known} known */
function put(map, key, known) {
  const there = map.get(key);
  if (there) there.push(known);
  else map.set(key, [known]);
}

/**
 * The one of several of one name whose folders are the row's, as far as both are known.
 *
 * @template {{ picture: { path: string }, parts: string[] }} Known
 * @param {Known[]} candidates
 * @param {string[]} parts
 * @param {string} path
 * @returns {Known | null}
 */
function best(candidates, parts, path) {
  const fitting = candidates.filter((known) => foldersFit(known.parts, parts));
  // Letters that not every system allows may be all that tells two of them apart.
  const same = fitting.filter(({ picture }) => picture.path === path);
  const among = same.length > 0 ? same : fitting;
  const common = (/** @type {Known} */ known) => Math.min(known.parts.length, parts.length);
  const most = Math.max(...among.map(common));
  const closest = among.filter((known) => common(known) === most);
  const whole = closest.filter((known) => known.parts.length === parts.length);
  const [only, ...others] = whole.length > 0 ? whole : closest;
  return only && others.length === 0 ? only : null;
}

/** @param {string[]} a @param {string[]} b @returns {boolean} whether they differ in the folder that they begin with alone */
function isBelowAs(a, b) {
  // The names may differ in their endings.
  return a.length === b.length && a.slice(1, -1).every((part, i) => part === b[i + 1]);
}

/** @param {string[]} a @param {string[]} b @returns {boolean} whether the folders of one are the last ones of the other */
function foldersFit(a, b) {
  for (let i = 2; i <= Math.min(a.length, b.length); i++) if (a.at(-i) !== b.at(-i)) return false;
  return true;
}
