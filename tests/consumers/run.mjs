// Tries the packed package where people use it: `npm run test:consumers [-- --ci] [-- --write] [-- ID ...]`.
//
// Each environment is a project of its own in `target/consumers/`, made of an example of `examples/`, of the tools that it
// names, and of the tarball that `npm pack` makes. `--ci` runs those of continuous integration; `--write` puts the table into
// README.md beside this file.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { findChrome } from '../../scripts/lib/find.mjs';
import { duration, Failure, main, ROOT, say } from '../../scripts/lib/run.mjs';
import { setup } from '../../scripts/setup.mjs';
import { CONSUMERS } from './consumers.mjs';
import { pack } from './lib/project.mjs';

const README = path.join(ROOT, 'tests/consumers/README.md');
const TABLE = /(<!-- table -->\n)[^]*(<!-- end -->)/;

await main(import.meta, async (args) => {
  const ids = args.filter((arg) => !arg.startsWith('--'));
  const unknown = ids.find((id) => !CONSUMERS.some((consumer) => consumer.id === id));
  if (unknown) {
    throw new Failure(`There is no \`${unknown}\`; there are ${CONSUMERS.map(({ id }) => id).join(', ')}.`);
  }
  const chosen = CONSUMERS.filter(({ id, ci }) =>
    ids.length > 0 ? ids.includes(id) : !args.includes('--ci') || ci,
  );
  await setup(chosen.some(({ id }) => id === 'firefox') ? ['npm', 'browser', 'firefox'] : ['npm', 'browser']);
  say('Consumers: packing');
  const tarball = await pack();
  const executablePath = findChrome();
  if (!executablePath) throw new Failure('There is no Chromium: run `npm run setup` first.');
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic'],
  });
  /** @type {string[][]} */
  const rows = [];
  let failed = 0;
  let skipped = 0;
  try {
    for (const { id, title, what, node = 0, run } of chosen) {
      if (Number(process.versions.node.split('.')[0]) < node) {
        say(`- ${id}: skipped, its tools need Node ${node}`);
        rows.push([title, '', what, `not run: its tools need Node ${node}`]);
        skipped += 1;
        continue;
      }
      const started = performance.now();
      const context = await browser.newContext();
      try {
        const { version, result } = await run({ tarball, browser: context });
        rows.push([title, version, what, result]);
        say(`✔ ${id}: ${result} (${duration(performance.now() - started)})`);
      } catch (error) {
        failed += 1;
        const sentence = error instanceof Error ? error.message : String(error);
        const { stderr = '', stdout = '' } = /** @type {{ stderr?: string, stdout?: string }} */ (error);
        rows.push([title, '', what, `**fails**: ${sentence.split('\n')[0]?.slice(0, 200)}`]);
        console.error(`✖ ${id}: ${sentence}\n${stdout.slice(-1500)}${stderr.slice(-1500)}`);
      } finally {
        await context.close();
      }
    }
  } finally {
    await browser.close();
  }
  const table = [['environment', 'version', 'what was run', 'result'], ['---', '---', '---', '---'], ...rows]
    .map((row) => `| ${row.join(' | ')} |\n`)
    .join('');
  console.log(`\n${table}\n${rows.length - failed - skipped} passed, ${failed} failed, ${skipped} skipped`);
  if (args.includes('--write')) {
    writeFileSync(
      README,
      readFileSync(README, 'utf8').replace(TABLE, (_, begin, end) => `${begin}\n${table}\n${end}`),
    );
  }
  if (failed > 0) throw new Failure('The package does not work everywhere (see above).');
});
