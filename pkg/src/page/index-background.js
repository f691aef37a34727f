/**
 * What a query of texts is compared with, so that a search for what is not there finds nothing: texts about all kinds of things.
 * How far above theirs a text's cosine with a picture is, in standard deviations, means the same for every model and picture.
 */

/** The least standard score of a hit. Measured: see the README. */
export const CUTOFF = 3;

/** Texts about other things. @type {readonly string[]} */
export const BACKGROUND = [
  ...['a dog', 'a cat', 'a bird', 'a horse', 'a fish', 'an insect', 'a snake', 'a cow', 'a monkey', 'a bear'],
  ...['a person', 'a child', 'a crowd of people', 'a face', 'a hand', 'a dancer', 'a soldier', 'a wedding'],
  ...['a car', 'a bicycle', 'an airplane', 'a train', 'a boat', 'a truck', 'a motorcycle', 'a road'],
  ...['a house', 'a church', 'a bridge', 'a tower', 'a city street', 'a kitchen', 'a bedroom', 'an office'],
  ...[
    'a mountain',
    'a beach',
    'a forest',
    'a river',
    'a desert',
    'snow',
    'the sky',
    'a sunset',
    'rain',
    'fire',
  ],
  ...[
    'a flower',
    'a tree',
    'grass',
    'a mushroom',
    'an apple',
    'a banana',
    'a pizza',
    'a cake',
    'a salad',
    'bread',
  ],
  ...[
    'a cup of coffee',
    'a bottle',
    'a plate of food',
    'a fish dish',
    'meat',
    'vegetables',
    'a glass of wine',
  ],
  ...[
    'a computer',
    'a phone',
    'a television',
    'a camera',
    'a clock',
    'a lamp',
    'a chair',
    'a table',
    'a bed',
  ],
  ...[
    'a book',
    'a newspaper',
    'a map',
    'a sign with text',
    'a screenshot',
    'a chart',
    'a drawing',
    'a painting',
  ],
  ...['a shirt', 'a dress', 'shoes', 'a hat', 'a bag', 'jewellery', 'a toy', 'a ball', 'a guitar', 'a piano'],
  ...[
    'a knife',
    'scissors',
    'a hammer',
    'a machine',
    'a box',
    'a key',
    'money',
    'an umbrella',
    'a flag',
    'a statue',
  ],
  ...[
    'football',
    'swimming',
    'skiing',
    'a concert',
    'a hospital',
    'a classroom',
    'a shop',
    'a garden',
    'a pool',
  ],
  ...[
    'a pattern',
    'a texture',
    'darkness',
    'a white background',
    'a cartoon',
    'a logo',
    'the moon',
    'a skeleton',
  ],
];

/**
 * Sees to it that an index has the texts that scores are compared with, and says whether it does.
 *
 * @param {import('./index-worker.js').IndexWorker} worker
 * @param {import('./embedder.js').Embedder | null} embedder
 * @param {AbortSignal | null | undefined} signal
 * @returns {Promise<boolean>}
 */
export async function readBackground(worker, embedder, signal) {
  const { hasBackground, size } = worker.state;
  if (hasBackground || !embedder || size === 0) return hasBackground;
  const texts = await worker.reading(() => embedder.embedTexts(BACKGROUND, { signal: signal ?? null }));
  const width = texts[0]?.length ?? 0;
  const vectors = new Float32Array(width * texts.length);
  texts.forEach((text, place) => vectors.set(text, place * width));
  worker.hear(await worker.ask('background', { vectors, width }));
  return true;
}
