// Remembering what a build was made from, so that the next one can see that there is nothing to do.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './run.mjs';

/**
 * Every file below a path (or the path itself when it is a file), sorted, relative to `root`; hidden files and
 * what is not there are left out.
 * @param {string} start
 * @param {string} [root]
 * @returns {string[]}
 */
export function filesBelow(start, root = ROOT) {
  const full = path.join(root, start);
  if (!existsSync(full)) return [];
  if (statSync(full).isFile()) return [start];
  const names = readdirSync(full).filter((name) => !name.startsWith('.') && name !== 'node_modules');
  return names.sort().flatMap((name) => filesBelow(path.join(start, name), root));
}

/**
 * One hash over the names and contents of files, and over `extra` facts such as versions.
 * @param {string[]} inputs files and folders, relative to the root
 * @param {string[]} [extra]
 */
export function fingerprint(inputs, extra = []) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap((input) => filesBelow(input))) {
    const bytes = readFileSync(path.join(ROOT, file));
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.update(JSON.stringify(extra)).digest('hex');
}

/**
 * The stamp left in a file by an earlier build, or null.
 * @param {string} file relative to the root
 * @returns {Record<string, any> | null}
 */
export function readStamp(file) {
  try {
    return JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'));
  } catch {
    return null;
  }
}

/**
 * @param {string} file relative to the root
 * @param {Record<string, any>} stamp
 */
export function writeStamp(file, stamp) {
  const full = path.join(ROOT, file);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, `${JSON.stringify(stamp, null, 2)}\n`);
}
