import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { markDeprecated } from '../../scripts/lib/declarations.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
const tsc = join(dirname(typescript), JSON.parse(readFileSync(typescript, 'utf8')).bin.tsc);

/** Runs the compiler; returns its complaints. */
function compile(...args) {
  try {
    execFileSync(process.execPath, [tsc, ...args], { encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (error) {
    return error.stdout || error.message;
  }
}

/** A folder with the package's declarations and the files `beside`, and the complaints about a program that uses them. */
function check(t, name, program, options = {}, beside = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'ocelli-types-'));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.equal(compile('--project', join(root, 'pkg/tsconfig.json'), '--outDir', join(folder, 'types')), '');
  markDeprecated(join(folder, 'types'));
  const compilerOptions = {
    target: 'ES2022',
    module: 'ESNext',
    moduleResolution: 'Bundler',
    lib: ['ES2022', 'DOM', 'DOM.Iterable'],
    types: [],
    allowJs: true,
    checkJs: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    paths: {
      ocelli: [join(folder, 'types/index.d.ts')],
      'ocelli/pipeline': [join(folder, 'types/pipeline.d.ts')],
    },
    ...options,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [name] }));
  for (const [file, text] of Object.entries({ ...beside, [name]: program })) {
    writeFileSync(join(folder, file), text);
  }
  return compile('--project', folder);
}

test('the README sample type-checks strictly', (t) => {
  const readme = readFileSync(join(root, 'pkg/README.md'), 'utf8');
  const samples = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, sample]) => sample);
  assert.ok(samples.length > 0, 'or this test proves nothing');
  assert.ok(samples[0].split('\n').length <= 21);
  assert.equal(check(t, 'sample.js', samples.join('\n')), '');
});

test('the component for Next type-checks strictly', (t) => {
  const readme = readFileSync(join(root, 'pkg/README.md'), 'utf8');
  const [, component] = /```tsx\n(.*?)```/s.exec(readme) ?? [];
  assert.ok(component, 'or this test proves nothing');
  // As much of React as the component uses.
  const react = `
    declare module 'react' {
      export type ChangeEvent<E> = { target: E };
      export function useEffect(effect: () => () => void, dependencies: readonly unknown[]): void;
      export function useRef<T>(value: T | null): { current: T | null };
      export function useState<T>(value: T): [T, (next: T | ((last: T) => T)) => void];
    }
    declare namespace JSX { interface IntrinsicElements { [name: string]: any } }`;
  const types = `/// <reference path="./react.d.ts" />\n`;
  assert.equal(check(t, 'describe.tsx', types + component, { jsx: 'preserve' }, { 'react.d.ts': react }), '');
});

test('pictures in a list give a list of answers for each, where the types of a browser are missing', (t) => {
  const program = `import { Tagger } from 'ocelli';
    declare const tagger: Tagger;
    const many = await tagger.tag(['a.jpg', 'b.jpg'], ['cat']);
    const label: string | undefined = many[0]?.[0]?.label;
    const one: string | undefined = (await tagger.tag('a.jpg', ['cat']))[0]?.label;
    const bytes: string | undefined = (await tagger.tag(new Uint8Array(1), ['cat']))[0]?.label;
    const listed: string | undefined = (await tagger.tag({ length: 1, 0: 'a.jpg' }, ['cat']))[0]?.[0]?.label;
    void [label, one, bytes, listed];`;
  assert.equal(
    check(t, 'node.ts', program, { lib: ['ES2022'], skipLibCheck: true, noUncheckedIndexedAccess: true }),
    '',
  );
});

