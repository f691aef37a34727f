/** The commands that answer for each picture. */

import { ALWAYS, LIST, MODEL, OUTPUT, PICTURES, TABLE, XMP } from './options.js';

/** @satisfies {Record<string, import('./options.js').Command>} */
export const OVER_PICTURES = {
  tag: {
    summary: 'say what is in pictures',
    usage: 'ocelli tag [options] PICTURE...',
    about: `Says which labels fit each picture best, each with its probability among all labels.
Without --labels, the model is asked for the 1,400 everyday things that it knows; what a better label implies
("animal" of a cat) is left out, and so is what has less than 1 %.

${PICTURES}`,
    options: {
      labels: {
        type: 'string',
        short: 'l',
        value: 'FILE',
        help: 'labels, one a line, or a JSON array; - is standard input; a,b,c and ["a", "b"] also work',
      },
      template: { type: 'string', value: 'TEXT', help: 'the sentence around each label; {} stands for it' },
      teacher: {
        type: 'string',
        value: 'FILE',
        help: 'what `ocelli teach` wrote; its labels are asked for, or those of --labels',
      },
      top: { type: 'string', short: 'n', value: 'N', help: 'how many labels to print; 5 by default' },
      threshold: {
        type: 'string',
        value: 'P',
        help: 'the least probability, from 0 to 1; 0.01, or 0 with --labels, and 0.2 in sidecars',
      },
      ...LIST,
      ...OUTPUT,
      xmp: { ...XMP, help: `labels as dc:subject in ${XMP.help}` },
      ...MODEL,
      ...ALWAYS,
    },
    examples: [
      'ocelli tag cat.jpg',
      'ocelli tag photos --top 3 --csv > tags.csv',
      'ocelli tag photos --json --out tags.jsonl       # stop it, and start it again',
      'ocelli tag "2024/**/*.jpg" --xmp --threshold 0.3',
      'find photos -newer last -print0 | ocelli tag -0 -',
      'ocelli tag cat.jpg --labels cat,dog --model openai/clip-vit-base-patch32',
    ],
  },
  caption: {
    summary: 'describe pictures in a sentence',
    usage: 'ocelli caption [options] PICTURE...',
    about: `Writes a caption for each picture.

${PICTURES}`,
    options: {
      prompt: { type: 'string', value: 'TEXT', help: 'how captions begin' },
      beams: { type: 'string', value: 'N', help: 'captions that are tried side by side; 1 by default' },
      'max-tokens': { type: 'string', value: 'N', help: 'where to stop at the latest; 30 by default' },
      ...LIST,
      ...OUTPUT,
      xmp: { ...XMP, help: `caption as dc:description in ${XMP.help}` },
      ...MODEL,
      ...ALWAYS,
    },
    examples: [
      'ocelli caption cat.jpg',
      'ocelli caption photos --xmp',
      'ocelli caption cat.jpg --model Salesforce/blip-image-captioning-base --beams 3',
    ],
  },
  interrogate: {
    summary: 'find prompts that pictures could have been made with',
    usage: 'ocelli interrogate [options] PICTURE...',
    about: `Writes a prompt for each picture: a caption, and the terms of several lists that CLIP finds in it. --mode is best
(the terms that make the prompt better, one after the other), fast (the terms that fit best), classic (one medium, artist,
site and movement, and some flavors) or negative (what fits least, as a negative prompt). --lists is general, drawings (also
for anime) or a folder with files of one term a line: mediums.txt, artists.txt, movements.txt, sites.txt, flavors.txt and
negative.txt; in the place of what is not there come the lists of the package.

${PICTURES}`,
    options: {
      mode: { type: 'string', value: 'MODE', help: 'best (the default), fast, classic or negative' },
      lists: {
        type: 'string',
        short: 'l',
        value: 'LISTS',
        help: 'general (the default), drawings or a folder',
      },
      'max-flavors': { type: 'string', value: 'N', help: 'terms of a prompt at most; 32, or 3 with classic' },
      shortlist: {
        type: 'string',
        value: 'N',
        help: 'best and negative choose from so many terms; 256 by default',
      },
      captioner: {
        type: 'string',
        value: 'MODEL',
        help: 'what writes captions, as --model names it; ocelli by default',
      },
      ...LIST,
      ...OUTPUT,
      ...MODEL,
      ...ALWAYS,
    },
    examples: [
      'ocelli interrogate cat.jpg --mode fast',
      'ocelli interrogate drawings --lists drawings --csv > prompts.csv',
      'ocelli interrogate cat.jpg --model openai/clip-vit-large-patch14 --captioner Salesforce/blip-image-captioning-large',
    ],
  },
  embed: {
    summary: 'turn pictures or texts into vectors',
    usage: 'ocelli embed [options] PICTURE...\n       ocelli embed [options] --text FILE',
    about: `Writes a vector of length 1 for each picture, or for each line of a file: the more alike, the larger the
product of two. --format says how: jsonl (the default), npy (float32, one row each; FILE.names.jsonl has a line
of JSON for each, with its path) or parquet (columns path, sha256 and embedding; of texts, text and embedding).

${PICTURES}`,
    options: {
      text: {
        type: 'string',
        value: 'FILE',
        help: 'embed the lines of this file instead of pictures; - is standard input',
      },
      format: {
        type: 'string',
        short: 'f',
        value: 'FORM',
        help: 'jsonl, npy or parquet; by default what --out ends with',
      },
      ...LIST,
      ...TABLE,
      ...MODEL,
      ...ALWAYS,
    },
    examples: [
      'ocelli embed photos --out photos.npy',
      'ocelli embed photos --out photos.parquet --model openai/clip-vit-base-patch32',
      'echo "a red bicycle" | ocelli embed --text -',
    ],
  },
  classify: {
    summary: 'sort pictures into a model’s own classes',
    usage: 'ocelli classify [options] PICTURE...',
    about: `Names the classes of a ViT that fit each picture best. --model is google/vit-base-patch16-224 by default
(a download of 346 MB, kept for the next time).

${PICTURES}`,
    options: {
      top: { type: 'string', short: 'n', value: 'N', help: 'how many classes to print; 5 by default' },
      threshold: {
        type: 'string',
        value: 'SHARE',
        help: 'the least probability that is printed, from 0 to 1',
      },
      ...LIST,
      ...OUTPUT,
      ...MODEL,
      model: {
        ...MODEL.model,
        help: 'google/vit-base-patch16-224 (the default), ORG/NAME on the hub, or a model’s folder',
      },
      ...ALWAYS,
    },
    examples: [
      'ocelli classify cat.jpg',
      'ocelli classify photos --top 1 --csv',
      'ocelli classify drawings --model SmilingWolf/wd-vit-tagger-v3 --threshold 0.35 --top 50',
    ],
  },
};
