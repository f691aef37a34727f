// A plugin of webpack: tells the service worker which files the page is made of, and what is in each.

import { createHash } from 'node:crypto';

/** @import { Files } from '../../www/service-files.js' */

/** What is asked for by nobody who uses the page. */
const LEFT_OUT = /\.map$|\.LICENSE\.txt$/;

export class FileList {
  /**
   * @param {object} options
   * @param {string} options.into the file that gets the list
   * @param {string} options.mark the expression in it that the list takes the place of
   * @param {RegExp} options.eager names of files that the page cannot begin without
   */
  constructor({ into, mark, eager }) {
    this.into = into;
    this.mark = mark;
    this.eager = eager;
  }

  /** @param {import('webpack').Compiler} compiler */
  apply(compiler) {
    const { Compilation, sources } = compiler.webpack;
    const name = FileList.name;
    // Once all names have their final digests in them.
    const stage = Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE_TRANSFER;
    compiler.hooks.thisCompilation.tap(name, (compilation) => {
      compilation.hooks.processAssets.tap({ name, stage }, () => {
        const list = JSON.stringify(this.#listOf(compilation.getAssets()));
        compilation.updateAsset(this.into, (source) => {
          const [before, after, ...more] = source.source().toString().split(this.mark);
          if (after === undefined || more.length > 0) {
            throw new Error(`${this.into} has to have ${this.mark} once`);
          }
          return new sources.RawSource(before + list + after);
        });
      });
    });
  }

  /**
   * @param {readonly Readonly<import('webpack').Asset>[]} assets
   * @returns {Files}
   */
  #listOf(assets) {
    /** @type {Files} */
    const files = { eager: [], lazy: [] };
    for (const { name, source, info } of assets.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (name === this.into || LEFT_OUT.test(name)) continue;
      const revision = info.contenthash ? null : digestOf(source.buffer());
      files[this.eager.test(name) ? 'eager' : 'lazy'].push({ url: name, revision });
    }
    return files;
  }
}

/** @param {Buffer} bytes */
function digestOf(bytes) {
  return `sha256-${createHash('sha256').update(bytes).digest('base64')}`;
}
