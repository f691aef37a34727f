/**
 * The models that ocelli knows by name: built-in ones first, then by what a first visit downloads.
 *
 * Accuracies are those that are published: of CLIP's and SigLIP's families the top-1 accuracy on ImageNet without training on
 * it, from the papers, the model cards and `docs/openclip_results.csv` of OpenCLIP; of BLIP CIDEr on COCO, recall of texts on
 * COCO and VQAv2, from its paper. Quantised files have the figure of what was quantised. Sizes are those of the files, or of
 * their numbers where the files were not at hand. Multiply-adds are counted from the configs: of a ViT of n tokens and width d each layer
 * has 12 n d^2 + 2 n^2 d.
 *
 * @typedef {import('../shared/protocol.js').Task} Task
 *
 * @typedef {object} HubLocation
 * @property {{ default?: string, [file: string]: string | undefined }} [revisions] the hub revision of files that are
 *   not on `main`
 * @property {string} [weights] the name of the weights' file, where it is not one of the usual ones
 * @property {string} [filesOf] the model whose small files are meant, where there are none beside the weights
 *
 * @typedef {object} Quality
 * @property {number | null} accuracy as published, by `measure`; null where nothing is
 * @property {string | null} measure
 * @property {readonly string[]} languages of the texts that it knows; `multilingual` for some hundred of them
 * @property {number} [inJapanese] of a hundred pictures, how many it finds by texts in Japanese
 *
 * @typedef {Quality & HubLocation & { id: string, tasks: readonly Task[], title: string, bytes: number, imageGmacs: number, license: string, builtIn: boolean }} CatalogueEntry
 */

const ENGLISH = /** @type {const} */ (['en']);
const MULTILINGUAL = /** @type {const} */ (['multilingual']);
const IMAGENET = 'ImageNet zero-shot top-1, %';
const CIDER = 'COCO CIDEr';

const tagging = /** @type {const} */ ({
  tasks: ['tag', 'embed'],
  measure: IMAGENET,
  languages: ENGLISH,
  builtIn: false,
});

/** CLIP with its own text tower, which prompts of image generators can be encoded with. */
const clip = /** @type {const} */ ({ ...tagging, tasks: ['tag', 'embed', 'encode-text'] });

