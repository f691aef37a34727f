// The command line, run as a shell runs it.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const CLI = path.join(ROOT, 'pkg/dist/cli.js');
export const SAMPLES = path.join(ROOT, 'www/samples');
export const CAT = path.join(SAMPLES, 'cat.webp');
export const COFFEE = path.join(SAMPLES, 'coffee.webp');
export const skip = !existsSync(path.join(ROOT, 'pkg/wasm/simd128_bg.wasm')) && 'the wasm is not built';

/** @returns {Promise<{ code: number | null, out: string, err: string }>} */
export function ocelli(args, { input, cwd = ROOT, env = {} } = {}) {
  return new Promise((resolve) => {
    const options = { cwd, maxBuffer: 1 << 26, env: { ...process.env, ...env } };
    const child = execFile(process.execPath, [CLI, ...args], options, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

export function folderOf(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ocelli-cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

export const lines = (text) => text.trimEnd().split('\n');
