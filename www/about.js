/** What the built-in models know and do not know, in one line (the long form is `training/MODEL_CARD.md`). */
export const BUILT_IN_KNOWS =
  'The built-in model is small. It knows almost 700 things, its labels, in photos and drawings, and little else: it recognises no one, reads no writing and is often wrong.';
