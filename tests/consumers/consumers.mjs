// The environments that the package is tried in: what each installs, builds and serves.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, firefox } from 'playwright-core';
import { findChrome, findFirefox } from '../../scripts/lib/find.mjs';
import { serve } from '../../scripts/serve.mjs';
import { makeProject, node, startServer, versionOf, WORK } from './lib/project.mjs';
import { visit } from './lib/visit.mjs';
import { findNodes, runNode } from './lib/node.mjs';
import { findMiniBrowser, visitInWebKit } from './lib/webkit.mjs';

/**
 * @typedef {object} Context
 * @property {string} tarball
 * @property {import('playwright-core').BrowserContext} browser
 *
 * @typedef {object} Result
 * @property {string} version
 * @property {string} result one sentence
 *
 * @typedef {object} Consumer
 * @property {string} id
 * @property {string} title
 * @property {string} what was run
 * @property {number} [node] the oldest Node that its tools run in
 * @property {boolean} [ci] whether it is part of what continuous integration runs
 * @property {(context: Context) => Promise<Result>} run
 */

/** Headers that leave a page without threads. */
const PLAIN = { 'Cross-Origin-Embedder-Policy': 'unsafe-none', 'Cross-Origin-Opener-Policy': 'unsafe-none' };

let lastPort = 41_200;

/** @param {{ seconds: number, threads: boolean }} seen */
const told = ({ seconds, threads }) =>
  `tags and describes; ${seconds.toFixed(1)} s to ready, ${threads ? 'threads' : 'one thread'}`;

/**
 * A folder of files, served as a static host serves it.
 * @param {Context} context @param {string} folder @param {{ isolated?: boolean, below?: string, paths?: string[] }} [options]
 */
async function visitStatic({ browser }, folder, { isolated = true, below = '/', paths = [''] } = {}) {
  const server = await serve({
    root: below === '/' ? folder : path.join(folder, 'nothing-here'),
    mounts: below === '/' ? {} : { [below]: folder },
    ...(!isolated && { headers: PLAIN }),
  });
  try {
    let seen;
    for (const one of paths) seen = await visit(browser, new URL(below + one, server.url).href);
    return told(/** @type {{ seconds: number, threads: boolean }} */ (seen));
  } finally {
    await server.close();
  }
}

/**
 * A project's own server.
 * @param {Context} context @param {string} folder @param {(port: number) => string[]} args
 * @param {{ paths?: string[], env?: (port: number) => NodeJS.ProcessEnv }} [options]
 */
async function visitServer({ browser }, folder, args, { paths = [''], env } = {}) {
  const port = (lastPort += 1);
  const url = `http://localhost:${port}/`;
  const stop = await startServer(folder, args(port), url, env?.(port));
  try {
    let seen;
    for (const one of paths) seen = await visit(browser, url + one);
    return told(/** @type {{ seconds: number, threads: boolean }} */ (seen));
  } finally {
    await stop();
  }
}

/** @param {string} id @param {string} example @param {string[]} packages @param {Record<string, string>} [files] */
const project =
  (id, example, packages, files) =>
  (/** @type {Context} */ { tarball }) =>
    makeProject(id, { example, packages, files: files ?? {}, tarball });

const VITE = 'node_modules/vite/bin/vite.js';
const NEXT = 'node_modules/next/dist/bin/next';

/** @param {Context} context @param {string} engine of its bundles: one folder each */
const nextProject = (context, engine) =>
  project(`next-${engine}`, 'next', ['next@16', 'react@19', 'react-dom@19'])(context);

