// Writes what the licences of others ask for, `pkg/THIRD-PARTY-NOTICES.md`, and a bill of materials (CycloneDX 1.6) of all
// that is in the package: `node scripts/notices.mjs [--sbom FILE]`.
//
// In the wasm are crates, which cargo names with the folders of their sources; in the bundles are packages of npm.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { capture, Failure, main, ROOT, say } from './lib/run.mjs';
import { WASM_TARGET } from './lib/tools.mjs';

const OUT = 'pkg/THIRD-PARTY-NOTICES.md';

/** Packages of npm that are in the bundles, with all that they are made of. */
const BUNDLED = ['wasm-feature-detect', '@noble/hashes', 'cli-progress', 'hyparquet-writer', 'tinyglobby'];

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {string} version
 * @property {string} license SPDX expression
 * @property {string} purl
 * @property {string} folder
 */

/** The crate that is the wasm. */
const WASM_CRATE = 'ocelli-wasm';

/** @returns {Part[]} the crates that are compiled into the wasm */
export function crates() {
  const text = capture('cargo', [
    ...['metadata', '--format-version', '1', '--locked', '--filter-platform', WASM_TARGET],
    ...['--features', 'threads,convert'],
  ]);
  if (!text) throw new Failure('cargo does not tell of the crates: run `npm run setup` first.');
  const { packages, resolve, workspace_members: own } = JSON.parse(text);
  /** @type {Map<string, any>} */
  const nodes = new Map(resolve.nodes.map((/** @type {any} */ node) => [node.id, node]));
  /** @type {Map<string, any>} */
  const byId = new Map(packages.map((/** @type {any} */ one) => [one.id, one]));
  const isMacro = (/** @type {string} */ id) =>
    byId.get(id).targets.some((/** @type {any} */ { kind }) => kind.includes('proc-macro'));
  const found = new Set(
    packages
      .filter((/** @type {any} */ { name }) => name === WASM_CRATE)
      .map((/** @type {any} */ { id }) => id),
  );
  for (const id of found) {
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
      // What only builds, and macros, are not in the wasm.
      if (kinds.some((/** @type {any} */ { kind }) => kind === null) && !isMacro(pkg)) found.add(pkg);
    }
  }
  return [...found]
    .filter((id) => !own.includes(id))
    .map((id) => {
      const { name, version, license, license_file: file, manifest_path: manifest } = byId.get(id);
      return {
        name,
        version,
        license: (license ?? `see ${file}`).replaceAll('/', ' OR '),
        purl: `pkg:cargo/${name}@${version}`,
        folder: path.dirname(manifest),
      };
    });
}

/** @returns {Part[]} the packages of npm that are in the bundles */
export function libraries() {
  /** @type {Map<string, Part>} */
  const found = new Map();
  const add = (/** @type {string} */ name, /** @type {string} */ from) => {
    const folder = findPackage(name, from);
    const {
      version,
      license,
      dependencies = {},
    } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
    if (found.has(purl)) return;
    found.set(purl, { name, version, license, purl, folder });
    for (const other of Object.keys(dependencies)) add(other, folder);
  };
  for (const name of BUNDLED) add(name, ROOT);
  return [...found.values()];
}

/** @param {string} name @param {string} from */
function findPackage(name, from) {
  const paths = createRequire(path.join(from, 'package.json')).resolve.paths(name) ?? [];
  const folder = paths
    .map((one) => path.join(one, name))
    .find((one) => existsSync(path.join(one, 'package.json')));
  if (!folder) throw new Failure(`${name} is not installed: run \`npm run setup\` first.`);
  return folder;
}

/** @param {Part} part @returns {string[]} the texts of its licences */
function texts({ folder }) {
  return readdirSync(folder)
    .filter((name) => /^(licen[cs]e|copying|notice|unlicense)/i.test(name) && !/\.(rs|js|html)$/.test(name))
    .sort()
    .flatMap((name) => {
      try {
        return [readFileSync(path.join(folder, name), 'utf8').replace(/\r\n/g, '\n').trim()];
      } catch {
        return [];
      }
    });
}

/** @param {Part[]} parts */
function notices(parts) {
  /** @type {Map<string, string[]>} */
  const users = new Map();
  for (const part of parts) {
    for (const text of texts(part)) {
      // Copies of one licence differ in how their lines are broken.
      const key =
        [...users.keys()].find((one) => one.replace(/\s+/g, ' ') === text.replace(/\s+/g, ' ')) ?? text;
      users.set(key, [...(users.get(key) ?? []), `${part.name} ${part.version}`]);
    }
  }
  const list = parts.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |\n`).join('');
  const all = [...users].map(([text, names]) => `## ${names.join(', ')}\n\n\`\`\`text\n${text}\n\`\`\`\n`);
  return `# Third-party notices

What ocelli is made of besides its own code: crates that are compiled into its WebAssembly, and packages of npm that are
bundled into its scripts. The licences of the built-in model's training data are in \`models/ocelli/README.md\`.

| name | version | licence |
| --- | --- | --- |
${list}
${all.join('\n')}`;
}

/** @param {Part[]} parts */
export function billOfMaterials(parts) {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'pkg/package.json'), 'utf8'));
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'library', name: 'ocelli', version, purl: `pkg:npm/ocelli@${version}` } },
    components: parts.map(({ name, version, license, purl }) => ({
      type: 'library',
      name,
      version,
      purl,
      licenses: [{ expression: license }],
    })),
  };
}

/** @param {{ sbom?: string | undefined }} [options] */
export function writeNotices({ sbom } = {}) {
  const parts = [...crates(), ...libraries()].sort((a, b) => (a.name < b.name ? -1 : 1));
  writeFileSync(path.join(ROOT, OUT), notices(parts));
  if (sbom) writeFileSync(sbom, `${JSON.stringify(billOfMaterials(parts), null, 2)}\n`);
  say(`Notices: ${parts.length} parts of others are named in ${OUT}.`);
}

await main(import.meta, (args) => {
  const at = args.indexOf('--sbom');
  writeNotices({ sbom: at < 0 ? undefined : args[at + 1] });
});
