/** Node's ways in place of a browser's: what both of its threads have in common. */

import { availableParallelism } from 'node:os';
import { platform } from '../shared/platform.js';
import { folderBackend } from './cache.js';
import { fetchAny, resolve, sendable } from './files.js';
import { indexFolder } from './indexes.js';

const major = Number(process.versions.node.split('.')[0]);

Object.assign(platform, {
  fetch: fetchAny,
  resolve,
  sendable,
  host: 'This Node',
  // In Node 20 a pool of threads waits for itself without end.
  noSharing: () => (major >= 22 ? null : 'Node has threads for it from version 22 on'),
  cores: availableParallelism,
  openCache: () => folderBackend(),
  openIndexes: () => indexFolder(),
});
