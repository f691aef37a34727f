/**
 * What was changed in two places at the same time, from what both began with: joined so that neither loses what it has said. It serves
 * tabs that know the same pictures, and steps that are taken back after something else was said.
 *
 * @typedef {import('./corrections.js').Said} Said
 * @typedef {import('./library/store.js').Words} Words
 */

/** @type {Said} */
const NOTHING = { own: [], gone: [], caption: null };

/**
 * What is said of a picture in both places: all tags that either has given, without those that one has taken away and the other has not
 * given; the caption of here, where both have changed it.
 * @param {Said | undefined} before what both began with
 * @param {Said | undefined} here
 * @param {Said | undefined} there
 * @returns {Said | undefined} one of the two, where it says it all
 */
export function joinedSaid(before, here, there) {
  if (isSaidAlike(here, before) || isSaidAlike(here, there)) return there;
  if (isSaidAlike(there, before)) return here;
  const [was, ours, theirs] = [before ?? NOTHING, here ?? NOTHING, there ?? NOTHING];
  /** @type {string[]} */
  const own = [];
  /** @type {string[]} */
  const gone = [];
  for (const label of new Set([...theirs.own, ...ours.own, ...theirs.gone, ...ours.gone])) {
    const stands = standing(label, was, ours, theirs);
    if (stands === 'own') own.push(label);
    if (stands === 'gone') gone.push(label);
  }
  const joined = { own, gone, caption: ours.caption === was.caption ? theirs.caption : ours.caption };
  return [there, here].find((said) => isSaidAlike(said, joined)) ?? joined;
}

/**
 * Names, or whatever else has keys: what was changed here, in the place of what is there.
 * @template Value
 * @param {ReadonlyMap<string, Value>} before what both began with
 * @param {ReadonlyMap<string, Value>} here
 * @param {ReadonlyMap<string, Value>} there
 * @returns {Map<string, Value>}
 */
export function joinedMap(before, here, there) {
  const joined = new Map(there);
  for (const key of new Set([...before.keys(), ...here.keys()])) {
    const value = here.get(key);
    if (value === before.get(key)) continue;
    if (value === undefined) joined.delete(key);
    else joined.set(key, value);
  }
  return joined;
}

/**
 * What people say of tags themselves.
 * @param {Words} before what both began with
 * @param {Words} here
 * @param {Words} there
 * @returns {Words}
 */
export function joinedWords(before, here, there) {
  const taught = joinedMap(asMap(before.taught), asMap(here.taught), asMap(there.taught));
  return { names: joinedMap(before.names, here.names, there.names), taught: [...taught.keys()] };
}

/** @param {Words} one @param {Words} other */
export function areWordsAlike(one, other) {
  return isMapAlike(one.names, other.names) && isMapAlike(asMap(one.taught), asMap(other.taught));
}

/** @param {readonly string[]} labels */
function asMap(labels) {
  return new Map(labels.map((label) => [label, label]));
}

/** @param {ReadonlyMap<string, unknown>} one @param {ReadonlyMap<string, unknown>} other */
function isMapAlike(one, other) {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}

/** @param {Said | undefined} one @param {Said | undefined} other */
function isSaidAlike(one = NOTHING, other = NOTHING) {
  return (
    one === other ||
    (one.caption === other.caption && isListAlike(one.own, other.own) && isListAlike(one.gone, other.gone))
  );
}

/** @param {readonly string[]} one @param {readonly string[]} other */
function isListAlike(one, other) {
  return one.length === other.length && one.every((label, at) => label === other[at]);
}

/** What a label is in the end. @param {string} label @param {Said} before @param {Said} here @param {Said} there */
function standing(label, before, here, there) {
  const of = (/** @type {Said} */ { own, gone }) =>
    own.includes(label) ? 'own' : gone.includes(label) ? 'gone' : 'unsaid';
  const [was, ours, theirs] = [of(before), of(here), of(there)];
  if (ours === was || ours === theirs) return theirs;
  if (theirs === was) return ours;
  // Both have changed it, each in its own way: what is given stays, and what is said counts for more than what is not.
  return ours === 'own' || theirs === 'own' ? 'own' : 'gone';
}
