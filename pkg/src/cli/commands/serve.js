/** `ocelli serve`: answers over HTTP to programs of this machine. */

import { createServer } from 'node:http';
import { Captioner } from '../../page/captioner.js';
import { Tagger } from '../../page/tagger.js';
import { codeOf } from '../../shared/errors.js';
import { everydayTags } from '../everyday.js';
import { EXIT, Failure, usage } from '../failure.js';
import { modelOf, openModel } from '../model.js';
import { countOf } from '../options.js';
import { loading } from '../progress.js';
import { numberOf, readBody, readRequest, Refusal, remedyOf } from '../requests.js';
import { sentenceOf } from '../work.js';

const HOST = '127.0.0.1';

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function serve(values, names) {
  if (names.length > 0) throw usage('serve takes no pictures: they come with requests.');
  // Of 0, the system finds a port.
  const port = values.port === '0' ? 0 : countOf(values, 'port', 8080);
  if (port > 65_535) throw usage('--port must be at most 65535.');
  const { model, load } = modelOf(values, 'tag');
  const bar = loading({ quiet: values.quiet === true });
  const tagger = await openModel(model, () => Tagger.load(model, { ...load, onProgress: bar.onProgress }));
  bar.stop();
  /** @type {Promise<Captioner> | null} */
  let captioner = null;
  const everyday = await everydayTags(tagger);
  await everyday.prepare();

  /** @type {Record<string, (query: URLSearchParams, body: () => Promise<Uint8Array>) => Promise<unknown>>} */
  const routes = {
    async '/tag'(query, body) {
      const labels = query.get('labels')?.split(',');
      const topK = numberOf(query, 'top') ?? 5;
      const threshold = numberOf(query, 'threshold');
      const options = { topK, ...(threshold !== undefined && { threshold }) };
      const bytes = await body();
      const tags = labels ? tagger.tag(bytes, labels, options) : everyday.tag(bytes, options);
      return { tags: await tags };
    },
    async '/caption'(_, body) {
      const bytes = await body();
      captioner ??= Captioner.load(model, load);
      captioner.catch(() => (captioner = null));
      return { caption: await (await captioner).caption(bytes) };
    },
    async '/embed'(query, body) {
      const text = query.get('text');
      const bytes = await body();
      if (text !== null && bytes.length > 0) {
        throw new Refusal(400, 'argument-invalid', 'Either a text or a picture is embedded.');
      }
      const [embedding = new Float32Array()] =
        text === null ? await tagger.embedImages([bytes]) : await tagger.embedTexts([text]);
      return { embedding: [...embedding] };
    },
  };

  const server = createServer(async (request, response) => {
    const send = (/** @type {number} */ status, /** @type {unknown} */ answer) => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
      response.end(`${JSON.stringify(answer)}\n`);
    };
    try {
      const { path, query } = readRequest(request);
      send(200, await routes[path]?.(query, () => readBody(request)));
    } catch (error) {
      const code = codeOf(error) ?? 'internal';
      const status = error instanceof Refusal ? error.status : code === 'internal' ? 500 : 400;
      send(status, { code, message: `${sentenceOf(error)}${remedyOf(request, error)}` });
    }
  });
  await new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Failure(`Port ${port} cannot be listened to: ${error.message}.`)),
    );
    server.listen(port, HOST, () => resolve(undefined));
  });
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.stderr.write(`ocelli answers at http://localhost:${address.port} (end with Ctrl+C)\n`);
  await new Promise((resolve) => process.once('SIGINT', resolve));
  server.closeAllConnections();
  server.close();
  tagger.dispose();
  (await /** @type {Promise<Captioner> | null} */ (captioner))?.dispose();
  return EXIT.interrupted;
}
