/**
 * What the built-in model knows and does not know, in one line (the long form is `pkg/models/ocelli/README.md`). The figures are
 * those of `npm run evaluate` on strangers' pictures.
 */
export const BUILT_IN_KNOWS =
  'The built-in model is small. It knows some 1,400 everyday things: of 250 strangers\u2019 photographs, its first word was right for 79 in 100, and one of five for 94. Where it is not sure it says so, or gives the broader word. Drawings and pictures of many things it knows less well. It recognises no one and reads no writing.';
