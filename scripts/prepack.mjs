// Makes the package ready to be packed: its bundles, its types, its notices; refuses where a part of it was not built.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { buildPackage } from './build-package.mjs';
import { Failure, main, ROOT } from './lib/run.mjs';
import { VARIANTS } from './lib/variants.mjs';
import { writeNotices } from './notices.mjs';

await main(import.meta, async () => {
  const missing = VARIANTS.filter(({ name }) => !existsSync(path.join(ROOT, `pkg/wasm/${name}_bg.wasm`)));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    throw new Failure(`The package would lack the variants ${names}: run \`npm run build:wasm\` first.`);
  }
  await buildPackage();
  writeNotices();
});
