// What ocelli is compared with, from npm: transformers.js and ONNX Runtime Web.

import { cpSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { ROOT, run, say } from '../../../scripts/lib/run.mjs';

/** Where they lie. */
const PEERS = path.join(ROOT, 'target/bench/peers');

/** Installs them, if they are not there. */
export async function installPeers() {
  if (existsSync(path.join(PEERS, 'node_modules/onnxruntime-web'))) return;
  say('The peers from npm', 'under a minute');
  mkdirSync(PEERS, { recursive: true });
  cpSync(path.join(ROOT, 'tests/bench/peers/package.json'), path.join(PEERS, 'package.json'));
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--prefix', PEERS]);
}