/** @param {number} version @returns {Consumer[]} */
function vite(version) {
  const make = project(`vite-${version}`, 'vite', [`vite@${version}`]);
  const isolation = `{ headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' } }`;
  const isolated = project(`vite-${version}`, 'vite', [`vite@${version}`], {
    'isolated.config.js': `export default { server: ${isolation} };\n`,
  });
  return [
    {
      id: `vite-${version}-dev`,
      title: `Vite ${version}`,
      what: '`vite`, the development server',
      ci: version === 7,
      async run(context) {
        const folder = await make(context);
        const result = await visitServer(context, folder, (port) => [
          VITE,
          '--port',
          String(port),
          '--strictPort',
        ]);
        return { version: versionOf(folder, 'vite'), result };
      },
    },
    {
      id: `vite-${version}-dev-isolated`,
      title: `Vite ${version}`,
      what: '`vite` with isolation headers',
      async run(context) {
        const folder = await isolated(context);
        const args = (/** @type {number} */ port) => [
          VITE,
          '--config',
          'isolated.config.js',
          '--port',
          String(port),
          '--strictPort',
        ];
        return { version: versionOf(folder, 'vite'), result: await visitServer(context, folder, args) };
      },
    },
    {
      id: `vite-${version}-build`,
      title: `Vite ${version}`,
      what: '`vite build`, below a sub-path, with and without isolation headers',
      // It puts small files into their addresses.
      ci: version === 8,
      async run(context) {
        const folder = await make(context);
        await node(folder, [VITE, 'build', '--base', '/sub/path/']);
        const dist = path.join(folder, 'dist');
        await visitStatic(context, dist, { below: '/sub/path/', isolated: false });
        const result = await visitStatic(context, dist, { below: '/sub/path/' });
        return { version: versionOf(folder, 'vite'), result };
      },
    },
  ];
}

/**
 * A bundler that makes a folder `dist` to be served.
 * @param {{ id: string, title: string, example?: string, packages: string[], tool: string, build: string[], html?: boolean,
 *   copy?: boolean, ci?: boolean, what: string, out?: string }} about `html`: whether the example's page is copied by hand; `copy`: whether the package is
 * @returns {Consumer}
 */
function bundler({
  id,
  title,
  example = id,
  packages,
  tool,
  build,
  html = true,
  copy = false,
  ci,
  what,
  out = 'dist',
}) {
  return {
    id,
    title,
    what,
    ...(ci && { ci }),
    async run(context) {
      const folder = await project(id, example, packages)(context);
      const dist = path.join(folder, out);
      rmSync(dist, { recursive: true, force: true });
      await node(folder, build);
      if (html) cpSync(path.join(folder, 'index.html'), path.join(dist, 'index.html'));
      if (copy) {
        cpSync(path.join(folder, 'node_modules/ocelli'), path.join(dist, 'ocelli'), { recursive: true });
      }
      await visitStatic(context, dist, { below: '/deep/er/', isolated: false });
      const result = await visitStatic(context, dist);
      return { version: versionOf(folder, tool), result };
    },
  };
}

/** @param {Context} context */
async function plain(context) {
  const folder = await project('plain', 'plain', [])(context);
  cpSync(path.join(folder, 'node_modules/ocelli'), path.join(folder, 'ocelli'), { recursive: true });
  return folder;
}

