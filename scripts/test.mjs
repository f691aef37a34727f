// Runs the tests: `npm test [-- stage ...] [-- --dev]`; the stages are rust, scripts, pkg, kernels, browser,
// firefox and firefox-all.
//
// Without a stage: all but the last, each stage after the one it rests on. Stops at the first failure. A stage in which
// no test ran has failed: an empty run proves nothing.

import { availableParallelism } from 'node:os';
import { buildPackage } from './build-package.mjs';
import { buildPage } from './build-page.mjs';
import { buildWasm } from './build-wasm.mjs';
import { findChrome, findFirefox } from './lib/find.mjs';
import { countLine, inWords, noCounts } from './lib/runners.mjs';
import { duration, Failure, main, run, say } from './lib/run.mjs';
import { filesBelow } from './lib/stamp.mjs';
import { setup } from './setup.mjs';

/** @import { Need } from './lib/plan.mjs' */

/**
 * @typedef {object} Stage
 * @property {string} title
 * @property {string} usual
 * @property {Need[]} needs
 * @property {'if built anyway' | 'needed'} [core] whether the wasm is built before
 * @property {boolean} [page] whether the page is built before
 * @property {(onLine: (line: string) => void) => Promise<void>} run
 */

/** Node's own runner leaves one core idle, of two half of them. */
const ALL_CORES = availableParallelism();

/** Browsers want memory as well. */
const BROWSERS = Math.min(ALL_CORES, 4);

/** Longest that a file of tests may take, in milliseconds: none comes near it, and what hangs would hang for hours. */
const LONGEST_FILE = 10 * 60_000;

/** Tests of workers, storage, variants, pictures and policies: where browsers differ. */
const DIFFERS = /\/(index-kept|main-job|offline|package|plain-page|stored|variants|ways-in|whole)\.test\.js$/;

/** @satisfies {Partial<Stage>} */
const inFirefox = {
  needs: /** @type {Need[]} */ (['wasm', 'npm', 'firefox']),
  core: /** @type {const} */ ('needed'),
  page: true,
};

const firefox = () => ({ FIREFOX_PATH: findFirefox() ?? undefined, OCELLI_BROWSER: 'firefox' });

/** @type {Record<string, Stage>} */
const STAGES = {
  rust: {
    title: 'Rust tests',
    usual: 'some 6 minutes the first time',
    needs: ['native'],
    run: (onLine) =>
      run('cargo', ['test', '--locked'], { onLine, failure: 'The Rust tests failed (see above).' }),
  },
  scripts: {
    title: 'Tests of the scripts',
    usual: 'seconds',
    needs: ['npm'],
    run: (onLine) => nodeTests('tests/scripts', onLine),
  },
  pkg: {
    title: 'Tests of the package, and of what the page remembers',
    usual: 'a minute or two',
    needs: ['npm'],
    // Some of its tests drive the real wasm and skip where there is none: alone, this stage stays a quick one.
    core: 'if built anyway',
    run: async (onLine) => {
      await buildPackage();
      await nodeTests('tests/www', onLine);
      return nodeTests('tests/pkg', onLine);
    },
  },
  kernels: {
    title: 'Tests of the kernels as WebAssembly',
    usual: 'some 2 minutes where the sources have changed',
    needs: ['wasm', 'npm', 'browser'],
    core: 'needed',
    // Two variants hold between them all that is compiled for some variants only.
    run: (onLine) =>
      run(process.execPath, ['tests/kernels/run.mjs', '--variant', 'simd128,relaxed-threads'], {
        onLine,
        failure: 'Tests of the kernels failed (see above).',
      }),
  },
  browser: {
    title: 'Tests of the page in a real browser',
    usual: 'usually a few minutes',
    needs: ['wasm', 'npm', 'browser'],
    core: 'needed',
    page: true,
    run: (onLine) => nodeTests('tests/browser', onLine, { CHROME_PATH: findChrome() ?? undefined }, BROWSERS),
  },
  firefox: {
    title: 'The tests of what differs between browsers, in Firefox',
    usual: 'usually a few minutes',
    ...inFirefox,
    run: (onLine) => nodeTests('tests/browser', onLine, firefox(), BROWSERS, DIFFERS),
  },
  'firefox-all': {
    title: 'All tests of the page in Firefox',
    usual: 'some 10 minutes',
    ...inFirefox,
    run: (onLine) => nodeTests('tests/browser', onLine, firefox(), BROWSERS),
  },
};

