// Makes a release ready: `npm run release [-- --out FOLDER]`, on a commit that is tagged `vX.Y.Z`. Publishes nothing.
//
// Checks that tag, versions and changelog agree, packs what would be published, and says how to publish it. Both packers check
// what they pack: `npm publish --dry-run`, `cargo package`.

import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildWasm } from './build-wasm.mjs';
import { capture, Failure, main, ROOT, run, say } from './lib/run.mjs';
import { writeNotices } from './notices.mjs';

/** @param {string} file */
const read = (file) => readFileSync(path.join(ROOT, file), 'utf8');

/** The versions that have to agree, by where they are written. */
export function versions() {
  return {
    'package.json': JSON.parse(read('package.json')).version,
    'pkg/package.json': JSON.parse(read('pkg/package.json')).version,
    'Cargo.toml': /^version = "(.+)"$/m.exec(read('Cargo.toml'))?.[1],
    'pkg/CHANGELOG.md': /^## (\d+\.\d+\.\d+)$/m.exec(read('pkg/CHANGELOG.md'))?.[1],
  };
}

/**
 * What keeps a release from being made.
 * @param {{ tag: string | null, clean: boolean, found: Record<string, string | undefined> }} about
 * @returns {string[]} sentences
 */
export function obstacles({ tag, clean, found }) {
  const version = tag?.replace(/^v/, '');
  return [
    ...(clean ? [] : ['There are changes that are not committed.']),
    ...(tag ? [] : ['This commit has no tag of the form v1.2.3.']),
    ...Object.entries(found)
      .filter(([, one]) => version !== undefined && one !== version)
      .map(([file, one]) => `${file} says ${one}, and the tag ${tag}.`),
  ];
}

await main(import.meta, async (args) => {
  const tag = capture('git', ['describe', '--tags', '--exact-match', '--match', 'v[0-9]*'])?.trim() || null;
  const clean = capture('git', ['status', '--porcelain'])?.trim() === '';
  const found = obstacles({ tag, clean, found: versions() });
  if (found.length > 0) throw new Failure(found.join('\n'));
  const at = args.indexOf('--out');
  const out = path.resolve(ROOT, (at >= 0 && args[at + 1]) || 'target/release-package');
  mkdirSync(out, { recursive: true });
  await buildWasm();
  writeNotices({ sbom: path.join(out, `ocelli-${tag}.cdx.json`) });
  say('Release: the package');
  await run('npm', ['pack', '--workspace', 'pkg', '--pack-destination', out]);
  await run('npm', ['publish', '--workspace', 'pkg', '--dry-run', '--access', 'public']);
  say('Release: the crates');
  await run('cargo', ['package', '--workspace', '--locked']);
  say(`Release: ${tag} is in ${out}; \`npm publish\` of its tarball publishes it.`);
});
