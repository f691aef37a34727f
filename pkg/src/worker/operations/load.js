/**
 * Loading: what was kept on an earlier visit, or files in order from the network, JSON first, then the weights chunk
 * by chunk into the wasm loader, which builds tensors as their bytes complete.
 *
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../../shared/loader.js').FetchOptions} FetchOptions
 * @typedef {import('../../shared/loader.js').OpenFile} OpenFile
 * @typedef {import('../../shared/types.js').ModelFile} ModelFile
 * @typedef {import('../../shared/protocol.js').Progress} Progress
 * @typedef {import('../../cache/index.js').Entry} Entry
 *
 * @typedef {import('../../cache/embeddings.js').Place} Place
 * @typedef {import('../../cache/index.js').Part} Part
 * @typedef {import('./recipes.js').Recipe} Recipe
 *
 * @typedef {Pick<import('../../shared/protocol.js').LoadArguments, 'task' | 'files' | 'dtype' | 'cache' | 'tower'>} Params
 * @typedef {FetchOptions & { backend?: () => Promise<import('../../cache/index.js').Backend | null> }} LoadOptions `backend`
 *   is for tests
 * @typedef {{ progress: Progress } | { tasks: readonly import('../../shared/protocol.js').Task[] }} LoadStep
 *
 * @typedef {object} Loaded
 * @property {Recipe} recipe
 * @property {any} handle of the model
 * @property {Place | null} place where it is kept, if it is
 * @property {Uint8Array | null} knownLabels the list of the labels that it can know, where it has one
 * @property {number} bytes of its files, or of what is kept of it
 */

import { linkedController, throwIfAborted } from '../../shared/abort.js';
import { codeOf, errorFor } from '../../shared/errors.js';
import { chunks, openFile, openFirst, openOptional, readSmallFile } from '../../shared/loader.js';
import { fileBeside, smallFiles } from '../../shared/model-files.js';
import { versionOf } from '../../shared/responses.js';
import { isIndex, readIndex } from '../../shared/shards.js';
import { entryName, findEntry, openBackend, removeOutdated } from '../../cache/index.js';
import { CacheWriter } from './cache-writer.js';
import { Meter, progress } from './meter.js';
import { namedTextModel, withTextConfig } from './named-text-model.js';
import { dispensableFiles, possibleParts, recipeFor } from './recipes.js';
import { release } from './release.js';
import { withAddress } from './small-files.js';
import { StatedLength } from './stated-length.js';
import { openParts } from './tokenizer-parts.js';

/** Progress is told at most this often, in milliseconds. */
const PROGRESS_INTERVAL = 100;

/**
 * Builds a model from what was kept, or else downloads it and keeps it.
 *
 * @param {Wasm} wasm
 * @param {Params} params
 * @param {LoadOptions} options
 * @returns {AsyncGenerator<LoadStep, Loaded, void>}
 */
export async function* load(wasm, params, options) {
  const { files, dtype, cache } = params;
  const backend = cache ? await (options.backend ?? openBackend)() : null;
  if (!backend || !cache) return yield* fromNetwork(wasm, params, options, async () => null);
  const packing = wasm.packingVersion();
  for (const part of possibleParts(params)) {
    const name = await entryName(files, { part, dtype, packing });
    // A storage that fails is as good as an empty one.
    const entry = await findEntry(backend, name).catch(() => null);
    throwIfAborted(options.signal);
    if (!entry) continue;
    const recipe = recipeFor(wasm, params, entry.small[0] ?? new Uint8Array());
    const usual = smallFiles(files).length;
    if (!isWhole(entry, usual, recipe)) continue;
    // What the model does without was kept as an empty file.
    const small = entry.small.map((bytes, i) => (i < usual || bytes.length > 0 ? bytes : undefined));
    try {
      const handle = yield* fromStore(wasm, params.dtype, recipe, { ...entry, small }, options.signal);
      const place = { backend, name, record: entry.record };
      const bytes = entry.record.weights;
      return { recipe, handle, place, knownLabels: knownLabelsOf(recipe, small), bytes };
    } catch (error) {
      throwIfAborted(options.signal);
      // Damage is ours to mend; a trap in the wasm is not.
      if (codeOf(error) === null && !(error instanceof DOMException)) throw error;
    }
  }
  return yield* fromNetwork(wasm, params, options, async (part) => {
    const packed = { part, dtype, packing };
    const name = await entryName(files, packed);
    await backend.remove(name).catch(() => {});
    await removeOutdated(backend, packing).catch(() => {});
    return CacheWriter.begin(backend, name, { kept: cache, packed });
  });
}

/**
 * Whether an entry has all the small files of its model.
 *
 * @param {Entry} entry
 * @param {number} usual how many small files a model of that task has
 * @param {Recipe} recipe
 */
function isWhole({ record, small }, usual, { part, extra }) {
  return record.part === part && small.length === usual + extra.length;
}

