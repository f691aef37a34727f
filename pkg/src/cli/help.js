/** What each command is, what it takes, and how it is used: the table that the command line is read and explained by. */

/**
 * @typedef {object} Option
 * @property {'string' | 'boolean'} type
 * @property {string} [short]
 * @property {string} [value] what it takes, in help
 * @property {string} help
 *
 * @typedef {object} Command
 * @property {string} summary
 * @property {string} usage
 * @property {string} about
 * @property {Record<string, Option>} options
 * @property {string[]} examples
 */

const MODEL = /** @type {const} @satisfies {Record<string, Option>} */ ({
  model: {
    type: 'string',
    short: 'm',
    value: 'MODEL',
    help: 'built-in model (ocelli, the default), ORG/NAME on the hub, or a folder with a model’s files',
  },
  dtype: {
    type: 'string',
    value: 'TYPE',
    help: 'how matrices are kept in memory: int8 (the default), f16 or f32',
  },
  threads: { type: 'string', value: 'N', help: 'threads of each model; all cores, at most 8, by default' },
  'hub-url': { type: 'string', value: 'URL', help: 'where the model hub is' },
  revision: { type: 'string', value: 'REV', help: 'revision of the model on the hub' },
  'no-cache': { type: 'boolean', help: 'do not keep a model of the hub for the next time' },
});

/** @type {Record<string, Option>} */
const ALWAYS = {
  help: { type: 'boolean', short: 'h', help: 'this text' },
  quiet: { type: 'boolean', short: 'q', help: 'no progress, only results and failures' },
};

const OUTPUT = /** @type {const} @satisfies {Record<string, Option>} */ ({
  out: {
    type: 'string',
    short: 'o',
    value: 'FILE',
    help: 'write there (.jsonl or .csv), and go on with what an earlier run wrote; - is standard output',
  },
  force: { type: 'boolean', help: 'with --out, begin anew, whatever the file has' },
  json: { type: 'boolean', help: 'JSON lines: one object for each picture' },
  csv: { type: 'boolean', help: 'comma-separated values with a header' },
  jobs: { type: 'string', short: 'j', value: 'N', help: 'models that work side by side; 1 by default' },
});

/** @type {Record<string, Option>} */
const TABLE = {
  out: {
    ...OUTPUT.out,
    help: 'write there (.jsonl, .npy or .parquet), and go on with what an earlier run wrote of pictures',
  },
  force: OUTPUT.force,
  jobs: OUTPUT.jobs,
};

/** @type {Record<string, Option>} */
const LIST = {
  null: { type: 'boolean', short: '0', help: 'the list on standard input has NULs between its names' },
};

/** @type {Option} */
const XMP = {
  type: 'boolean',
  help: 'sidecars beside pictures, photo.jpg.xmp; those of other programs stay',
};

const PICTURES = `PICTURE is a file, a folder (with all below it), a glob ("photos/**/*.jpg"), or -:
standard input, either one picture or a list of files, one a line (with -0 as find -print0 has it).`;