/**
 * Node's own runner over every `*.test.js` in a folder.
 * @param {string} folder
 * @param {(line: string) => void} onLine
 * @param {Record<string, string | undefined>} [env]
 * @param {number} [together] files that run side by side
 * @param {RegExp} [names] of the files that are run
 */
async function nodeTests(folder, onLine, env = {}, together = ALL_CORES, names = /\.test\.js$/) {
  const paths = filesBelow(folder).filter((file) => names.test(file));
  if (paths.length === 0) throw new Failure(`There is no test in ${folder}.`);
  const flags = ['--test-reporter=spec', `--test-concurrency=${together}`, `--test-timeout=${LONGEST_FILE}`];
  await run(process.execPath, ['--test', ...flags, ...paths], {
    onLine,
    env,
    failure: `Tests in ${folder} failed (see above).`,
  });
}

/**
 * @param {string[]} names of stages
 * @param {{ dev: boolean }} options
 */
async function test(names, { dev }) {
  const started = performance.now();
  const total = noCounts();
  let counts = noCounts();
  let coreBuilt = false;
  /** @type {string[]} */
  const lines = [];
  const stages = names.map((name) => /** @type {Stage} */ (STAGES[name]));

  try {
    await timed('setup', () => setup([...new Set(stages.flatMap((stage) => stage.needs))]));
    for (const [i, stage] of stages.entries()) {
      if (stage.core && !coreBuilt && stages.some(({ core }) => core === 'needed')) {
        await timed('build of the core', () => buildWasm({ dev }));
        coreBuilt = true;
      }
      if (stage.page) await timed('build of the page', () => buildPage());
      say(stage.title, stage.usual);
      await timed(
        `${names[i]} tests`,
        () => runStage(stage),
        () => inWords(counts),
      );
    }
  } catch (error) {
    // A build that fails leaves no test to count, and is a failure all the same.
    total.failed = Math.max(total.failed, 1);
    throw error;
  } finally {
    lines.push(`  ${'in all'.padEnd(18)} ${duration(performance.now() - started).padStart(12)}`);
    console.log(`\n${lines.join('\n')}\n${inWords(total)}`);
  }

  /** @param {Stage} stage */
  async function runStage(stage) {
    counts = noCounts();
    try {
      await stage.run((line) => countLine(counts, line));
      if (counts.passed === 0) throw new Failure(`${stage.title}: not one test ran.`);
      if (counts.failed > 0) throw new Failure(`${stage.title}: ${inWords(counts)}.`);
    } finally {
      for (const key of /** @type {const} */ (['passed', 'failed', 'skipped'])) total[key] += counts[key];
    }
  }

  /**
   * @param {string} what
   * @param {() => Promise<void>} work
   * @param {() => string} [result] asked for when the work is done
   */
  async function timed(what, work, result) {
    const begun = performance.now();
    let outcome = 'failed';
    try {
      await work();
      outcome = result?.() ?? '';
    } finally {
      const time = duration(performance.now() - begun).padStart(12);
      lines.push(`  ${what.padEnd(18)} ${time}   ${outcome}`.trimEnd());
    }
  }
}

await main(import.meta, async (args) => {
  const names = args.filter((arg) => !arg.startsWith('--'));
  const unknown = names.find((name) => !(name in STAGES));
  if (unknown) {
    throw new Failure(`There is no stage \`${unknown}\`; the stages are ${Object.keys(STAGES).join(', ')}.`);
  }
  const usual = Object.keys(STAGES).filter((name) => name !== 'firefox-all');
  await test(names.length > 0 ? names : usual, { dev: args.includes('--dev') });
});
