/** `ocelli serve`: answers over HTTP to programs of this machine. */

import { createServer } from 'node:http';
import { Captioner } from '../../page/captioner.js';
import { Tagger } from '../../page/tagger.js';
import { codeOf, errorFor } from '../../shared/errors.js';
import { MAX_IMAGE_BYTES } from '../../shared/limits.js';
import { nearest } from '../../shared/nearest.js';
import { everydayTags } from '../everyday.js';
import { EXIT, Failure, usage } from '../failure.js';
import { readAll } from '../inputs.js';
import { countOf, loadOptions, modelOf } from '../options.js';
import { loading } from '../progress.js';
import { sentenceOf } from '../work.js';

const HOST = '127.0.0.1';
/** What requests may ask, by their path. @type {Record<string, string[]>} */
const PARAMETERS = { '/tag': ['labels', 'top'] };

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function serve(values, names) {
  if (names.length > 0) throw usage('serve takes no pictures: they come with requests.');
  const port = countOf(values, 'port', 8080);
  if (port > 65_535) throw usage('--port must be at most 65535.');
  const model = modelOf(values, 'ocelli');
  const load = loadOptions(values);
  const bar = loading({ quiet: values.quiet === true });
  const tagger = await Tagger.load(model, { ...load, onProgress: bar.onProgress });
  bar.stop();
  /** @type {Promise<Captioner> | null} */
  let captioner = null;
  const everyday = await everydayTags(tagger);
  await everyday.prepare();

  /** @type {Record<string, (bytes: Uint8Array, query: URLSearchParams) => Promise<unknown>>} */
  const routes = {
    async '/tag'(bytes, query) {
      const labels = query.get('labels')?.split(',');
      const topK = Number(query.get('top') ?? 5);
      if (labels) return { tags: await tagger.tag(bytes, labels, { topK }) };
      // As the command `tag` does.
      if (!Number.isSafeInteger(topK) || topK < 1) {
        throw errorFor('argument-invalid', 'top must be a whole number above zero.');
      }
      return { tags: await everyday.tag(bytes, { topK }) };
    },
    async '/caption'(bytes) {
      captioner ??= Captioner.load(model, load);
      captioner.catch(() => (captioner = null));
      return { caption: await (await captioner).caption(bytes) };
    },
    async '/embed'(bytes) {
      const [embedding = new Float32Array()] = await tagger.embedImages([bytes]);
      return { embedding: [...embedding] };
    },
  };

  const server = createServer(async (request, response) => {
    const send = (/** @type {number} */ status, /** @type {unknown} */ answer) => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
      response.end(`${JSON.stringify(answer)}\n`);
    };
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', `http://${HOST}`);
      const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
      if (!route) {
        return send(404, { code: 'not-found', message: `There is ${Object.keys(routes).join(', ')}.` });
      }
      if (request.method !== 'POST') {
        return send(405, {
          code: 'argument-invalid',
          message: 'Send the bytes of a picture by POST, as `curl --data-binary @cat.jpg` does.',
        });
      }
      // A web page elsewhere must not use what listens here.
      if (request.headers.origin !== undefined) {
        return send(403, { code: 'argument-invalid', message: 'Not for web pages.' });
      }
      const taken = PARAMETERS[pathname] ?? [];
      const unknown = [...searchParams.keys()].find((name) => !taken.includes(name));
      if (unknown !== undefined) {
        const meant = nearest(unknown, taken);
        const hint = meant ? `did you mean ${meant}?` : `there is ${taken.join(', ') || 'none here'}.`;
        return send(400, {
          code: 'argument-invalid',
          message: `There is no parameter ${unknown}: ${hint}`,
        });
      }
      send(200, await route(await readAll(request, MAX_IMAGE_BYTES), searchParams));
    } catch (error) {
      const code = codeOf(error);
      send(code === 'internal' || code === null ? 500 : 400, {
        code: code ?? 'internal',
        message: sentenceOf(error),
      });
    }
  });
  await new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Failure(`Port ${port} cannot be listened to: ${error.message}.`)),
    );
    server.listen(port, HOST, () => resolve(undefined));
  });
  process.stderr.write(`ocelli answers at http://localhost:${port} (end with Ctrl+C)\n`);
  await new Promise((resolve) => process.once('SIGINT', resolve));
  server.closeAllConnections();
  server.close();
  tagger.dispose();
  (await /** @type {Promise<Captioner> | null} */ (captioner))?.dispose();
  return EXIT.interrupted;
}