/**
 * @param {Recipe} recipe
 * @param {(Uint8Array | undefined)[]} small all small files, those besides the usual ones last
 */
function knownLabelsOf({ extra, knownLabels }, small) {
  const index = extra.findIndex(({ name }) => name === knownLabels);
  return (index < 0 ? undefined : small[small.length - extra.length + index]) ?? null;
}

/**
 * @param {Wasm} wasm
 * @param {Params['dtype']} dtype
 * @param {Recipe} recipe
 * @param {Pick<Entry, 'record' | 'chunks'> & { small: (Uint8Array | undefined)[] }} entry
 * @param {AbortSignal | undefined} signal
 * @returns {AsyncGenerator<LoadStep, any, void>} a handle
 */
async function* fromStore(wasm, dtype, recipe, { record, small, chunks }, signal) {
  const total = record.weights;
  const weights = new wasm.WeightsLoader(dtype, false);
  /** @type {import('../handles.js').FilesHandle | null} */
  let checked = null;
  let consumed = false;
  try {
    yield { tasks: recipe.tasks };
    yield progress('cache', null, 0, total);
    checked = recipe.read(small);
    let loaded = 0;
    let lastReported = performance.now();
    for await (const chunk of chunks()) {
      throwIfAborted(signal);
      weights.push(chunk);
      loaded += chunk.length;
      const now = performance.now();
      if (now - lastReported >= PROGRESS_INTERVAL) {
        lastReported = now;
        yield progress('cache', null, loaded, total);
      }
    }
    // Where it ends early, tensors are missing, and a model may take the lack of some for its own shape.
    if (loaded !== total) throw errorFor('weights-truncated', 'What was kept of the model is cut short.');
    yield progress('build', null, total, total);
    consumed = true;
    return recipe.create(checked, weights);
  } finally {
    if (!consumed) {
      release(weights);
      if (checked) release(checked);
    }
  }
}

/**
 * @param {Wasm} wasm
 * @param {Params} params
 * @param {FetchOptions} options
 * @param {(part: Part) => Promise<CacheWriter | null>} keep begins to keep what comes; null where nothing is kept
 * @returns {AsyncGenerator<LoadStep, Loaded, void>}
 */
async function* fromNetwork(wasm, params, options, keep) {
  const { files, dtype } = params;
  const { controller, unlink } = linkedController(options.signal);
  const inner = { ...options, signal: controller.signal };
  /** @type {CacheWriter | null} */
  let writer = null;
  /** @type {import('../handles.js').WeightsHandle | null} */
  let weights = null;
  /** @type {import('../handles.js').FilesHandle | null} */
  let checked = null;
  let consumed = false;
  try {
    // All are asked for at once: a missing one shows before anything large moves, and sizes are known early.
    const [configFile, ...smaller] = smallFiles(files);
    // Whether those beside it are needed, the configuration tells.
    const others = Promise.all(smaller.map((file) => openFirst(file, inner).catch(asAbsent)));
    const [tensors, config, usual] = await Promise.all([
      openFirst(files.weights, inner),
      openFirst(configFile, inner),
      others,
    ]);
    const there = usual.flatMap((open) => (open instanceof Error ? [] : [open]));
    const meter = new Meter([config, ...there, tensors]);
    /** @type {OpenFile[]} */
    const all = [config, ...there, tensors];
    yield meter.event(config);
    let configBytes = await readWhole(config);
    const named = namedTextModel(configBytes, config.file);
    if (named.config) {
      const textConfig = await openNamed(named.config);
      configBytes = withTextConfig(configBytes, await readWhole(textConfig), named.config);
    }
    const { preprocessor, tokenizer } = dispensableFiles(params, configBytes);
    /** @type {import('./tokenizer-parts.js').Parts | null} */
    let parts = null;
    for (const [i, open] of usual.entries()) {
      if (!(open instanceof Error) || [preprocessor, tokenizer][i]) continue;
      parts = i === 1 && files.tokenizer ? await openParts(files.tokenizer, inner) : null;
      all.push(...(parts?.open ?? []));
      if (!parts && (i === 0 || !named.tokenizer)) throw open;
      if (!parts && named.tokenizer) usual[i] = await openNamed(named.tokenizer);
    }
    const recipe = recipeFor(wasm, params, configBytes);
    yield { tasks: recipe.tasks };
    const extra = await Promise.all(
      recipe.extra.map(({ name, optional }) =>
        (optional ? openOptional : openFile)(fileBeside(files, name), inner),
      ),
    );
    for (const open of extra.filter((one) => one !== null)) {
      meter.learn(open, open.total);
      all.push(open);
    }
    /** @type {(Uint8Array | undefined)[]} */
    const small = [configBytes];
    for (const open of [...usual, ...extra]) {
      // What is not there, and not needed, is kept as an empty file: the others keep their places.
      if (open instanceof Error) {
        small.push(open === usual[1] && parts ? await joinParts(parts) : new Uint8Array());
        continue;
      }
      if (open) yield meter.event(open);
      small.push(open ? await readWhole(open) : undefined);
    }
    writer = await keep(recipe.part);
    weights = new wasm.WeightsLoader(dtype, writer !== null);
    // A model that cannot work is refused here, before its weights move.
    try {
      checked = recipe.read(small);
    } catch (error) {
      throw withAddress(error, {
        config: config.file,
        preprocessor: filesOf([usual[0]]),
        tokenizer: filesOf(parts?.open ?? [usual[1]]),
        extra: filesOf(extra),
      });
    }
    checked.passOver(weights);
    if (isIndex(tensors.file)) {
      yield meter.event(tensors);
      const shards = readIndex(await readWhole(tensors), tensors.file);
      meter.announce(shards.bytes);
      for (const [i, file] of shards.files.entries()) {
        const shard = await openFile(file, inner);
        all.push(shard);
        meter.arrive(shard, i === shards.files.length - 1);
        if (i > 0) weights.nextFile();
        yield* readWeights(shard, weights, writer, meter, inner);
      }
    } else {
      yield* readWeights(tensors, weights, writer, meter, inner);
    }
    refuseUnchecked(files, all);
    yield progress('build', null, meter.loaded, meter.loaded);
    consumed = true;
    const handle = recipe.create(checked, weights);
    // Only what has become a model is worth keeping.
    await writer?.commit(
      small.map((bytes) => bytes ?? new Uint8Array()),
      versionsOf(all),
    );
    const place = writer?.place ?? null;
    return { recipe, handle, place, knownLabels: knownLabelsOf(recipe, small), bytes: meter.loaded };

    /** A file of the text model that the configuration names. @param {ModelFile} file */
    async function openNamed(file) {
      const open = await openFile(file, inner);
      meter.learn(open, open.total);
      all.push(open);
      return open;
    }

    /** @param {import('./tokenizer-parts.js').Parts} parts */
    async function joinParts({ open, join }) {
      const texts = [];
      for (const one of open) texts.push(new TextDecoder().decode(await readWhole(one)));
      return new TextEncoder().encode(JSON.stringify(join(texts)));
    }

    /** @param {OpenFile} open */
    async function readWhole(open) {
      const bytes = await readSmallFile(open, { ...inner, onChunk: (length) => meter.add(length) });
      meter.learn(open, bytes.length);
      return bytes;
    }
  } finally {
    unlink();
    controller.abort();
    await writer?.abandon();
    if (!consumed) {
      if (weights) release(weights);
      if (checked) release(checked);
    }
  }
}

