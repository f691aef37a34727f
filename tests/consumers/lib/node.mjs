// The package without a browser: in Node, Deno and Bun.

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { capture, ROOT } from '../../../scripts/lib/run.mjs';

const CAT = path.join(ROOT, 'www/samples/cat.webp');

/**
 * The programs that are here: the Node that runs this, and what `OCELLI_NODE22`, `OCELLI_DENO` and `OCELLI_BUN` name.
 * @returns {{ id: string, title: string, program: string, args: string[], ci?: boolean }[]}
 */
export function findNodes() {
  const { OCELLI_NODE22, OCELLI_DENO, OCELLI_BUN } = process.env;
  return [
    { id: 'node', title: 'Node', program: process.execPath, args: [], ci: true },
    ...(OCELLI_NODE22 && OCELLI_NODE22 !== process.execPath
      ? [{ id: 'node-22', title: 'Node', program: OCELLI_NODE22, args: [] }]
      : []),
    ...(OCELLI_DENO ? [{ id: 'deno', title: 'Deno', program: OCELLI_DENO, args: ['run', '-A'] }] : []),
    ...(OCELLI_BUN ? [{ id: 'bun', title: 'Bun', program: OCELLI_BUN, args: ['run'] }] : []),
  ];
}

/**
 * @param {string} folder of the project
 * @param {string} program
 * @param {string[]} args
 */
export async function runNode(folder, program, args) {
  const started = performance.now();
  const { stdout } = await promisify(execFile)(program, [...args, 'describe.js', CAT], {
    cwd: folder,
    timeout: 120_000,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (!/cat\.webp: a cat.*; a cat: [01]\.\d\d/.test(stdout)) {
    throw new Error(`It says: ${stdout.slice(0, 500)}`);
  }
  const version = (capture(program, ['--version']) ?? '').split('\n')[0]?.replace(/^(v|deno )/, '') ?? '';
  return { version, result: `tags and describes; ${seconds} s in all` };
}
