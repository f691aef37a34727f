/** `ocelli/pipeline` in Node, Deno and Bun: the same calls, with what `node.js` gives the package there. */

import './node.js';

export * from './pipeline.js';
