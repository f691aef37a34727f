/**
 * What the built-in model knows and does not know, in one line (the long form is `training/MODEL_CARD.md`).
 *
 * The figures are those of `npm run evaluate` on strangers' pictures: TODO before a release, put in those of the weights that
 * ship.
 */
export const BUILT_IN_KNOWS =
  'The built-in model is small. It knows some 1,200 everyday things, and says so where it is not sure; kinds that look alike it mixes up. Captions are short and plain. It recognises no one and reads no writing.';
