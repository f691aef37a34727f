/** `ocelli teach`: labels out of folders of examples. */

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Tagger } from '../../page/tagger.js';
import { destinationOf, refuseToReplace, replaceFile } from '../destination.js';
import { EXIT, usage } from '../failure.js';
import { findPictures } from '../inputs.js';
import { readLabels } from '../labels.js';
import { modelOf, openModel } from '../model.js';
import { loading, progress } from '../progress.js';
import { amount, tell } from '../terminal.js';

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function teach(values, names) {
  const [folder, ...others] = names;
  if (folder === undefined || others.length > 0) {
    throw usage('One folder is needed, with a folder of pictures for each label.');
  }
  const out = values.out === undefined ? '' : String(values.out);
  if (out === '') throw usage('Where to? Give --out FILE.json, or - for standard output.');
  const { kind } = await destinationOf(out);
  if (kind === 'file') await refuseToReplace([out], values.force === true);
  const { template, also } = values;
  const { model, load } = modelOf(values, 'tag');
  const examples = await examplesOf(folder);
  const quiet = values.quiet === true;
  const bar = loading({ quiet });
  const tagger = await openModel(model, () =>
    Tagger.load(model, { ...load, onProgress: bar.onProgress }),
  ).finally(bar.stop);
  try {
    const vectors = await embed(tagger, examples, quiet);
    const teacher = await tagger.teach(vectors, {
      ...(also !== undefined && { also: await readLabels(String(also)) }),
      ...(template !== undefined && { template: String(template) }),
    });
    const json = `${JSON.stringify(teacher.save())}\n`;
    if (kind === 'stdout') await new Promise((resolve) => process.stdout.write(json, resolve));
    else await replaceFile(out, json);
    if (teacher.strength === null) {
      tell('the examples tell the labels no better than their names do: nothing was learnt.');
    } else if (!quiet) {
      const pictures = [...examples.values()].flat().length;
      tell(`learnt ${amount(examples.size, 'label')} from ${amount(pictures, 'picture')}.`);
    }
    return EXIT.done;
  } finally {
    tagger.dispose();
  }
}

/**
 * The pictures of each folder, which is called as its label.
 *
 * @param {string} folder
 * @returns {Promise<Map<string, string[]>>}
 */
async function examplesOf(folder) {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => null);
  if (entries === null) throw usage(`There is no folder ${folder}.`);
  const labels = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  if (labels.length === 0) throw usage(`${folder} has no folders: one is needed for each label.`);
  const examples = new Map();
  for (const { name } of labels.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { pictures } = await findPictures([path.join(folder, name)], process.stdin);
    examples.set(
      name,
      pictures.map((picture) => picture.path),
    );
  }
  return examples;
}

/**
 * Embeddings of all pictures. One that cannot be read is named, and nothing is learnt.
 *
 * @param {Tagger} tagger
 * @param {Map<string, string[]>} examples
 * @param {boolean} quiet
 */
async function embed(tagger, examples, quiet) {
  const total = [...examples.values()].flat().length;
  const bar = progress({ quiet, what: 'Pictures', total });
  /** @type {Map<string, Float32Array[]>} */
  const vectors = new Map();
  let done = 0;
  try {
    for (const [label, files] of examples) {
      const own = [];
      for (const file of files) {
        own.push(...(await tagger.embedImages([await readFile(file)]).catch((cause) => refuse(file, cause))));
        bar.update(++done);
      }
      vectors.set(label, own);
    }
  } finally {
    bar.stop();
  }
  return vectors;
}

/** @param {string} file @param {unknown} cause @returns {never} */
function refuse(file, cause) {
  if (!(cause instanceof Error)) throw cause;
  cause.message = `${file}: ${cause.message}`;
  throw cause;
}
