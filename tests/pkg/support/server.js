import { createServer } from 'node:http';

/**
 * A server on localhost for the length of a test.
 *
 * @param {import('node:test').TestContext} t
 * @param {Record<string, (request, response) => void>} routes by path
 * @returns {Promise<{ url: string, requests: { path: string, headers: object }[] }>}
 */
export async function serveRoutes(t, routes) {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url, headers: request.headers });
    const route = routes[request.url];
    if (route) return route(request, response);
    response.writeHead(404).end('nothing here');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, requests };
}

/** A route that answers with these bytes. */
export function bytes(body, headers = {}) {
  return (request, response) => {
    response.writeHead(200, { 'content-length': Buffer.byteLength(body), ...headers }).end(body);
  };
}

/** Routes for a folder that serves several tasks; `changed` replaces files by name, or takes them away. */
export function sharedRoutes(folder = '/m/', changed = {}) {
  const files = {
    'config.json': '{"model_type": "ocelli"}',
    'preprocessor_config.json': '{"preprocessor": 1}',
    'tokenizer.json': '{"tokenizer": 1}',
    'decoder_tokenizer.json': '{"decoder": 1}',
    'words.json': '{"words": 1}',
    'labels.json': '["dog", "beagle", "no tag of the vocabulary"]',
    'model.safetensors': Buffer.alloc(3_000_000, 7),
    ...changed,
  };
  const there = Object.entries(files).filter(([, body]) => body !== undefined);
  return Object.fromEntries(there.map(([name, body]) => [`${folder}${name}`, bytes(body)]));
}

/** Routes for a model in a folder; `weights` is what model.safetensors holds. */
export function modelRoutes(folder = '/m/', weights = Buffer.alloc(3_000_000, 7)) {
  return {
    [`${folder}config.json`]: bytes('{"config": 1}'),
    [`${folder}preprocessor_config.json`]: bytes('{"preprocessor": 1}'),
    [`${folder}tokenizer.json`]: bytes('{"tokenizer": 1}'),
    [`${folder}model.safetensors`]: bytes(weights, { etag: '"one"' }),
  };
}
