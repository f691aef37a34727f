/** What the built-in models know and do not know, in one line (the long form is `training/MODEL_CARD.md`). */
export const BUILT_IN_KNOWS =
  'The built-in models are small. The tagger knows 678 things, its labels, and is right on six in ten photos and nearly nine in ten clean drawings of them; the captioner mostly gets one such thing on a plain ground right, and several at once seldom. They recognise no one and read no writing.';
