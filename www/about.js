/** What the built-in models know and do not know, in one line (the long form is `training/MODEL_CARD.md`). */
export const BUILT_IN_KNOWS =
  'The built-in model knows a few hundred everyday things in photos and drawings. It knows no names, faces, places or writing, and it is often wrong.';
