/**
 * What a page asks of a library with the calls of transformers.js: the same for each, whichever `pipeline` and `env` are handed in.
 * The answers are plain, to be compared and kept.
 *
 * @param {{ pipeline: any, env: any }} library
 * @param {{ host: string, cacheDir: string, pictures: string[], blob: Blob, raw: (pixels: object) => any }} given `host` of a hub
 *   with the models beside this file, addresses of `pictures`, one of them as a `blob`; `raw` makes the library's image of
 *   pixels
 * @returns {Promise<Record<string, any>>}
 */
export async function visit({ pipeline, env }, { host, cacheDir, pictures, blob, raw }) {
  env.remoteHost = host;
  env.allowLocalModels = false;
  env.cacheDir = cacheDir;
  const [one, two] = pictures;
  const dtype = 'fp32';
  const answers = {};

  const told = [];
  const progress_callback = (info) => told.push(info);
  const fits = await pipeline('zero-shot-image-classification', 'seeded/clip', { dtype, progress_callback });
  const labels = ['cat', 'dog', 'a bus'];
  answers.progress = summary(told);
  answers.fits = await fits(one, labels);
  answers.fitsEach = await fits([two, blob], labels);
  answers.fitsOne = await fits(new URL(two), ['cat']);
  answers.fitsTemplate = await fits([one], labels, { hypothesis_template: 'the {} x' });
  const grey = raw({ data: bytes(576, 7), width: 24, height: 24, channels: 1 });
  const rgb = raw({ data: bytes(3 * 576, 5), width: 24, height: 24, channels: 3 });
  const rgba = raw({ data: bytes(4 * 576, 3), width: 24, height: 24, channels: 4 });
  answers.fitsRaw = await fits([grey, rgb, rgba], labels);
  await fits.dispose();

  const classes = await pipeline('image-classification', 'seeded/vit', { dtype, device: 'cpu' });
  answers.classes = await classes(one);
  answers.classesTwo = await classes(one, { top_k: 2 });
  answers.classesAll = await classes([one, two], { top_k: null });
  await classes.dispose();

  const embed = await pipeline('image-feature-extraction', 'seeded/clip', { dtype, session_options: {} });
  answers.features = plain(await embed(one));
  answers.featuresEach = plain(await embed([one, two]));
  answers.featuresPooled = await refusal(embed(one, { pool: true }));
  await embed.dispose();

  const see = await pipeline('image-feature-extraction', 'seeded/dinov2', { dtype });
  answers.states = plain(await see([one, two]));
  answers.statesPooled = plain(await see([one, two], { pool: true }));
  await see.dispose();
  answers.unknownTask = await refusal(pipeline('no-such-task', 'seeded/clip'));
  return answers;
}

/** A tensor by all ways that lead to its numbers. */
function plain(tensor) {
  const { type, dims, size, data } = tensor;
  const rows = [...tensor].map((row) => [...row.dims]);
  return { type, dims: [...dims], size, data: [...data], list: tensor.tolist(), rows, first: [...tensor[0].data] };
}

/** What a page is told while a model loads, whatever the order of files. */
function summary(told) {
  const files = (status) =>
    [...new Set(told.filter((info) => info.status === status).map(({ file }) => file))].sort();
  const whole = told.filter(({ status, loaded, total }) => status === 'progress' && loaded === total);
  return {
    statuses: [...new Set(told.map(({ status }) => status))].sort(),
    names: [...new Set(told.map(({ name }) => name))].filter(Boolean),
    weights: ['initiate', 'download', 'progress', 'done'].map((status) => files(status).includes('onnx/model.onnx')),
    sizes: Object.fromEntries(
      whole
        .filter(({ file }) => ['config.json', 'onnx/model.onnx'].includes(file))
        .map(({ file, total, progress }) => [file, [total, progress]])
        .sort(),
    ),
    last: told.at(-1),
  };
}

function bytes(length, factor) {
  return Uint8ClampedArray.from({ length }, (_, i) => (i * factor * 37) % 256);
}

/** Whether a call is refused, with an error. */
async function refusal(promise) {
  return promise.then(
    () => 'answered',
    (error) => (error instanceof Error ? 'refused' : 'thrown'),
  );
}
