/** Node's ways in place of a browser's: what both of its threads have in common. */

import { availableParallelism } from 'node:os';
import { platform } from '../shared/platform.js';
import { folderBackend } from './cache.js';
import { fetchAny, resolve } from './files.js';

Object.assign(platform, {
  fetch: fetchAny,
  resolve,
  // Memory can always be shared here.
  isolated: () => true,
  cores: availableParallelism,
  openCache: () => folderBackend(),
});
