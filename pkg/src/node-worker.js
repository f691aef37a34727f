/** The script of a worker in Node. */

import './node/platform.js';
import { openPort } from './node/port.js';
import { startInWorker } from './worker/start.js';

startInWorker(openPort());
