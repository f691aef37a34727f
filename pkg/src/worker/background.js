/**
 * Prompts that name nothing: what a picture of none of the labels is compared with. Their average is a level that a
 * label has to pass, so none of them needs to fit; they are about pictures of any kind.
 */
export const BACKGROUND = Object.freeze([
  'a photo.',
  'a picture.',
  'an image.',
  'a photo of something.',
  'a picture of something.',
  'a photo of an object.',
  'a photo of a thing.',
  'a photo of a scene.',
  'a blurry photo.',
  'a blurry image.',
  'a dark photo.',
  'a bright photo.',
  'a texture.',
  'a pattern.',
  'a background.',
  'an empty room.',
  'noise.',
  'a plain ground.',
  'a close-up photo.',
  'a black and white photo.',
]);
