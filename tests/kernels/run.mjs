// Runs the kernels' own tests as what ships, WebAssembly: `npm run test:kernels [-- --variant NAME[,NAME]]`.
//
// `cargo test` runs them natively, on scalar loops. Here they are compiled with the flags of each of the four variants, and
// run under Node, where it knows the variant's instructions, and in a browser, in a worker.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { relaxedSimd } from 'wasm-feature-detect';
import { targetFolder } from '../../scripts/build-wasm.mjs';
import { findWasmBindgen, findWasmToolchain } from '../../scripts/lib/find.mjs';
import { Failure, main, run, say } from '../../scripts/lib/run.mjs';
import { WASM_TARGET } from '../../scripts/lib/tools.mjs';
import { chosenVariants, crateEnv, VARIANTS } from '../../scripts/lib/variants.mjs';
import { setup } from '../../scripts/setup.mjs';
import { openBrowser } from '../browser/support/browser.js';

/** @import { Variant } from '../../scripts/lib/variants.mjs' */

/** The kernels alone: what lies above them is the same Rust in every variant. */
const CRATE = 'ocelli-kernels';
/** Longest wait for a run, which takes seconds. */
const PATIENCE = 120_000;

/** @param {string[]} [names] of variants */
export async function testKernels(names = VARIANTS.map(({ name }) => name)) {
  const bindgen = findWasmBindgen();
  const runner = bindgen && path.join(path.dirname(bindgen), 'wasm-bindgen-test-runner');
  if (!runner || !existsSync(runner) || !findWasmToolchain()) {
    throw new Failure('The tools for the wasm build are not here yet: run `npm run setup` first.');
  }
  const variants = VARIANTS.filter(
    ({ name, ...variant }) => names.includes(name) && findWasmToolchain(variant),
  );
  for (const name of names.filter((one) => !variants.some((variant) => variant.name === one))) {
    say(`Kernels: ${name} cannot be built here, for want of std's sources.`);
  }
  say(
    `Kernels: building their tests as ${variants.map(({ name }) => name).join(', ')}`,
    'half a minute where the sources have changed',
  );
  // Two lines, as of the wasm itself: what has threads, and what has none, are compiled apart.
  const lines = [false, true].map((threads) => variants.filter((variant) => variant.threads === threads));
  const built = await Promise.all(lines.map(buildInTurn));
  const nodeIsRelaxed = await relaxedSimd();
  const browser = await openBrowser();
  try {
    for (const { variant, wasm } of built.flat()) {
      say(`Kernels as ${variant.name}`);
      if (variant.relaxed && !nodeIsRelaxed) {
        console.log(`(not under Node ${process.versions.node}, which lacks relaxed SIMD)`);
      } else {
        const failure = `Tests of the kernels failed under Node as ${variant.name} (see above).`;
        await run(runner, [wasm], { failure });
      }
      await inBrowser(browser, runner, wasm, variant.name);
    }
  } finally {
    await browser.close();
  }
}

/** @param {Variant[]} variants that share their compiled dependencies */
async function buildInTurn(variants) {
  const built = [];
  for (const variant of variants) built.push({ variant, wasm: await build(variant) });
  return built;
}

/**
 * Compiles the tests.
 *
 * @param {Variant} variant
 * @returns {Promise<string>} the wasm file
 */
async function build(variant) {
  const toolchain = /** @type {import('../../scripts/lib/find.mjs').WasmToolchain} */ (
    findWasmToolchain(variant)
  );
  const args = [
    ...['test', '--package', CRATE, '--lib', '--no-run', '--locked', '--release'],
    ...['--target', WASM_TARGET, '--target-dir', targetFolder(variant)],
    ...(variant.threads ? ['--features', 'threads'] : []),
    ...['--message-format', 'json-render-diagnostics'],
    ...toolchain.args,
  ];
  /** @type {string | null} */
  let executable = null;
  await run(toolchain.cargo, args, {
    env: { ...toolchain.env, ...crateEnv(variant) },
    output: 'failure',
    onLine(line) {
      executable = line.startsWith('{') ? (JSON.parse(line).executable ?? executable) : executable;
    },
    failure: `The tests do not build as ${variant.name} (see above).`,
  });
  if (executable === null) throw new Failure(`Cargo names no test program of ${variant.name}.`);
  return executable;
}

/**
 * Opens the page that wasm-bindgen's runner serves, and tells what it shows.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {string} runner
 * @param {string} wasm
 * @param {string} name
 */
async function inBrowser(browser, runner, wasm, name) {
  const env = { ...process.env, NO_HEADLESS: '1', WASM_BINDGEN_USE_DEDICATED_WORKER: '1' };
  const server = spawn(runner, [wasm], {
    env: { ...env, WASM_BINDGEN_TEST_ADDRESS: '127.0.0.1:0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const page = await browser.newPage();
    await page.goto(await addressOf(server));
    await page.waitForFunction(
      () => /test result: |Error|error:/.test(document.getElementById('output')?.textContent ?? ''),
      null,
      { timeout: PATIENCE },
    );
    const output = await page.locator('#output').innerText();
    console.log(output);
    if (!/^test result: ok\. [1-9]/m.test(output)) {
      throw new Failure(`Tests of the kernels failed in the browser as ${name} (see above).`);
    }
    await page.close();
  } finally {
    server.kill();
  }
}

/** @param {import('node:child_process').ChildProcess} server @returns {Promise<string>} where it serves */
function addressOf(server) {
  let said = '';
  return new Promise((resolve, reject) => {
    server.stdout?.on('data', (chunk) => {
      said += chunk;
      const found = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(said);
      if (found) resolve(found[0]);
    });
    server.once('exit', () => reject(new Failure(`The server of the tests ended: ${said.trim()}`)));
  });
}

await main(import.meta, async (args) => {
  await setup(['wasm', 'npm', 'browser']);
  await testKernels(chosenVariants([...args, '--all']));
});