/**
 * A file of weights, chunk by chunk into the wasm.
 *
 * @param {OpenFile} open
 * @param {import('../handles.js').WeightsHandle} weights
 * @param {CacheWriter | null} writer
 * @param {Meter} meter
 * @param {FetchOptions} options
 * @returns {AsyncGenerator<LoadStep, void, void>}
 */
async function* readWeights(open, weights, writer, meter, options) {
  yield meter.event(open);
  let lastReported = performance.now();
  let received = 0;
  const stated = open.total === null ? new StatedLength() : null;
  for await (const chunk of chunks(open, options)) {
    const length = stated?.add(chunk) ?? null;
    if (length !== null) meter.learn(open, length);
    weights.push(chunk);
    received += chunk.length;
    meter.add(chunk.length);
    if (writer) await writer.write(weights.takePacked());
    const now = performance.now();
    if (now - lastReported >= PROGRESS_INTERVAL) {
      lastReported = now;
      yield meter.event(open);
    }
  }
  meter.learn(open, received);
  yield meter.event(open);
}

/**
 * A name that no file had was meant for one that was not checked.
 *
 * @param {Params['files']} files
 * @param {OpenFile[]} all that were read
 */
function refuseUnchecked({ config }, all) {
  const names = new Set(all.map(({ file }) => file.name));
  const stranger = Object.keys(config.access?.integrity ?? {}).find((name) => !names.has(name));
  if (stranger === undefined) return;
  const sentence = `The option integrity speaks of ${stranger}; the files of this model are ${[...names].join(', ')}.`;
  throw errorFor('argument-invalid', sentence);
}

/** Those that are there. @param {readonly (OpenFile | Error | null | undefined)[]} opens */
function filesOf(opens) {
  return opens.flatMap((open) => (open && !(open instanceof Error) ? [open.file] : []));
}

/** What tells later whether files have changed. @param {OpenFile[]} all */
function versionsOf(all) {
  return all.flatMap(({ file: { url }, response }) => {
    const version = versionOf(response);
    return version === null ? [] : [{ url, version }];
  });
}

/** The error of a file that is not there; others are thrown again. @param {unknown} error @returns {Error} */
function asAbsent(error) {
  const code = codeOf(error);
  if (error instanceof Error && (code === 'not-found' || code === 'not-a-model' || code === 'http-status')) {
    return error;
  }
  throw error;
}