test('the public types say what the calls take and give', (t) => {
  const program = `
    import {
      Answerer, Captioner, Classifier, Embedder, errorCodes, ImageError, Interrogator, loadVocabulary, Matcher, models, NetworkError,
      OcelliError, overlay, Tagger, templates
    } from 'ocelli';
    import type {
      CaptionCandidate, Classification, ErrorCode, FoundPrompt, ImageInput, ImageInputs, Label, ModelInfo, PatchMap, ProgressEvent, RankedAnswer,
      RankedText, Ranker, Similarity, Tag, TextMatch, Vocabulary
    } from 'ocelli';

    declare const image: Blob | ArrayBuffer | Uint8Array | URL | ImageData | HTMLImageElement | HTMLCanvasElement
      | OffscreenCanvas | ImageBitmap;
    const input: ImageInput = image;
    const tagger: Tagger = await Tagger.load(new URL('http://x/'), { base: 'http://y', signal: new AbortController().signal });
    const labels: readonly string[] = ['a'];
    const tags: Tag[] = await tagger.tag(input, labels, { onProgress: (event: ProgressEvent) => void event.total });
    const score: number = tags[0].score;
    const hinted: readonly Label[] = [{ label: 'bat', hint: 'an animal' }, 'dog'];
    const options = { template: templates.imagenet80, scores: 'independent', threshold: 0.5, topK: 3, noneOffset: 1 } as const;
    const name: string = (await tagger.tag(input, hinted, options))[0].label;
    const noneToo: Tag<string | null>[] = await tagger.tag(input, hinted, { none: true });
    const embedder = await Embedder.load('a/b', { tower: 'image', keep: false });
    const vectors: Float32Array[] = await embedder.embedImages([input], { signal: null });
    const both: Similarity = await tagger.similarity([input], ['a']);
    declare const picked: FileList;
    const perFile: Tag[][] = await tagger.tag(picked, labels);
    const perImage: Tag<string | null>[][] = await tagger.tag(document.images, labels, { none: true });
    void [perFile, perImage, await embedder.embedImages(picked), await embedder.similarity(document.querySelectorAll('img'), ['a'])];
    const files: ImageInputs = picked;
    // @ts-expect-error bytes are one picture
    const bytes: ImageInputs = new Uint8Array(1);
    // @ts-expect-error an address is one picture
    const address: ImageInputs = 'a.jpg';
    // @ts-expect-error a list of numbers has no pictures
    void embedder.embedImages([1]);
    void [files, bytes, address];
    const also: Embedder = tagger;
    const captioner = await Captioner.load('a/b', { worker: () => new Worker('x') });
    const caption: string = await captioner.caption('x.png', { onPiece: (piece: string) => void piece });
    for await (const piece of captioner.stream(image, { topP: 0.9, seed: 1 })) piece.toUpperCase();
    const matcher: Ranker = { rank: async (image, texts) => texts.map((text) => ({ text, match: 1 })) };
    const several: CaptionCandidate[] = await captioner.captions(image, { numCaptions: 3, temperature: 0.8, matcher });
    several[0].match?.toFixed();
    for await (const piece of captioner.stream(image)) piece.toUpperCase();
    const interrogator: Interrogator = await Interrogator.load({ captioner, tagger: embedder, lists: { flavors: labels } });
    await Interrogator.load({ captioner: null, tagger: 'ocelli', lists: 'drawings', dtype: 'f32' });
    const found0: FoundPrompt = await interrogator.interrogate(image, { mode: 'classic', onPrompt: ({ prompt }) => void prompt });
    for await (const { prompt, similarity } of interrogator.stream(image, { signal: null })) prompt.at(similarity);
    // @ts-expect-error there is no such mode
    void interrogator.interrogate(image, { mode: 'slow' });
    // @ts-expect-error there is no such list
    void Interrogator.load({ lists: { colours: ['red'] } });
    // @ts-expect-error interrogators are made by load
    void new Interrogator();
    void found0.caption;
    const itm: Matcher = await Matcher.load('Salesforce/blip-itm-base-coco');
    const matches: TextMatch[] = await itm.match(image, labels, { signal: null });
    const ranked: RankedText[] = await itm.rank(image, labels, { rerank: 0, topK: 3 });
    void [matches[0].match.toFixed(), ranked[0].match?.toFixed(), ranked[0].similarity.toFixed()];
    void captioner.captions(image, { numCaptions: 3, numBeams: 3, matcher: itm });
    const found: PatchMap = await itm.explain(image, 'a cat', { signal: null });
    void found.values.length;
    const vqa: Answerer = await Answerer.load('Salesforce/blip-vqa-base');
    const answer: string = await vqa.answer(image, 'What is this?', { numBeams: 3 });
    const answers: RankedAnswer[] = await vqa.rank(image, 'What is this?', labels, { topK: 3 });
    void [answer, answers[0].score + answers[0].logLikelihood];
    const classifier = await Classifier.load('google/vit-base-patch16-224');
    const classes: Classification[] = await classifier.classify(image, { topK: 3 });
    const map: PatchMap = await tagger.explain(image, 'a cat', { signal: null });
    for (const { values } of [await tagger.rollout(image), await classifier.rollout(image)]) values.fill(0);
    void new ImageData(overlay(map, 640, 480, { opacity: 0.5 }).data, 640, 480);
    classes[0].label.toUpperCase();
    for (const { word, start, map } of await captioner.attention(image, { caption: 'a cat' })) {
      word.charAt(start - map.rows);
    }
    const list: ModelInfo[] = models.list({ task: 'tag' });
    const codes: readonly ErrorCode[] = errorCodes;
    const vocabulary: Vocabulary = await loadVocabulary(new URL('http://x/v.tsv'), { signal: null });
    const sense: { label: string, hint?: string } = vocabulary.labels[0];
    const implied: Tag[] = vocabulary.withParents(tags);
    const impliedToo: Tag<string | null>[] = vocabulary.withParents(noneToo);
    void tagger.tag(input, vocabulary.labels);
    try {
      void [score, caption, list, codes, sense, implied, impliedToo, name, vectors, both, also];
    } catch (error) {
      if (error instanceof NetworkError) error.status?.toFixed();
      if (error instanceof ImageError) error.code.startsWith('image-');
      if (error instanceof OcelliError) error.cause;
    }

    // @ts-expect-error labels are strings
    void tagger.tag(image, [5]);
    // @ts-expect-error none of these has no name
    const nameless: string = noneToo[0].label;
    // @ts-expect-error there is no such tower
    void Embedder.load('a/b', { tower: 'left' });
    // @ts-expect-error pictures come in an array
    void embedder.embedImages(input);
    // @ts-expect-error an image is no number
    void captioner.caption(5);
    // @ts-expect-error a text is needed
    void tagger.explain(image);
    // @ts-expect-error there is no such option
    void captioner.caption(image, { beams: 3 });
    // @ts-expect-error one caption needs no matcher
    void captioner.caption(image, { matcher });
    // @ts-expect-error an answer has no prompt
    void vqa.answer(image, 'What is this?', { prompt: 'a' });
    // @ts-expect-error answers are given as an array
    void vqa.rank(image, 'What is this?', 'a cat');
    // @ts-expect-error models are made by load
    void new Tagger();
    // @ts-expect-error no such language
    void vocabulary.name('dog', 'la');
    // @ts-expect-error no such task
    void models.list({ task: 'paint' });
  `;
  assert.equal(check(t, 'program.ts', program), '');
});

