/**
 * A wasm module that computes nothing and remembers everything: which handles are alive, what the loader was
 * given. Behaviour is steered by the arguments of the calls, as the tests need it.
 */

/** An error as the wasm throws them. */
export function wasmError(code, message = `Said by the wasm: ${code}.`) {
  return Object.assign(new Error(message), { code });
}

/** What a trap in the wasm looks like. */
export function trap() {
  return new WebAssembly.RuntimeError('unreachable');
}

/** What several captions are. Two are alike. */
const CANDIDATES = [
  ['a red ball', -1],
  ['a ball', -2],
  ['a red ball', -3],
];

export function fakeWasm({
  pieces = ['a ', 'red ', 'ball'],
  candidates = CANDIDATES,
  onCreate = () => {},
} = {}) {
  const log = {
    alive: new Set(),
    loaders: [],
    bytes: 0,
    largestChunk: 0,
    nextFiles: 0,
    encoded: 0,
    words: 0,
    looks: 0,
    layers: 0,
    calls: [],
  };

  class Handle {
    constructor() {
      log.alive.add(this);
    }
    free() {
      if (!log.alive.delete(this)) throw new Error(`${this.constructor.name} was freed twice.`);
    }
  }

  /** Its packed form is the bytes it was given. */
  class WeightsLoader extends Handle {
    #keep;
    #packed = [];
    taken = 0;

    constructor(dtype, keep) {
      super();
      if (typeof dtype !== 'string' || typeof keep !== 'boolean') throw new TypeError('(dtype, keep)');
      this.#keep = keep;
      log.loaders.push({ dtype, keep });
    }

    takePacked() {
      return new Uint8Array(Buffer.concat(this.#packed.splice(0)));
    }

    nextFile() {
      if (this.taken === 0) throw wasmError('weights-truncated');
      log.nextFiles += 1;
    }

    push(chunk) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('A chunk is a Uint8Array.');
      if (chunk[0] === 0xff) throw wasmError('weights-invalid');
      if (this.#keep) this.#packed.push(chunk.slice());
      this.taken += chunk.length;
      log.bytes += chunk.length;
      log.largestChunk = Math.max(log.largestChunk, chunk.length);
    }
  }

  /** The model files as they came; a config that is not JSON is refused. */
  class Files extends Handle {
    static read(config, preprocessor, tokenizer, tower = 'both', ...more) {
      if (more.length > 0) throw new TypeError('(config, preprocessor, tokenizer, tower)');
      try {
        JSON.parse(new TextDecoder().decode(config));
      } catch {
        throw wasmError('config-invalid');
      }
      return Object.assign(new Files(), { config, preprocessor, tokenizer, tower });
    }
    passOver(weights) {
      if (!(weights instanceof WeightsLoader)) throw new TypeError('(weights)');
      if (weights.taken > 0) throw new Error('Too late: bytes have come.');
    }
  }

  class Picture extends Handle {
    static decode(bytes) {
      if (bytes.length === 0) throw wasmError('image-empty');
      const text = new TextDecoder().decode(bytes);
      if (text === 'damaged') throw wasmError('image-damaged');
      return Object.assign(new Picture(), { text, width: 1, height: 1 });
    }
    static fromRgba(width, height, rgba) {
      return Object.assign(new Picture(), { text: `rgba ${rgba.join(',')}`, width, height });
    }
    thumbnail(longestEdge) {
      const [width, height] = [this.width, this.height].map((edge) => Math.min(edge, longestEdge));
      return Object.assign(new Picture(), { text: `small ${this.text}`, width, height });
    }
    rgba() {
      return new Uint8Array(4 * this.width * this.height).fill(255);
    }
  }

  /** A model of three layers looks at a picture. */
  class Look extends Handle {
    left = 3;
    constructor(picture) {
      super();
      if (picture.text === 'trap') throw trap();
      log.looks += 1;
      this.text = picture.text;
    }
    keep() {
      if (this.left < 3) throw new Error('Too late: layers are done.');
      this.kept = true;
    }
  }

  class PatchMap extends Handle {
    rows = 1;
    columns = 2;
    values() {
      return Float32Array.of(0.25, 0.5);
    }
    frame() {
      return Float32Array.of(0.25, 0, 0.5, 1);
    }
  }

  class WordMaps extends Handle {
    constructor(caption) {
      super();
      this.words = [...caption.matchAll(/\S+/g)];
    }
    places() {
      return Uint32Array.from(this.words.flatMap(({ 0: word, index }) => [index, index + word.length]));
    }
    map(word) {
      return word < this.words.length ? new PatchMap() : undefined;
    }
  }

  /** A map on its way back through three layers. */
  class Tracing extends Handle {
    left = 3;
    map() {
      if (this.left > 0) throw new Error('There are layers left.');
      return new PatchMap();
    }
  }

  class Model extends Handle {
    encodeImage(picture) {
      return new Look(picture);
    }
    advance(look) {
      log.layers += 1;
      look.left = Math.max(0, look.left - 1);
      return look.left;
    }
    beginRollout(look) {
      log.calls.push({ rollout: seen(look) });
      if (!look.kept) throw new Error('The states were not kept.');
      return new Tracing();
    }
    traceBack(tracing) {
      log.layers += 1;
      tracing.left = Math.max(0, tracing.left - 1);
      return tracing.left;
    }
  }

  /** @param {Look} look */
  function seen(look) {
    if (look.left > 0) throw new Error('There are layers left.');
    return look.text;
  }

  /** Labels in templates; without templates, bare texts. */
  class LabelSet extends Handle {
    constructor(labels, templates) {
      super();
      this.labels = labels.map((label) =>
        label.hint ? `${label.label}, ${label.hint}` : (label.label ?? label),
      );
      this.bare = templates.length === 0;
      const written = this.bare ? ['{}'] : templates;
      this.all = written.flatMap((template) => this.labels.map((label) => template.replace('{}', label)));
      this.pending = this.all.length;
    }
    get length() {
      return this.labels.length;
    }
    get prompts() {
      return this.all.length;
    }
    embeddings() {
      return Float32Array.from(this.labels.flatMap((label) => [label.length, 1]));
    }
  }

  /** Terms of six lists, as lines. */
  class Terms extends Handle {
    constructor(lists) {
      super();
      this.lists = lists;
      this.batch = new LabelSet(
        lists.slice(0, 5).flatMap((list) => list.split('\n')),
        ['{}'],
      );
      this.length = this.batch.length;
    }
    get pending() {
      return this.batch.pending;
    }
    takeBatch() {
      return this.pending > 0 ? this.batch : undefined;
    }
    putBack(batch) {
      if (batch !== this.batch) throw wasmError('argument-invalid');
    }
  }

  /** A prompt that grows by a flavor with each two steps. */
  class Interrogation extends Handle {
    prompt = '';
    similarity = 0;
    caption = '';
    done = 0;
    total = 8;
    constructor(terms, captions, most) {
      super();
      this.flavors = terms.lists[4].split('\n').slice(0, most);
      this.captions = captions;
    }
    step(terms, limit) {
      if (terms.lists[4].includes('trap')) throw trap();
      log.encoded += limit;
      this.done = this.done === 0 ? 4 : 0;
      if (this.done > 0) return true;
      const [caption = ''] = this.captions;
      const next = this.prompt === '' && caption ? caption : this.flavors.shift();
      this.prompt = [this.prompt, next].filter(Boolean).join(', ');
      this.caption = caption;
      this.similarity += 0.125;
      return this.flavors.length > 0;
    }
  }

  /** Longer labels are likelier; the label `trap` traps. */
  class TaggerHandle extends Model {
    logitScale = 10;
    logitBias = undefined;
    temperature = 1;
    noneOffset = 0;
    #known = new Set();
    #unwritten = false;
    static create(files, weights) {
      weights.free();
      files.free();
      onCreate(files);
      return Object.assign(new TaggerHandle(), { tower: files.tower });
    }
    #need(tower) {
      if (this.tower !== 'both' && this.tower !== tower) throw wasmError('argument-invalid');
    }
    encodeImage(picture) {
      this.#need('image');
      return super.encodeImage(picture);
    }
    labels(labels, templates) {
      log.calls.push({ labels, templates });
      if (labels.length === 0) throw wasmError('labels-empty');
      if (templates.length === 0) throw wasmError('template-invalid');
      return new LabelSet(labels, templates);
    }
    texts(texts) {
      log.calls.push({ texts });
      if (texts.length === 0) throw wasmError('labels-empty');
      return new LabelSet(texts, []);
    }
    queries(texts) {
      return this.texts(texts);
    }
    encodeLabels(set, limit) {
      this.#need('text');
      if (set.labels.includes('trap')) throw trap();
      let fresh = 0;
      for (const prompt of set.all.slice(set.prompts - set.pending)) {
        if (!this.#known.has(prompt)) {
          if (fresh === limit) break;
          fresh += 1;
          this.#known.add(prompt);
        }
        set.pending -= 1;
      }
      log.encoded += fresh;
      this.#unwritten ||= fresh > 0 && !set.bare;
      return set.pending;
    }
    beginExplanation(look, text) {
      if (text === '') throw wasmError('label-empty');
      const tracing = this.beginRollout(look);
      log.calls.push({ text });
      return tracing;
    }
    /** What it knows, as JSON. */
    exportEmbeddings(limit) {
      if (!this.#unwritten) return undefined;
      this.#unwritten = false;
      return new TextEncoder().encode(JSON.stringify([...this.#known])).subarray(0, limit);
    }
    importEmbeddings(bytes) {
      const text = new TextDecoder().decode(bytes);
      log.calls.push({ remember: text.length });
      if (text === '"trap"') throw trap();
      if (!text.startsWith('[')) throw wasmError('argument-invalid');
      for (const prompt of JSON.parse(text)) this.#known.add(prompt);
    }
    terms(...lists) {
      log.calls.push({ terms: lists });
      if (lists.some((list) => list.trim() === '')) throw wasmError('labels-empty');
      return new Terms(lists);
    }
    interrogate(look, terms, captions, mode, least, most, shortlist) {
      log.calls.push({ picture: seen(look), captions, mode, least, most, shortlist });
      if (terms.pending > 0) throw wasmError('argument-invalid');
      if (mode !== 'negative' && captions.length === 0) throw wasmError('labels-empty');
      return new Interrogation(terms, captions, most);
    }
    embeddingOf(look) {
      return Object.assign(Float32Array.of(seen(look).length, 2), { picture: seen(look) });
    }
    tag(embedding, set) {
      log.calls.push({ picture: embedding.picture ?? [...embedding] });
      const total = set.labels.reduce((sum, label) => sum + label.length, 0);
      return Float32Array.from(set.labels, (label) => label.length / total);
    }
    score(embedding, set, background, independent, offset) {
      log.calls.push({
        picture: embedding.picture ?? [...embedding],
        background: background.length,
        independent,
        offset,
      });
      if (set.pending + background.pending > 0) throw new Error('There are labels pending.');
      return Float32Array.from([...set.labels.map((label) => label.length / 10), 0.45]);
    }
    similarity(look, set) {
      if (set.pending > 0) throw new Error('There are texts pending.');
      return Float32Array.from(set.labels, (text) => (text === seen(look) ? 1 : 0.25));
    }
  }

  /** Of three classes, the longer named is likelier. */
  class ClassifierHandle extends Model {
    static create(files, weights) {
      weights.free();
      files.free();
      onCreate(files);
      return new ClassifierHandle();
    }
    labels() {
      return ['cat', 'elephant', 'dog'];
    }
    kinds() {
      return undefined;
    }
    classify(look) {
      log.calls.push({ picture: seen(look) });
      return Float32Array.of(0.25, 0.5, 0.25);
    }
  }

  /** A state is two numbers: a token's place and its weight. Each word is a token, and each prompt takes two steps. */
  class EncodedPrompt extends Handle {
    constructor(prompt) {
      super();
      this.words = prompt.split(' ');
    }
    states() {
      return Float32Array.from(this.words.flatMap((_, i) => [i, 1]));
    }
    pooled() {
      return Float32Array.of(this.words.length, 1);
    }
    projected() {
      return this.words.includes('projected') ? Float32Array.of(3) : undefined;
    }
    tokens() {
      return Uint32Array.from(this.words, (_, i) => i);
    }
    weights() {
      return new Float32Array(this.words.length).fill(1);
    }
  }

  class PromptRun extends Handle {
    constructor({ prompt, negativePrompt }) {
      super();
      this.prompt = prompt;
      this.negativePrompt = negativePrompt;
      this.total = negativePrompt === undefined ? 2 : 4;
      this.left = this.total;
    }
    encoded(negative) {
      if (this.left > 0) throw new Error('There are steps left.');
      const prompt = negative ? this.negativePrompt : this.prompt;
      return prompt === undefined ? undefined : new EncodedPrompt(prompt);
    }
  }

  class TextEncoderHandle extends Handle {
    static create(files, weights) {
      weights.free();
      files.free();
      onCreate(files);
      return new TextEncoderHandle();
    }
    begin(options) {
      log.calls.push(options);
      if (options.prompt === '(:)') throw wasmError('argument-invalid');
      return new PromptRun(options);
    }
    step(run) {
      run.left -= 1;
      return run.left;
    }
  }

  class CaptionPlan extends Handle {}

  class CaptionRun extends Handle {
    constructor(texts, candidates) {
      super();
      this.texts = texts;
      this.candidates = candidates;
    }
    captions() {
      if (this.texts.length > 0) throw new Error('There are tokens left.');
      return this.candidates.map(([caption]) => caption);
    }
    scores() {
      return Float32Array.from(this.candidates, ([, score]) => score);
    }
    next() {
      const text = this.texts.shift();
      if (text === 'trap') throw trap();
      return text;
    }
  }

  class CaptionerHandle extends Model {
    wordsTotal = 0;
    wordsPending = 0;
    encodeWords(limit) {
      this.wordsPending = Math.max(0, this.wordsPending - limit);
      log.words += Math.min(limit, this.wordsTotal);
      return this.wordsPending;
    }
    static create(files, weights) {
      weights.free();
      files.free();
      onCreate(files);
      return new CaptionerHandle();
    }
    plan(options) {
      return Object.assign(new CaptionPlan(), { options });
    }
    attention(look, caption) {
      log.calls.push({ attention: seen(look), caption });
      if (caption.trim() === '') throw wasmError('argument-invalid');
      return new WordMaps(caption);
    }
    write(look, { options }) {
      const text = seen(look);
      if (this.wordsPending > 0 && options.prompt === undefined) throw wasmError('argument-invalid');
      log.calls.push({ picture: text, options });
      const texts = text === 'endless' ? Array(10_000).fill('on ') : pieces;
      return new CaptionRun(texts.slice(0, options.maxTokens), candidates.slice(0, options.numCaptions ?? 1));
    }
  }

  class MatchTexts extends Handle {
    constructor(texts) {
      super();
      this.texts = texts;
    }
  }

  /** Longer texts are more similar, and those of more words match better. */
  class MatchRun extends Handle {
    read = 0;
    constructor(texts, rerank) {
      super();
      this.texts = texts;
      this.rerank = Math.min(rerank, texts.length);
      this.total = texts.length + this.rerank;
    }
    #done(answer) {
      if (this.read < this.total) throw wasmError('argument-invalid');
      return answer;
    }
    similarities() {
      return this.#done(Float32Array.from(this.texts, (text) => text.length / 128));
    }
    probabilities() {
      const similar = this.texts.map((_, i) => i).sort((a, b) => this.texts[b].length - this.texts[a].length);
      const again = new Set(similar.slice(0, this.rerank));
      const match = (text, i) => (again.has(i) ? text.split(' ').length / 16 : Number.NaN);
      return this.#done(Float32Array.from(this.texts, match));
    }
    ranking() {
      const [matches, similarities] = [this.probabilities(), this.similarities()];
      const key = (i) => (Number.isNaN(matches[i]) ? -1 : matches[i]);
      const places = this.texts.map((_, i) => i);
      return Uint32Array.from(
        places.sort((a, b) => key(b) - key(a) || similarities[b] - similarities[a] || a - b),
      );
    }
  }

  class MatcherHandle extends Model {
    static create(files, weights) {
      weights.free();
      files.free();
      onCreate(files);
      return new MatcherHandle();
    }
    texts(texts) {
      if (texts.length === 0) throw wasmError('labels-empty');
      if (texts.includes('')) throw wasmError('label-empty');
      return new MatchTexts(texts);
    }
    compare(look, { texts }, rerank = Infinity) {
      log.calls.push({ picture: seen(look), texts, rerank });
      return new MatchRun(texts, rerank);
    }
    step(run, limit) {
      if (run.texts.includes('trap')) throw trap();
      run.read = Math.min(run.total, run.read + limit);
      log.encoded += limit;
      return run.total - run.read;
    }
    explain(look, { texts }, index) {
      log.calls.push({ picture: seen(look), explained: texts[index] });
      if (texts[index] === 'trap') throw trap();
      if (texts[index] === 'wordless') throw wasmError('argument-invalid');
      return new PatchMap();
    }
  }

  class Asked extends Handle {}

  class AnswerRun extends Handle {
    constructor(texts) {
      super();
      this.texts = texts;
      this.written = '';
    }
    step() {
      const text = this.texts.shift();
      if (text === 'trap') throw trap();
      this.written += text;
      return this.texts.length > 0;
    }
    answer() {
      return this.written;
    }
  }

  /** Longer answers are less likely. */
  class ChoiceRun extends Handle {
    weighed = 0;
    constructor(answers) {
      super();
      this.answers = answers;
    }
    step(limit) {
      this.weighed = Math.min(this.answers.length, this.weighed + limit);
      return this.answers.length - this.weighed;
    }
    scores() {
      return Float32Array.from(this.answers.slice(0, this.weighed), (answer) => -answer.length);
    }
    probabilities() {
      const all = this.scores().map(Math.exp);
      return all.map((each) => each / all.reduce((sum, one) => sum + one, 0));
    }
  }

  class AnswererHandle extends Model {
    static create(files, weights) {
      weights.free();
      files.free();
      onCreate(files);
      return new AnswererHandle();
    }
    plan(question, options) {
      if (question === '') throw wasmError('argument-invalid');
      return Object.assign(new Asked(), { question, options });
    }
    choices(question, answers) {
      if (answers.length === 0) throw wasmError('labels-empty');
      return Object.assign(new Asked(), { question, answers });
    }
    write(look, { question, options }) {
      const text = seen(look);
      log.calls.push({ picture: text, question, options });
      return new AnswerRun(text === 'endless' ? Array(10_000).fill('on ') : [...pieces]);
    }
    weigh(look, { question, answers }) {
      log.calls.push({ picture: seen(look), question, answers });
      return new ChoiceRun(answers);
    }
  }

  class OcelliFiles extends Handle {
    static read(config, preprocessor, tokenizer, decoderTokenizer, words, parts) {
      if (!Array.isArray(parts) || !(decoderTokenizer instanceof Uint8Array)) {
        throw new TypeError('(…, parts)');
      }
      return Object.assign(new OcelliFiles(), { config, preprocessor, tokenizer, decoderTokenizer, words });
    }
    passOver(weights) {
      if (weights.taken > 0) throw new Error('Too late: bytes have come.');
    }
  }

  /** Three tasks over one tower; what it looks at need not be kept for a map. */
  class OcelliHandle extends Model {
    static create(files, weights) {
      weights.free();
      files.free();
      onCreate(files);
      return Object.assign(new OcelliHandle(), { words: files.words ? 40 : 0 });
    }
    encodeImage(picture) {
      const look = super.encodeImage(picture);
      look.kept = true;
      look.keep = () => {};
      return look;
    }
    tagger() {
      return Object.assign(new TaggerHandle(), { tower: 'both', temperature: 0.8, sureThreshold: 0.4 });
    }
    captioner() {
      return Object.assign(new CaptionerHandle(), { wordsTotal: this.words, wordsPending: this.words });
    }
    matcher() {
      return new MatcherHandle();
    }
  }

  return {
    log,
    OcelliFiles,
    OcelliHandle,
    WeightsLoader,
    packingVersion: () => 1,
    Picture,
    TaggerFiles: Files,
    TaggerHandle,
    CaptionerFiles: Files,
    CaptionerHandle,
    MatcherFiles: Files,
    MatcherHandle,
    AnswererFiles: Files,
    AnswererHandle,
    ClassifierFiles: Files,
    ClassifierHandle,
    TextEncoderFiles: Files,
    TextEncoderHandle,
  };
}
