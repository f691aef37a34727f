// The same script against ocelli and transformers.js: `npm run test:peers`. Installs the latter below target/ (500 MB), if it is
// not there. `-- --write` keeps its answers, which stand for it where it is not installed.

import path from 'node:path';
import { main, ROOT, run } from '../../scripts/lib/run.mjs';
import { installPeers } from '../bench/lib/peers.mjs';

await main(import.meta, async (args) => {
  await installPeers();
  const env = args.includes('--write') ? { OCELLI_WRITE: '1' } : {};
  await run(process.execPath, ['--test', path.join(ROOT, 'tests/pkg/pipeline-peer.test.js')], {
    env,
    failure: 'ocelli and transformers.js disagree (see above).',
  });
});
