// Projects as people have them: an example of `examples/`, installed from the packed package and built with its own tools.

import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../../scripts/lib/run.mjs';

/** Where projects live. Their tools stay installed between runs. */
export const WORK = path.join(ROOT, 'target/consumers');

/** Longest wait for an install or a build, in milliseconds. */
const PATIENCE = 300_000;

/** Packs the package as it would be published. @returns {Promise<string>} the tarball */
export async function pack() {
  mkdirSync(WORK, { recursive: true });
  const { stdout } = await promisify(execFile)('npm', ['pack', '--json', '--pack-destination', WORK], {
    cwd: path.join(ROOT, 'pkg'),
  });
  // Scripts of the package may have printed before.
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  return path.join(WORK, filename);
}

/**
 * A project, ready to be built.
 *
 * @param {string} id its folder
 * @param {{ example: string, packages: string[], files?: Record<string, string>, tarball: string }} about `packages` with their
 *   versions; `files`: what the example has not
 * @returns {Promise<string>} its folder
 */
export async function makeProject(id, { example, packages, files = {}, tarball }) {
  const folder = path.join(WORK, id);
  const installed = path.join(folder, 'installed.json');
  const wanted = JSON.stringify(packages);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    path.join(folder, 'package.json'),
    JSON.stringify({ name: id, private: true, type: 'module' }),
  );
  if (!existsSync(installed) || readFileSync(installed, 'utf8') !== wanted) {
    if (packages.length > 0) await npm(folder, ['install', ...packages]);
    writeFileSync(installed, wanted);
  } else if (packages.length > 0) {
    // The manifest was written anew: what is installed is told to it again.
    const names = packages.map((name) => [name.replace(/(?<=.)@[^@]*$/, ''), '*']);
    const manifest = { name: id, private: true, type: 'module', dependencies: Object.fromEntries(names) };
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
  }
  // Not through npm: it would look for all other packages again. A tarball without dependencies is its files.
  const home = path.join(folder, 'node_modules/ocelli');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  await promisify(execFile)('tar', ['-xzf', tarball, '--strip-components=1', '-C', home]);
  // What development servers made of the package before.
  for (const cache of ['.vite', '.cache', '.astro']) {
    rmSync(path.join(folder, 'node_modules', cache), { recursive: true, force: true });
  }
  cpSync(path.join(ROOT, 'examples', example), folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

/** @param {string} folder @param {string[]} args */
async function npm(folder, args) {
  await promisify(execFile)(
    'npm',
    [...args, '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'],
    {
      cwd: folder,
      timeout: PATIENCE,
    },
  );
}

/**
 * Runs a program of a project's.
 *
 * @param {string} folder
 * @param {string[]} args of Node
 * @param {NodeJS.ProcessEnv} [env]
 */
export async function node(folder, args, env = {}) {
  return promisify(execFile)(process.execPath, args, {
    cwd: folder,
    timeout: PATIENCE,
    env: { ...process.env, ...env },
    maxBuffer: 64 << 20,
  });
}

/**
 * Starts a server of a project's, and waits until it answers.
 *
 * @param {string} folder
 * @param {string[]} args of Node
 * @param {string} url
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<() => Promise<void>>} ends it
 */
export async function startServer(folder, args, url, env = {}) {
  const server = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (data) => (said += data));
  const ended = new Promise((resolve) => server.on('exit', resolve));
  const stop = async () => {
    try {
      if (server.pid) process.kill(-server.pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
    await ended;
  };
  const until = Date.now() + 60_000;
  for (;;) {
    if (server.exitCode !== null) throw new Error(`The server ended: ${said.slice(-2000)}`);
    const answer = await fetch(url).catch(() => null);
    await answer?.body?.cancel();
    if (answer && answer.status < 500) return stop;
    if (Date.now() > until) {
      await stop();
      throw new Error(`The server did not answer at ${url}: ${said.slice(-2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** The version of a package that a project has. @param {string} folder @param {string} name */
export function versionOf(folder, name) {
  return JSON.parse(readFileSync(path.join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}