/** All of them. */
export const CATALOGUE = /** @type {const} @satisfies {readonly CatalogueEntry[]} */ ([
  {
    id: 'ocelli',
    tasks: ['tag', 'embed', 'caption', 'match'],
    title: 'Built-in model',
    bytes: 14_250_000,
    imageGmacs: 0.87,
    license: 'MIT OR Apache-2.0',
    builtIn: true,
    accuracy: null,
    measure: null,
    languages: ENGLISH,
  },
  {
    ...clip,
    id: 'wkcn/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M',
    title: 'TinyCLIP 8M/16',
    bytes: 98_000_000,
    imageGmacs: 1.8,
    license: 'MIT',
    accuracy: 41.1,
  },
  {
    ...clip,
    id: 'Xenova/clip-vit-base-patch32',
    title: 'CLIP B/32, quantised',
    bytes: 155_000_000,
    imageGmacs: 4.4,
    license: 'MIT',
    accuracy: 63.3,
    weights: 'onnx/model_quantized.onnx',
  },
  {
    ...tagging,
    id: 'Xenova/siglip-base-patch16-224',
    title: 'SigLIP B/16, quantised',
    bytes: 208_000_000,
    imageGmacs: 17.6,
    license: 'Apache-2.0',
    accuracy: 76,
    weights: 'onnx/model_quantized.onnx',
  },
  {
    ...clip,
    id: 'wkcn/TinyCLIP-ViT-39M-16-Text-19M-YFCC15M',
    title: 'TinyCLIP 39M/16',
    bytes: 336_000_000,
    imageGmacs: 8,
    license: 'MIT',
    accuracy: 63.5,
  },
  {
    ...clip,
    id: 'wkcn/TinyCLIP-ViT-40M-32-Text-19M-LAION400M',
    title: 'TinyCLIP 40M/32',
    bytes: 340_000_000,
    imageGmacs: 2,
    license: 'MIT',
    accuracy: 59.8,
  },
  {
    ...clip,
    id: 'wkcn/TinyCLIP-ViT-61M-32-Text-29M-LAION400M',
    title: 'TinyCLIP 61M/32',
    bytes: 465_000_000,
    imageGmacs: 3.1,
    license: 'MIT',
    accuracy: 62.4,
  },
  {
    ...clip,
    id: 'laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K',
    title: 'DataComp B/32 at 256 pixels',
    bytes: 608_000_000,
    imageGmacs: 5.8,
    license: 'MIT',
    accuracy: 72.8,
  },
  {
    ...clip,
    id: 'openai/clip-vit-base-patch32',
    title: 'CLIP B/32',
    bytes: 608_000_000,
    imageGmacs: 4.4,
    license: 'MIT',
    accuracy: 63.3,
    // The hub's main branch has this model as a PyTorch file only.
    revisions: { default: 'refs/pr/15' },
  },
  {
    ...tagging,
    id: 'google/siglip-base-patch16-224',
    title: 'SigLIP B/16',
    bytes: 816_000_000,
    imageGmacs: 17.6,
    license: 'Apache-2.0',
    accuracy: 76,
  },
  {
    ...tagging,
    id: 'laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k',
    title: 'CLIP B/32 for a hundred languages',
    bytes: 1_480_000_000,
    imageGmacs: 4.4,
    license: 'MIT',
    accuracy: 62.4,
    languages: MULTILINGUAL,
    inJapanese: 81,
  },
  {
    ...tagging,
    id: 'google/siglip2-base-patch16-224',
    title: 'SigLIP 2 B/16',
    bytes: 1_540_000_000,
    imageGmacs: 17.6,
    license: 'Apache-2.0',
    accuracy: 78.2,
    languages: MULTILINGUAL,
  },
  {
    ...clip,
    id: 'openai/clip-vit-large-patch14',
    title: 'CLIP L/14',
    bytes: 1_710_000_000,
    imageGmacs: 81,
    license: 'MIT',
    accuracy: 75.5,
  },
  {
    id: 'lmz/candle-blip',
    tasks: ['caption'],
    title: 'BLIP large in 4 bits',
    bytes: 271_000_000,
    imageGmacs: 191,
    license: 'BSD-3-Clause',
    builtIn: false,
    accuracy: 136.7,
    measure: CIDER,
    languages: ENGLISH,
    weights: 'blip-image-captioning-large-q4k.gguf',
    filesOf: 'Salesforce/blip-image-captioning-large',
  },
  {
    id: 'Salesforce/blip-image-captioning-base',
    tasks: ['caption'],
    title: 'BLIP base',
    bytes: 990_800_000,
    imageGmacs: 55.5,
    license: 'BSD-3-Clause',
    builtIn: false,
    accuracy: 133.5,
    measure: CIDER,
    languages: ENGLISH,
    weights: 'pytorch_model.bin',
  },
  {
    id: 'Salesforce/blip-image-captioning-large',
    tasks: ['caption'],
    title: 'BLIP large',
    bytes: 1_880_000_000,
    imageGmacs: 191,
    license: 'BSD-3-Clause',
    builtIn: false,
    accuracy: 136.7,
    measure: CIDER,
    languages: ENGLISH,
    revisions: { 'model.safetensors': 'refs/pr/18' },
  },
  {
    id: 'Salesforce/blip-itm-base-coco',
    tasks: ['match'],
    title: 'BLIP matching base',
    bytes: 894_000_000,
    imageGmacs: 55.5,
    license: 'BSD-3-Clause',
    builtIn: false,
    accuracy: 82,
    measure: 'COCO text recall at 1, %',
    languages: ENGLISH,
  },
  {
    id: 'Salesforce/blip-vqa-base',
    tasks: ['answer'],
    title: 'BLIP answering base',
    bytes: 1_540_000_000,
    imageGmacs: 92,
    license: 'BSD-3-Clause',
    builtIn: false,
    accuracy: 78.2,
    measure: 'VQAv2, %',
    languages: ENGLISH,
  },
  {
    id: 'google/vit-base-patch16-224',
    tasks: ['classify'],
    title: 'ViT B/16',
    bytes: 346_000_000,
    imageGmacs: 17.6,
    license: 'Apache-2.0',
    builtIn: false,
    accuracy: null,
    measure: null,
    languages: ENGLISH,
  },
  {
    id: 'SmilingWolf/wd-vit-tagger-v3',
    tasks: ['classify'],
    title: 'WD tagger for drawings',
    bytes: 379_000_000,
    imageGmacs: 78.5,
    license: 'Apache-2.0',
    builtIn: false,
    accuracy: null,
    measure: null,
    languages: ENGLISH,
  },
]);