/** @type {Readonly<Record<string, Command>>} */
export const COMMANDS = {
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
  index: {
    summary: 'make a file of pictures that can be searched',
    usage: 'ocelli index [options] PICTURE... --out FILE',
    about: `Writes an index: a vector of each picture in 8 bits, 53 MB of a hundred thousand pictures with CLIP B/32. Where FILE is
there, what is new or has changed since is added, and what is no longer there is removed: also where a folder has become empty.

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
  'encode-text': {
    summary: 'turn a prompt into what image generators are conditioned on',
    usage: 'ocelli encode-text [options] PROMPT --out FILE',
    about: `Writes the states of CLIP's text tower for a prompt, 77 rows for each chunk of 75 tokens, as safetensors (hidden_states,
pooled, projected, tokens and weights; with --negative also those of a negative prompt) or as a NumPy array of the
states alone. (word:1.2), (word), [word] and BREAK are read as in the usual programs. PROMPT may be -: standard input.
--model is openai/clip-vit-large-patch14 by default, the text encoder of Stable Diffusion 1 (a download of 1.7 GB, kept
for the next time).`,
    options: {
      out: {
        type: 'string',
        short: 'o',
        value: 'FILE',
        help: 'write there (.safetensors or .npy); - is standard output, in safetensors',
      },
      force: { type: 'boolean', help: 'replace a file that is there' },
      negative: { type: 'string', value: 'TEXT', help: 'the negative prompt' },
      skip: {
        type: 'string',
        value: 'N',
        help: 'layers from the end that are left out; 0 by default, 1 of SDXL',
      },
      'no-final-norm': { type: 'boolean', help: 'leave out the final layer norm, as of SDXL' },
      'attention-mask': { type: 'boolean', help: 'hide tokens that only fill up from attention' },
      padding: {
        type: 'string',
        value: 'TOKEN',
        help: 'what texts are filled up with: trained (the default), end, or the id of a token',
      },
      emphasis: {
        type: 'string',
        value: 'MODE',
        help: 'what weights do: original (the default), no-norm, or none',
      },
      'comma-backtrack': {
        type: 'string',
        value: 'N',
        help: 'tokens behind a comma that may move to the next chunk; 20 by default',
      },
      truncate: { type: 'boolean', help: 'cut off what does not fit into one chunk' },
      ...MODEL,
      dtype: { ...MODEL.dtype, help: `${MODEL.dtype.help}; f32 is exact` },
      model: {
        ...MODEL.model,
        help: 'openai/clip-vit-large-patch14 (the default), ORG/NAME on the hub, or a model’s folder',
      },
      ...ALWAYS,
    },
    examples: [
      'ocelli encode-text "a (red:1.2) bus" --negative blurry --out prompt.safetensors',
      'ocelli encode-text - --model sdxl/text_encoder_2 --skip 1 --no-final-norm --out prompt.npy < prompt.txt',
    ],
  },
  convert: {
    summary: 'write a model’s weights in a smaller form',
    usage: 'ocelli convert [options] WEIGHTS|FOLDER --dtype TYPE --out PATH',
    about: `Reads model.safetensors, pytorch_model.bin, a GGUF or an ONNX file, and writes GGUF, or safetensors for int8.
Of a model's folder, whose weights may be in several files, it writes another, with what is read beside the weights;
ocelli is the folder of the built-in model.
TYPE is int8 (8 bits a number and a scale for each row), q8 (8.5 bits), q4 (4.5 bits), f16 or f32.`,
    options: {
      dtype: { type: 'string', value: 'TYPE', help: 'int8, q8, q4, f16 or f32' },
      out: { type: 'string', short: 'o', value: 'PATH', help: 'the file or folder to be written' },
      force: { type: 'boolean', help: 'replace files that are there' },
      ...ALWAYS,
    },
    examples: [
      'ocelli convert model.safetensors --dtype q8 --out model.gguf',
      'ocelli convert clip-vit-base-patch32 --dtype int8 --out public/models/clip',
    ],
  },
  serve: {
    summary: 'answer over HTTP, on this machine',
    usage: 'ocelli serve [options]',
    about: `Takes pictures as the bodies of requests, and answers in JSON. It listens on this machine alone.

    POST /tag?labels=cat,dog&top=2&threshold=0.1      POST /caption      POST /embed      GET /embed?text=a+cat`,
    options: {
      port: {
        type: 'string',
        short: 'p',
        value: 'N',
        help: 'where to listen; 8080 by default, 0 for any that is free',
      },
      ...MODEL,
      ...ALWAYS,
    },
    examples: ['ocelli serve --port 8080', 'curl --data-binary @cat.jpg "localhost:8080/tag?top=3"'],
  },
};

/** @type {Readonly<Record<string, string>>} */
export const EXIT_CODES = {
  0: 'done',
  1: 'some pictures could not be read',
  2: 'wrong command line',
  3: 'failed',
  130: 'stopped',
};

/** @type {Readonly<Record<string, string>>} */
export const ENVIRONMENT = {
  OCELLI_CACHE: 'where models of the hub are kept, by default in the user’s cache',
};

/** The text of `ocelli --help`. @param {string} version */
export function overview(version) {
  const names = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`);
  return `ocelli ${version}: tags and captions for pictures, computed on this machine

Usage: ocelli COMMAND [options] ...

Commands:
${names.join('\n')}

\`ocelli COMMAND --help\` explains each; \`ocelli --version\` names the version.
The built-in model comes with the package: nothing is downloaded for it, and no picture leaves this machine.

Environment:
${Object.entries(ENVIRONMENT)
  .map(([name, meaning]) => `  ${name}  ${meaning}`)
  .join('\n')}

Exit codes: ${Object.entries(EXIT_CODES)
    .map(([code, meaning]) => `${code} ${meaning}`)
    .join('; ')}.
`;
}

/** The text of `ocelli COMMAND --help`. @param {string} name */
export function explain(name) {
  const command = COMMANDS[name];
  if (!command) return '';
  const lines = Object.entries(command.options).map(([option, { short, value, help }]) => {
    const names = `${short ? `-${short}, ` : '    '}--${option}${value ? ` ${value}` : ''}`;
    return `  ${names.padEnd(24)} ${help}`;
  });
  return `Usage: ${command.usage}

${command.about}

Options:
${lines.join('\n')}

Examples:
${command.examples.map((example) => `  ${example}`).join('\n')}
`;
}