test('the calls of transformers.js have its types', (t) => {
  const program = `
    import { env, pipeline, Tensor } from 'ocelli/pipeline';
    import type {
      GeneratedText, LabelScore, PipelineImage, PipelineOptions, ProgressInfo, ZeroShotImageClassificationPipeline
    } from 'ocelli/pipeline';

    env.remoteHost = 'https://x/';
    env.localModelPath = '/models/';
    env.allowRemoteModels = false;
    env.backends.onnx.wasm.numThreads = 4;
    const progress_callback = (info: ProgressInfo) => {
      if (info.status === 'progress') info.file.concat(info.progress.toFixed());
      else if (info.status === 'ready') info.model.concat(info.task);
      else if (info.status === 'progress_total') void info.files['config.json']?.loaded.toFixed();
    };
    const options: PipelineOptions = { progress_callback, dtype: 'q8', device: 'webgpu', revision: 'main', threads: 2 };
    const fits: ZeroShotImageClassificationPipeline = await pipeline('zero-shot-image-classification', 'a/b', options);
    const raw = { data: new Uint8ClampedArray(3), width: 1, height: 1, channels: 3 } as const;
    const image: PipelineImage = raw;
    const one: LabelScore[] = await fits('a.jpg', ['cat'], { hypothesis_template: '{}' });
    const each: LabelScore[][] = await fits([new Blob([]), image, 'b.jpg'], ['cat']);
    declare const picked: FileList;
    const perFile: LabelScore[][] = await fits(picked, ['cat']);
    const bytes: LabelScore[] = await fits(new Uint8Array(3), ['cat']);
    const classify = await pipeline('image-classification', null, { dtype: { model: 'fp32' } });
    const best: string | undefined = (await classify(raw, { top_k: null }))[0]?.label;
    const see = await pipeline('image-feature-extraction');
    const features: Tensor = await see([raw, raw], { pool: true });
    const numbers: Float32Array = features.data;
    for (const row of features) void row;
    void [features.dims[0]?.toFixed(), features.tolist(), features[0].data];
    const write = await pipeline('image-to-text', new URL('https://x/m/'));
    const texts: GeneratedText[] = await write(raw, { max_new_tokens: 9, num_beams: 3 });
    const many: GeneratedText[][] = await write([raw]);
    const read = await pipeline('feature-extraction');
    const unit: Float32Array = (await read(['a'], { normalize: true })).data;
    const plain: Float32Array = (await read('a')).data;
    const bits: Int8Array | Uint8Array = (await read('a', { quantize: true })).data;
    await (await pipeline('embeddings')).dispose();
    void [one, each, perFile, bytes, best, numbers, texts, many, unit, plain, bits, read.task];

    // @ts-expect-error there are no models for it
    void pipeline('object-detection');
    // @ts-expect-error there is no such type
    void pipeline('image-to-text', 'a/b', { dtype: 'q3' });
    // @ts-expect-error labels come in an array
    void fits('a.jpg', 'cat');
    // @ts-expect-error there is no such option
    void classify('a.jpg', { topk: 3 });
    // @ts-expect-error a text has one vector
    void read('a', { pooling: 'mean' });
  `;
  assert.equal(check(t, 'pipeline.ts', program), '');
});

