// One linter configuration for the whole repository: browser code, worker code, Node scripts and tests.
import js from '@eslint/js';
import globals from 'globals';

/**
 * Which folders of pkg/src the files of each may import, beside their own. Arrows point one way: no thread imports the
 * other, both import what they share, and nothing but `index.js` and `pipeline.js` imports the extras.
 * @type {Record<string, string[]>}
 */
const LAYERS = {
  shared: [],
  cache: ['shared'],
  page: ['shared', 'cache'],
  worker: ['shared', 'cache'],
  extras: ['shared', 'page'],
  node: ['shared', 'cache', 'page'],
  cli: ['shared', 'page', 'extras', 'node'],
};

/** The folders that run in Node alone, where bare names are Node's and those of libraries that are bundled. */
const IN_NODE = ['node', 'cli'];

const BARE = {
  regex: '^[^./]',
  message: 'The package imports nothing by a bare name: workers know no import maps.',
};

/** What no file of the package imports. */
const NEVER = [
  { regex: '^(\\.\\./)+(www|scripts|tests|node_modules)/', message: 'The package keeps to itself.' },
  { regex: '^(\\.\\./)+index\\.js$', message: 'Nothing within the package imports its index.' },
  { regex: '(^|/)(node-)?worker\\.js$', message: 'The scripts of workers are started, never imported.' },
];

const WASM = {
  group: ['**/wasm/**'],
  message: 'Only variants.js and runtime.js of the worker import pkg/wasm.',
};

/** @param {string[]} files @param {object[]} patterns */
const refuse = (files, patterns) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});

/** @param {string} layer @param {string[]} allowed */
const others = (layer, allowed) =>
  Object.keys(LAYERS)
    .filter((other) => other !== layer && !allowed.includes(other))
    .map((other) => ({
      group: [`**/${other}/*`, `**/${other}/**/*`],
      message: `${layer}/ may not import ${other}/.`,
    }));

const layers = [
  ...Object.entries(LAYERS).map(([layer, allowed]) =>
    refuse(
      [`pkg/src/${layer}/**/*.js`],
      [...NEVER, ...(IN_NODE.includes(layer) ? [] : [BARE]), ...others(layer, allowed), WASM],
    ),
  ),
  refuse(
    ['pkg/src/worker/variants.js', 'pkg/src/worker/runtime.js'],
    [...NEVER, BARE, ...others('worker', LAYERS.worker)],
  ),
  // The library of digests lies there, too.
  refuse(['pkg/src/shared/integrity.js'], [...NEVER, BARE, ...others('shared', [])]),
  // The converter is the wasm's own, and runs without a worker.
  refuse(['pkg/src/cli/commands/convert.js'], [...NEVER, ...others('cli', LAYERS.cli ?? [])]),
  // What makes Node a platform comes before all else there.
  refuse(
    ['pkg/src/cli/main.js'],
    [...NEVER.filter(({ regex }) => !regex.includes('index')), ...others('cli', LAYERS.cli ?? []), WASM],
  ),
  refuse(
    ['pkg/src/index.js', 'pkg/src/pipeline.js', 'pkg/src/files.js'],
    [...NEVER, BARE, ...others('index.js', ['page', 'shared', 'extras']), WASM],
  ),
  refuse(
    ['www/**/*.js'],
    [
      { regex: '^(\\.\\./)+(pkg|scripts|tests|src)/', message: 'The page imports the package by its name.' },
      { group: ['ocelli/*'], message: 'The page imports what `ocelli` exports, nothing from inside of it.' },
    ],
  ),
  {
    files: ['pkg/src/**/*.js'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ImportExpression', message: 'Imports are static: bundlers give a worker one file.' },
        {
          selector: "NewExpression[callee.name='URL'] > Literal[value=/^\\.\\.?\\u002f/]",
          message: 'Addresses of the package are written where bundles lie as deep: files.js and the like.',
        },
      ],
    },
  },
  {
    files: ['pkg/src/{files,wasm-files,gpu-files,node}.js', 'pkg/src/cli/main.js'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['pkg/src/{node,cli}/**/*.js', 'pkg/src/{node,node-pipeline,node-worker,cli}.js'],
    languageOptions: { globals: globals.node },
  },
];

export default [
  {
    ignores: [
      'node_modules/',
      'target/',
      'dist/',
      'coverage/',
      'pkg/wasm/',
      'pkg/types/',
      'pkg/dist/',
      'training/',
      'examples/',
    ],
  },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: 'module' },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      curly: ['error', 'multi-line'],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-else-return': 'error',
      'no-implicit-coercion': ['error', { allow: ['!!', '+'] }],
      'no-promise-executor-return': 'off',
      'no-throw-literal': 'error',
      'no-unused-vars': ['error', { args: 'after-used', argsIgnorePattern: '^_', caughtErrors: 'none' }],
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['pkg/src/**/*.js', 'www/**/*.js'],
    languageOptions: { globals: { ...globals.browser, ...globals.worker } },
  },
  ...layers,
  {
    // Scripts speak to a person at a terminal; browser tests run some functions inside the page.
    files: ['*.js', 'scripts/**/*.{js,mjs}', 'tests/**/*.{js,mjs}', 'pkg/*.js'],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
    rules: { 'no-console': 'off' },
  },
];
