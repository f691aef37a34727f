// Builds the API reference of the package beside the page, `dist/api/`: `node scripts/build-docs.mjs`.
//
// It is made of the package's declarations, which the compiler makes of the comments in its sources.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { buildPage } from './build-page.mjs';
import { duration, main, ROOT, run, say } from './lib/run.mjs';

const FOLDER = path.join(ROOT, 'scripts/docs');

await main(import.meta, async () => {
  const started = performance.now();
  await buildPage();
  if (!existsSync(path.join(FOLDER, 'node_modules/typedoc'))) {
    say('Docs: installing their tools', 'seconds');
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', FOLDER]);
  }
  const options = path.join(FOLDER, 'typedoc.json');
  await run(process.execPath, [path.join(FOLDER, 'node_modules/typedoc/bin/typedoc'), '--options', options], {
    failure: 'typedoc could not build the reference (see above).',
  });
  say(`Docs: dist/api built in ${duration(performance.now() - started)}.`);
});