const MODERN = `
  import { Tagger, models, setBase, type ModelId, type Progress, type Tag } from 'ocelli';
  const tagger = await Tagger.load('ocelli', { onProgress: ({ loaded }: Progress) => void loaded, wasmUrl: 'w/' });
  const one: Tag[] = await tagger.tag(new Uint8Array(4), ['a']);
  const many: Tag[][] = await tagger.tag([new Blob([]), 'x.png'], ['a']);
  const listed: Tag[][] = await tagger.tag({ length: 1, 0: new Blob([]) }, ['a']);
  const id: ModelId = 'openai/clip-vit-base-patch32';
  // @ts-expect-error no such model is known by name
  const other: ModelId = 'openai/clip-vit-base-patch99';
  const addresses = { config: 'a', preprocessor: 'b', tokenizer: 'c', weights: new URL('http://x/') };
  await Tagger.load(addresses, { cache: true, hubUrl: 'http://y' });
  await Tagger.load('some/other');
  void [one, many, listed, id, other, models.list()[0]?.license, setBase];
`;

for (const [what, options] of Object.entries({
  'nodenext, and every declaration': { module: 'NodeNext', moduleResolution: 'NodeNext' },
  'a worker, without a page': { lib: ['ES2022', 'WebWorker'] },
  'a worker, with nodenext': {
    lib: ['ES2022', 'WebWorker'],
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
  },
})) {
  test(`the types hold for ${what}`, (t) => {
    assert.equal(
      check(t, 'program.mts', MODERN, { ...options, skipLibCheck: false, allowJs: false, checkJs: false }),
      '',
    );
  });
}

test('the earlier names are marked as such in the types, and no others', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ocelli-types-'));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.equal(compile('--project', join(root, 'pkg/tsconfig.json'), '--outDir', folder), '');
  markDeprecated(folder);
  const marked = ['shared/types', 'page/catalogue', 'page/model', 'index'].flatMap((name) => {
    const text = readFileSync(join(folder, `${name}.d.ts`), 'utf8');
    return [...text.matchAll(/@deprecated `(\w+)`\s*\*\/\n\s*(?:export type )?(\w+)/g)].map(
      ([, now, then]) => `${then}: ${now}`,
    );
  });
  assert.deepEqual(marked, [
    'why: reason',
    'licence: license',
    'base: hubUrl',
    'keep: cache',
    'ProgressEvent: Progress',
  ]);
});

test('models end with their block, where the language knows of it', (t) => {
  const program = `
    import { Captioner, Tagger } from 'ocelli';
    {
      using tagger = await Tagger.load('ocelli');
      using captioner = await Captioner.load('ocelli');
      void [tagger.runtime.reason, captioner.runtime.threads];
    }
    export {};
  `;
  const lib = ['ES2022', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'];
  assert.equal(check(t, 'program.mts', program, { lib, module: 'ESNext', moduleResolution: 'Bundler' }), '');
});
