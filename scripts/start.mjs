// From a fresh clone to the page in a browser: `npm start [-- --dev]`. Sets up, builds and serves.

import path from 'node:path';
import { buildPage } from './build-page.mjs';
import { buildWasm } from './build-wasm.mjs';
import { main, ROOT, say } from './lib/run.mjs';
import { chosenVariants } from './lib/variants.mjs';
import { serve, wantedPort } from './serve.mjs';
import { setup } from './setup.mjs';

await main(import.meta, async (args) => {
  const port = wantedPort();
  const names = chosenVariants(args);
  await setup(['wasm', 'npm']);
  await buildWasm({ dev: args.includes('--dev'), names });
  await buildPage();
  const { url } = await serve({ root: path.join(ROOT, 'dist'), port });
  say(`The page is at ${url} (end with Ctrl+C)`);
});
