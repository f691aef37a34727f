/** ocelli in a worker, by the handles of its wasm: no time of the package's messages is counted, nor saved. */

import { verbs } from './ocelli-verbs.js';
import { serve } from './worker.js';

serve(verbs);
