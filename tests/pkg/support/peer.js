import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bytes, serveRoutes } from './server.js';

/** transformers.js beside ocelli: where it is installed, and what both are asked. */

const root = fileURLToPath(new URL('../../../', import.meta.url));
const golden = join(root, 'tests/golden/pipeline');
const LIBRARY = 'target/bench/peers/node_modules/@huggingface/transformers';

/** The files of the models that both read, as they lie on a hub. */
const FILES = {
  clip: [
    ...['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'],
    ...['onnx/model.onnx', 'onnx/vision_model.onnx', 'onnx/text_model.onnx'],
  ],
  vit: ['config.json', 'preprocessor_config.json', 'onnx/model.onnx'],
  dinov2: ['config.json', 'preprocessor_config.json', 'onnx/model.onnx', 'model.safetensors'],
};

/** What transformers.js answered when it was asked last. */
export const answersFile = join(golden, 'answers.json');

/** The library, or null where it is not installed. */
export async function importPeer() {
  const entry = join(root, LIBRARY, 'dist/transformers.node.mjs');
  return existsSync(entry) ? import(pathToFileURL(entry).href) : null;
}

/** A hub on localhost with the seeded models, and the pictures. */
export async function serveHub(t) {
  const routes = {};
  for (const [name, files] of Object.entries(FILES)) {
    for (const file of files) {
      routes[`/seeded/${name}/resolve/main/${file}`] = bytes(readFileSync(join(golden, name, file)));
    }
  }
  const png = (name) => bytes(readFileSync(join(golden, `${name}.png`)), { 'content-type': 'image/png' });
  const { url, requests } = await serveRoutes(t, {
    ...routes,
    '/one.png': png('one'),
    '/two.png': png('two'),
  });
  return { url, requests };
}

/** What the script is given. */
export async function given(t) {
  const { url } = await serveHub(t);
  const cacheDir = mkdtempSync(join(tmpdir(), 'ocelli-peer-'));
  t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
  const blob = new Blob([readFileSync(join(golden, 'one.png'))], { type: 'image/png' });
  return { host: `${url}/`, cacheDir, pictures: [`${url}/one.png`, `${url}/two.png`], blob };
}
