/** The commands that make a file of many pictures, and the one that searches it. */

import { ALWAYS, LIST, MODEL, PICTURES } from './options.js';

/** @satisfies {Record<string, import('./options.js').Command>} */
export const LIBRARY = {
  index: {
    summary: 'make a file of pictures that can be searched',
    usage: 'ocelli index [options] PICTURE... --out FILE',
    about: `Writes an index: a vector of each picture in 8 bits, 53 MB of a hundred thousand pictures with CLIP B/32. Where FILE is
there, what is new or has changed since is added, and what is no longer there is removed, of what is named and all below it: also
where a folder has become empty. What lies elsewhere stays.

${PICTURES}`,
    options: {
      out: { type: 'string', short: 'o', value: 'FILE', help: 'the index' },
      force: { type: 'boolean', help: 'begin anew, whatever the file has' },
      export: {
        type: 'string',
        value: 'FILE',
        help: 'write its vectors in float32 for other programs too: .safetensors, .npy or .parquet',
      },
      ...LIST,
      ...MODEL,
      ...ALWAYS,
    },
    examples: [
      'ocelli index photos --out photos.ocelli',
      'ocelli index --out photos.ocelli --export photos.parquet',
    ],
  },
  search: {
    summary: 'find pictures of an index by words or by a picture',
    usage: 'ocelli search [options] QUERY... --index FILE',
    about: `Names the pictures that fit best, each with its cosine. QUERY is a text, texts with signs between them
("beach + sunset - people"), or a picture, also between signs; several count together. Of texts, what fits no better than other
words do is left out. Where nothing fits, standard error says so and the exit code is 0: the search was made.`,
    options: {
      index: { type: 'string', short: 'i', value: 'FILE', help: 'what `ocelli index` has written' },
      top: {
        type: 'string',
        short: 'n',
        value: 'N',
        help: 'how many pictures to name at most; 20 by default',
      },
      threshold: { type: 'string', value: 'COSINE', help: 'the least cosine, from 0 to 1' },
      all: { type: 'boolean', short: 'a', help: 'name those too that do not fit' },
      json: { type: 'boolean', help: 'JSON lines: one object for each picture' },
      ...MODEL,
      model: {
        ...MODEL.model,
        help: 'the model of the index; needed where that is a folder',
      },
      ...ALWAYS,
    },
    examples: [
      'ocelli search "a dog on a beach" --index photos.ocelli',
      'ocelli search "beach + sunset - people" --index photos.ocelli --top 5 --json',
      'ocelli search "cat.jpg + night" --index photos.ocelli',
    ],
  },
  teach: {
    summary: 'learn labels from a few pictures of each',
    usage: 'ocelli teach [options] --out FILE.json FOLDER',
    about: `Learns labels from examples: FOLDER has a folder of pictures for each, called as the label. One
picture a label is a beginning, 4 to 16 are good. What is learnt is written as JSON, without the
pictures, for \`ocelli tag --teacher\` and for \`Teacher.load\`.`,
    options: {
      out: { type: 'string', short: 'o', value: 'FILE', help: 'where to write; - is standard output' },
      force: { type: 'boolean', help: 'replace FILE' },
      also: {
        type: 'string',
        value: 'FILE',
        help: 'labels without examples, to be told from those with; as --labels of `ocelli tag`',
      },
      template: { type: 'string', value: 'TEXT', help: 'the sentence around each label; {} stands for it' },
      ...MODEL,
      ...ALWAYS,
    },
    examples: [
      'ocelli teach examples --out cats.json            # examples/my cat/*.jpg, examples/another cat/*.jpg',
      'ocelli tag photos --teacher cats.json --xmp',
    ],
  },
};
