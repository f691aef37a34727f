// Running programs and speaking to the person at the terminal: the one place that spawns processes.

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** A failure that the person can act on: its message is one clear sentence, printed without a stack. */
export class Failure extends Error {
  name = 'Failure';
}

/**
 * Tells the person what happens now, and for how long it usually lasts.
 * @param {string} text
 * @param {string} [usual] such as `about 2 minutes`
 */
export function say(text, usual) {
  console.log(usual ? `» ${text} (${usual})` : `» ${text}`);
}

/**
 * Seconds in words: `0.4 s`, `12 s`, `3 min 20 s`.
 * @param {number} ms
 */
export function duration(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/**
 * Runs a program to its end with its output shown, and fails with a sentence when it does not succeed.
 *
 * With `onLine` each line of standard output is handed over as well, without its colours. `output` says when the
 * output is shown: `always` as it comes, `failure` only when the program fails, or `never`.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, timeoutMs?: number, failure?: string,
 *   onLine?: (line: string) => void, output?: 'always' | 'failure' | 'never' }} [options]
 * @returns {Promise<void>}
 */
export function run(command, args, options = {}) {
  const { cwd = ROOT, env = {}, timeoutMs, failure, onLine, output = 'always' } = options;
  const held = output !== 'always';
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', onLine || held ? 'pipe' : 'inherit', held ? 'pipe' : 'inherit'],
    timeout: timeoutMs,
  });
  /** @type {Buffer[]} */
  const kept = [];
  let rest = '';
  child.stdout?.on('data', (chunk) => {
    if (held) kept.push(chunk);
    else process.stdout.write(chunk);
    if (!onLine) return;
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(plain(line));
  });
  child.stderr?.on('data', (chunk) => kept.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', (cause) =>
      reject(new Failure(`Could not start ${command}: ${cause.message}.`, { cause })),
    );
    child.on('close', (code, signal) => {
      if (onLine && rest) onLine(plain(rest));
      if (code === 0) return resolve();
      if (output === 'failure') process.stderr.write(Buffer.concat(kept));
      const how = signal ? `was stopped by ${signal}` : `failed with exit code ${code}`;
      return reject(new Failure(failure ?? `\`${[command, ...args].join(' ')}\` ${how}.`));
    });
  });
}

/**
 * The trimmed standard output of a quick program, or null when it is absent or fails.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string | undefined>} [env]
 */
export function capture(command, args, env = {}) {
  const done = spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  return done.status === 0 ? done.stdout.trim() : null;
}

/**
 * Where a program lies on PATH, or null.
 * @param {string} name
 */
export function which(name) {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    if (folder && isExecutable(path.join(folder, name))) return path.join(folder, name);
  }
  return null;
}

/** @param {string} file */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * Runs a script's body when the file was started directly, and turns a failure into one sentence and exit code 1.
 * @param {ImportMeta} meta
 * @param {(args: string[]) => Promise<void> | void} body
 */
export async function main(meta, body) {
  if (process.argv[1] && path.resolve(process.argv[1]) !== fileURLToPath(meta.url)) return;
  try {
    await body(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Failure ? `\n✗ ${error.message}` : error);
    process.exitCode = 1;
  }
}

/** @param {string} text */
function plain(text) {
  // eslint-disable-next-line no-control-regex -- colours are control characters
  return text.replace(/\x1b\[[0-9;]*m/g, '');
}
