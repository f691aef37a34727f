// One linter configuration for the whole repository: browser code, worker code, Node scripts and tests.
import js from '@eslint/js';
import globals from 'globals';

/**
 * Which folders of pkg/src the files of each may import, beside their own. Arrows point one way: no thread imports the
 * other, both import what they share, and nothing imports the extras.
 * @type {Record<string, string[]>}
 */
const LAYERS = {
  shared: [],
  cache: ['shared'],
  page: ['shared', 'cache'],
  worker: ['shared', 'cache'],
  extras: ['shared', 'page'],
};

const layers = Object.entries(LAYERS).map(([layer, allowed]) => ({
  files: [`pkg/src/${layer}/**/*.js`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          ...Object.keys(LAYERS)
            .filter((other) => other !== layer && !allowed.includes(other))
            .map((other) => ({
              group: [`**/${other}/*`, `**/${other}/**/*`],
              message: `${layer}/ may not import ${other}/.`,
            })),
          { group: ['ocelli', 'ocelli/*'], message: 'The package does not import itself by its name.' },
          {
            group: ['**/wasm/**'],
            message: 'Only variants.js and runtime.js of the worker import pkg/wasm.',
          },
        ],
      },
    ],
  },
}));

export default [
  { ignores: ['node_modules/', 'target/', 'dist/', 'coverage/', 'pkg/wasm/', 'pkg/types/', 'training/'] },
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
    // The table of the wasm's builds, and what chooses one of them.
    files: ['pkg/src/worker/variants.js', 'pkg/src/worker/runtime.js'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['www/**/*.js'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['**/pkg/**'], message: 'The page imports the package by its name.' },
            {
              group: ['ocelli/*'],
              message: 'The page imports what `ocelli` exports, nothing from inside of it.',
            },
          ],
        },
      ],
    },
  },
  {
    // Scripts speak to a person at a terminal; browser tests run some functions inside the page.
    files: ['*.js', 'scripts/**/*.{js,mjs}', 'tests/**/*.{js,mjs}', 'pkg/*.js'],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
    rules: { 'no-console': 'off' },
  },
];
