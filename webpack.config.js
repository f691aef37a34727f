// Builds www/ into dist/: a static page with relative addresses only, so that it works from any
// folder of any static host. The built-in model comes with the package that it imports.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import CopyPlugin from 'copy-webpack-plugin';
import HtmlPlugin from 'html-webpack-plugin';
import { LicenseWebpackPlugin } from 'license-webpack-plugin';
import CssPlugin from 'mini-css-extract-plugin';
import { FileList } from './scripts/lib/file-list.mjs';

/** @param {string} path @returns {string} the absolute path of something in this repository */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** @type {import('webpack').Configuration} */
export default {
  mode: 'production',
  entry: {
    page: here('./www/main.js'),
    // Browsers ask for it by its name, again and again: that tells them of new versions.
    'service-worker': { import: here('./www/service-worker.js'), filename: 'service-worker.js' },
  },
  output: {
    path: here('./dist'),
    filename: '[name].[contenthash:8].js',
    chunkFilename: '[name].[contenthash:8].js',
    assetModuleFilename: '[name].[contenthash:8][ext]',
    // Every address is found from the module that asks for it, never from the host's root.
    publicPath: 'auto',
    module: true,
    clean: true,
  },
  experiments: { outputModule: true },
  module: {
    rules: [
      { test: /\.css$/, use: [CssPlugin.loader, 'css-loader'] },
      // The built-in model keeps its names: it is the largest of what is fetched, and stays in caches between versions.
      {
        include: here('./pkg/models'),
        type: 'asset/resource',
        generator: { filename: ({ filename }) => path.relative('pkg', filename) },
      },
    ],
  },
  plugins: [
    // The page is given as it is: the plugin's own template language does not go with ES modules.
    new HtmlPlugin({
      templateContent: () => readFileSync(here('./www/index.html'), 'utf8'),
      scriptLoading: 'module',
      chunks: ['page'],
    }),
    new CssPlugin({ filename: '[name].[contenthash:8].css' }),
    new CopyPlugin({
      patterns: [
        { from: here('./www/icon.svg'), to: 'icon.svg' },
        { from: here('./www/icons'), to: 'icons' },
        { from: here('./www/manifest.webmanifest'), to: 'manifest.webmanifest' },
        // What the licences of the wasm's crates ask for.
        { from: here('./pkg/THIRD-PARTY-NOTICES.md'), to: 'THIRD-PARTY-NOTICES.md', noErrorOnMissing: true },
        { from: here('./www/samples'), to: 'samples', globOptions: { ignore: ['**/*.md'] } },
      ],
    }),
    // And those of the libraries that are in the page's scripts.
    new LicenseWebpackPlugin({
      perChunkOutput: false,
      outputFilename: 'licences.txt',
      // It overlooks what webpack has put into one module with the page's own code.
      additionalModules: [{ name: 'idb', directory: here('./node_modules/idb') }],
    }),
    new FileList({
      into: 'service-worker.js',
      mark: 'self.__FILES__',
      eager: /^(index\.html|manifest\.webmanifest|icon\.svg|icons\/.*|.*\.(js|css))$/,
    }),
  ],
  devtool: 'source-map',
  // A wasm engine and a model are large on purpose: a size hint would be noise at every build.
  performance: { hints: false },
};
