/** What all commands over pictures do: find them, open what results go to, work, and close it. */

import { findPictures, sentenceOfUndecoded } from './inputs.js';
import { usage } from './failure.js';
import { countOf, settingsOf } from './options.js';
import { Results } from './results.js';
import { tell } from './terminal.js';
import { work } from './work.js';

/**
 * @template {{ dispose: () => void }} M
 * @typedef {object} Job
 * @property {import('./results.js').Shape} shape how answers are written
 * @property {unknown} settings all that answers depend on besides the picture
 * @property {import('./work.js').Work<M>['open']} open
 * @property {import('./work.js').Work<M>['ask']} ask
 * @property {import('./work.js').Work<M>['sidecar']} sidecar
 * @property {Parameters<typeof Results.open>[0]} [output] where results go, where that is not as the options say
 * @property {() => Promise<unknown>} [goOn] called before that is opened
 */

/**
 * @template {{ dispose: () => void }} M
 * @param {import('./options.js').Values} values
 * @param {string[]} names
 * @param {Job<M>} job
 * @returns {Promise<number>} an exit code
 */
export async function overPictures(values, names, { shape, settings, output, goOn, ...job }) {
  const jobs = countOf(values, 'jobs', 1);
  if (values.null && !names.includes('-')) {
    throw usage('-0 is about a list on standard input: give - for it.');
  }
  const { pictures, undecoded } = await findPictures(names, process.stdin, values.null === true);
  await goOn?.();
  const results = await Results.open(output ?? values, shape, await settingsOf(settings));
  try {
    return await work({ ...job, pictures, jobs, quiet: values.quiet === true, results });
  } finally {
    await results.close();
    if (undecoded > 0) tell(sentenceOfUndecoded(undecoded));
  }
}
