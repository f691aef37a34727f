// Runs the kernels' tests in Miri, which finds undefined behaviour: `npm run test:miri`.
//
// With the feature `threads`, on rayon's own threads: what several threads write to is the crate's `unsafe` code. Miri
// interprets, some ten thousand times slower than a processor: it is given the tests of `shared_memory`, which have
// every kernel that divides its work once.

import { capture, Failure, main, run, say } from './lib/run.mjs';

const TOOLCHAIN = '+nightly';

/**
 * Crossbeam, which rayon stands on, keeps to tree borrows and not to stacked ones, and its threads never end. Two processors,
 * so that there is more than one thread to find fault with.
 */
const MIRIFLAGS =
  '-Zmiri-tree-borrows -Zmiri-permissive-provenance -Zmiri-ignore-leaks -Zmiri-disable-isolation -Zmiri-num-cpus=2 -Zmiri-deterministic-floats';

await main(import.meta, async () => {
  if (!capture('cargo', [TOOLCHAIN, 'miri', '--version'])) {
    throw new Failure('Miri is not here yet: `rustup +nightly component add miri rust-src` brings it.');
  }
  say('Kernels in Miri', 'some 2 minutes');
  const args = ['miri', 'test', '--locked', '--package', 'ocelli-kernels', '--lib', '--features', 'threads'];
  const chosen = ['--target-dir', 'target/miri', 'shared_memory', '--', '--test-threads=1'];
  await run('cargo', [TOOLCHAIN, ...args, ...chosen], {
    env: { MIRIFLAGS },
    failure: 'Miri found fault with the kernels (see above).',
  });
});
