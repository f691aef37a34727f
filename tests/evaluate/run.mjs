// Measures the built-in model as it ships: `npm run evaluate [-- options]`, after `npm run build:wasm`. See README.md.
//
// One row for each figure, with its 95 % interval, and the floor and aim that were set for it. What cannot be measured here
// is skipped, which is said, and is no pass.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { duration, Failure, main, ROOT, say } from '../../scripts/lib/run.mjs';
import { Absent } from './lib/data.mjs';
import { Laboratory, MeasuredModel } from './lib/model.mjs';
import { Report } from './lib/report.mjs';
import { broad, captions, leftOut, names, tags } from './parts/everyday.mjs';
import { drawings, hints, reference, scenes } from './parts/others.mjs';
import { none, photos } from './parts/photos.mjs';
import { search } from './parts/search.mjs';

/**
 * @typedef {object} Context
 * @property {MeasuredModel} model
 * @property {MeasuredModel | null} heldout
 * @property {Report} report
 * @property {number} limit pictures of a part; 0 for all
 * @property {string | undefined} referenceFile
 */

/** @type {Record<string, (context: Context) => Promise<void>>} */
const PARTS = {
  photos,
  names,
  tags,
  broad,
  leftOut,
  hints,
  none,
  search,
  captions,
  drawings,
  scenes,
  reference,
};

/** Parts that go by one name. @type {Record<string, string[]>} */
const GROUPS = { everyday: ['names', 'tags', 'broad', 'captions'] };

const OPTIONS = /** @type {const} */ ({
  model: { type: 'string', default: 'pkg/models/ocelli' },
  heldout: { type: 'string' },
  reference: { type: 'string' },
  only: { type: 'string' },
  limit: { type: 'string', default: '0' },
  dtype: { type: 'string', default: 'int8' },
  out: { type: 'string' },
});

/** @param {string | undefined} only @returns {string[]} */
function chosenParts(only) {
  if (only === undefined) return Object.keys(PARTS);
  const chosen = only.split(',').flatMap((name) => GROUPS[name] ?? [name]);
  const unknown = chosen.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown === undefined) return chosen;
  const known = [...Object.keys(PARTS), ...Object.keys(GROUPS)].join(', ');
  throw new Failure(`There is no part \`${unknown}\`; the parts are ${known}.`);
}

/** @param {Context} context @param {string[]} parts */
async function measure(context, parts) {
  for (const name of parts) {
    const started = performance.now();
    try {
      await PARTS[name]?.(context);
      say(`${name}: measured in ${duration(performance.now() - started)}`);
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      context.report.skip(name, error.message);
    }
  }
}

await main(import.meta, async (args) => {
  const { values } = parseArgs({ args, options: OPTIONS });
  const parts = chosenParts(values.only);
  const limit = Number(values.limit);
  if (!Number.isSafeInteger(limit) || limit < 0) throw new Failure('--limit takes a number of pictures.');
  const folders = { measured: values.model, ...(values.heldout && { heldout: values.heldout }) };
  for (const folder of Object.values(folders)) {
    if (
      !existsSync(path.join(ROOT, folder, 'config.json')) &&
      !existsSync(path.join(folder, 'config.json'))
    ) {
      throw new Failure(`There is no model in ${folder}.`);
    }
  }
  const laboratory = await Laboratory.open(folders);
  try {
    const report = new Report();
    const options = { dtype: values.dtype };
    const model = new MeasuredModel(laboratory, 'measured', options);
    const heldout = values.heldout ? new MeasuredModel(laboratory, 'heldout', options) : null;
    const info = await model.info();
    say(`${values.model}: ${values.dtype}. ${info.runtime.why}`);
    await measure({ model, heldout, report, limit, referenceFile: values.reference }, parts);
    console.log(`\n${report.print()}`);
    if (values.out) {
      const { rows, skipped, details } = report;
      const about = {
        date: new Date().toISOString(),
        model: values.model,
        dtype: values.dtype,
        limit,
        ...info,
      };
      mkdirSync(path.dirname(path.resolve(values.out)), { recursive: true });
      writeFileSync(values.out, `${JSON.stringify({ ...about, rows, skipped, details }, null, 1)}\n`);
      say(`Everything is in ${values.out}.`);
    }
    if (limit === 0 && !report.floorsHold) throw new Failure('A floor is missed (see above).');
  } finally {
    await laboratory.close();
  }
});