/** @type {Consumer[]} */
export const CONSUMERS = [
  {
    id: 'plain',
    title: 'Plain page',
    what: '`<script type="module">`, with and without isolation headers',
    ci: true,
    async run(context) {
      const folder = await plain(context);
      await visitStatic(context, folder, { isolated: false });
      const result = await visitStatic(context, folder);
      return { version: context.browser.browser()?.version() ?? '', result };
    },
  },
  {
    id: 'cdn',
    title: 'Plain page',
    what: 'the package from another origin, as from a CDN',
    async run(context) {
      const folder = await plain(context);
      const cdn = await serve({ root: folder, headers: { 'Access-Control-Allow-Origin': '*' } });
      try {
        const other = await project('cdn', 'plain', [])(context);
        const page = path.join(other, 'index.html');
        writeFileSync(page, readFileSync(page, 'utf8').replace('./ocelli/', `${cdn.url}ocelli/`));
        const server = await serve({ root: other });
        try {
          const seen = await visit(context.browser, server.url).catch((error) => {
            if (/asked elsewhere/.test(error.message)) return { seconds: 0, threads: true };
            throw error;
          });
          return {
            version: context.browser.browser()?.version() ?? '',
            result: told(seen).replace(/; .* ready/, ''),
          };
        } finally {
          await server.close();
        }
      } finally {
        await cdn.close();
      }
    },
  },
  ...[5, 6, 7, 8].flatMap(vite),
  bundler({
    id: 'webpack',
    title: 'webpack 5',
    packages: ['webpack@5', 'webpack-cli@6'],
    tool: 'webpack',
    build: ['node_modules/webpack-cli/bin/cli.js'],
    what: '`webpack`; its output in a folder of its own',
    ci: true,
  }),
  bundler({
    id: 'rspack',
    title: 'Rspack',
    packages: ['@rspack/core', '@rspack/cli'],
    tool: '@rspack/core',
    build: ['node_modules/@rspack/cli/bin/rspack.js', 'build'],
    what: '`rspack build`',
  }),
  bundler({
    id: 'esbuild',
    title: 'esbuild',
    packages: ['esbuild'],
    tool: 'esbuild',
    build: [
      'node_modules/esbuild/bin/esbuild',
      'main.js',
      '--bundle',
      '--format=esm',
      '--outfile=dist/main.js',
    ],
    copy: true,
    what: '`esbuild --bundle`; the package copied beside, one line of `setBase`',
  }),
  bundler({
    id: 'rollup',
    title: 'Rollup',
    packages: ['rollup', '@rollup/plugin-node-resolve'],
    tool: 'rollup',
    build: ['node_modules/rollup/dist/bin/rollup', '-c'],
    copy: true,
    what: '`rollup -c`; the package copied beside, one line of `setBase`',
  }),
  bundler({
    id: 'parcel',
    title: 'Parcel',
    packages: ['parcel'],
    tool: 'parcel',
    build: ['node_modules/parcel/lib/bin.js', 'build', 'index.html', '--public-url', './', '--no-cache'],
    html: false,
    copy: true,
    what: '`parcel build`; the package copied beside, one line of `setBase`',
  }),
  ...['webpack', 'turbopack'].map((engine) => ({
    id: `next-${engine}`,
    title: 'Next (app router)',
    what: `\`next build --${engine}\` and \`next start\`; the first page and a deeper one`,
    async run(/** @type {Context} */ context) {
      const folder = await nextProject(context, engine);
      await node(folder, [NEXT, 'build', `--${engine}`], { NEXT_TELEMETRY_DISABLED: '1', CI: '1' });
      const result = await visitServer(context, folder, (port) => [NEXT, 'start', '-p', String(port)], {
        paths: ['', 'deep/er'],
      });
      return { version: versionOf(folder, 'next'), result };
    },
  })),
  {
    id: 'next-dev',
    title: 'Next (app router)',
    what: '`next dev`, the development server (Turbopack)',
    async run(context) {
      const folder = await nextProject(context, 'turbopack');
      const result = await visitServer(context, folder, (port) => [NEXT, 'dev', '-p', String(port)], {
        paths: ['', 'deep/er'],
        env: () => ({ NEXT_TELEMETRY_DISABLED: '1' }),
      });
      return { version: versionOf(folder, 'next'), result };
    },
  },
  {
    id: 'sveltekit',
    title: 'SvelteKit',
    node: 22,
    what: '`vite build` with adapter-node; the first page and a deeper one',
    async run(context) {
      const packages = [
        '@sveltejs/kit@2',
        '@sveltejs/adapter-node@5',
        '@sveltejs/vite-plugin-svelte@6',
        'svelte@5',
        'vite@7',
      ];
      const folder = await project('sveltekit', 'sveltekit', packages)(context);
      await node(folder, [VITE, 'build']);
      const result = await visitServer(context, folder, () => ['build/index.js'], {
        paths: ['', 'deep/er'],
        env: (port) => ({ PORT: String(port) }),
      });
      return { version: versionOf(folder, '@sveltejs/kit'), result };
    },
  },
  {
    id: 'astro',
    title: 'Astro',
    node: 22,
    what: '`astro build`; the first page and a deeper one',
    async run(context) {
      const folder = await project('astro', 'astro', ['astro'])(context);
      const { bin } = JSON.parse(readFileSync(path.join(folder, 'node_modules/astro/package.json'), 'utf8'));
      await node(folder, [path.join('node_modules/astro', bin.astro ?? bin), 'build'], {
        ASTRO_TELEMETRY_DISABLED: '1',
      });
      const result = await visitStatic(context, path.join(folder, 'dist'), {
        paths: ['index.html', 'deep/er/index.html'],
      });
      return { version: versionOf(folder, 'astro'), result };
    },
  },
  {
    id: 'extension',
    title: 'Chrome extension (MV3)',
    what: 'a page of an unpacked extension',
    async run(context) {
      const folder = await project('extension', 'extension', [])(context);
      const made = path.join(WORK, 'extension-unpacked');
      rmSync(made, { recursive: true, force: true });
      for (const name of ['manifest.json', 'background.js', 'page.html', 'page.js']) {
        cpSync(path.join(folder, name), path.join(made, name));
      }
      cpSync(path.join(folder, 'node_modules/ocelli'), path.join(made, 'ocelli'), { recursive: true });
      const profile = mkdtempSync(path.join(tmpdir(), 'ocelli-extension-'));
      const browser = await chromium.launchPersistentContext(profile, {
        executablePath: findChrome() ?? '',
        args: [
          '--no-sandbox',
          '--disable-gpu',
          `--disable-extensions-except=${made}`,
          `--load-extension=${made}`,
        ],
      });
      try {
        const worker =
          browser.serviceWorkers()[0] ?? (await browser.waitForEvent('serviceworker', { timeout: 20_000 }));
        const seen = await visit(browser, new URL('page.html', worker.url()).href);
        return {
          version: browser.browser()?.version() ?? context.browser.browser()?.version() ?? '',
          result: told(seen),
        };
      } finally {
        await browser.close();
        rmSync(profile, { recursive: true, force: true });
      }
    },
  },
  {
    id: 'firefox',
    title: 'Firefox',
    what: 'the plain page, with and without isolation headers',
    ci: true,
    async run(context) {
      const executablePath = findFirefox();
      if (!executablePath) throw new Error('There is no Firefox: run `npm run setup`, or set FIREFOX_PATH.');
      const folder = await plain(context);
      const other = await firefox.launch({ executablePath, channel: 'moz-firefox' });
      try {
        const inFirefox = { ...context, browser: await other.newContext() };
        await visitStatic(inFirefox, folder, { isolated: false });
        return { version: other.version(), result: await visitStatic(inFirefox, folder) };
      } finally {
        await other.close();
      }
    },
  },
  ...(findMiniBrowser()
    ? [
        {
          id: 'webkit',
          title: 'WebKitGTK',
          what: 'the plain page in MiniBrowser, with isolation headers',
          async run(/** @type {Context} */ context) {
            const folder = await plain(context);
            const server = await serve({ root: folder });
            try {
              const { version, ...seen } = await visitInWebKit(server.url);
              return { version, result: told(seen) };
            } finally {
              await server.close();
            }
          },
        },
      ]
    : []),
  ...findNodes().map(({ id, title, program, args, ci }) => ({
    id,
    title,
    what: `\`${[path.basename(program), ...args].join(' ')} describe.js cat.webp\``,
    ...(ci && { ci }),
    run: async (/** @type {Context} */ context) =>
      runNode(await project('node', 'node', [])(context), program, args),
  })),
];
