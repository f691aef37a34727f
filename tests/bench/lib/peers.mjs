// What ocelli is compared with, from npm.

import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT, run, say } from '../../../scripts/lib/run.mjs';

/** Where they lie. */
const PEERS = path.join(ROOT, 'target/bench/peers');

const WANTED = path.join(ROOT, 'tests/bench/peers/package.json');
/** The list of what was installed last, copied once all of it was. */
const INSTALLED = path.join(PEERS, 'installed.json');

/** Installs them, if they are not there. */
export async function installPeers() {
  if (existsSync(INSTALLED) && readFileSync(INSTALLED, 'utf8') === readFileSync(WANTED, 'utf8')) return;
  say('The peers from npm', 'under a minute');
  mkdirSync(PEERS, { recursive: true });
  cpSync(WANTED, path.join(PEERS, 'package.json'));
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--prefix', PEERS]);
  cpSync(WANTED, INSTALLED);
}
