// One linter configuration for the whole repository: browser code, worker code, Node scripts and tests.
import js from '@eslint/js';
import globals from 'globals';

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
  {
    // Scripts speak to a person at a terminal; browser tests run some functions inside the page.
    files: ['*.js', 'scripts/**/*.{js,mjs}', 'tests/**/*.{js,mjs}', 'pkg/*.js'],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
    rules: { 'no-console': 'off' },
  },
];
