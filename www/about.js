/** What the built-in models know and do not know, in one line (the long form is `training/MODEL_CARD.md`). */
export const BUILT_IN_KNOWS =
  'The built-in model is small: it knows a few hundred everyday things in photographs and drawings, such as animals, food, clothes and tools. It does not know names, faces, places or writing, and it is often wrong. Larger models are under Models.';
