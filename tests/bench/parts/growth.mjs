// How the time grows with pictures and with labels.

import { labels } from '../lib/words.mjs';

/** @import { Contest } from '../lib/contest.mjs' */

/**
 * @param {Contest} contest
 * @returns {Promise<{ what: string, count: number, ms: number }[]>}
 */
export async function growth(contest) {
  await contest.ask('ocelli', 'start', { variant: 'relaxed' });
  await contest.ask('ocelli', 'loadClip', { dtype: 'int8' });
  const rows = [];
  await contest.ask('ocelli', 'tagImages', { count: 2, labels: labels(10) });
  for (const count of [1, 10, 100]) {
    const { ms } = await contest.ask('ocelli', 'tagImages', { count, labels: labels(10) });
    rows.push({ what: 'images', count, ms });
  }
  for (const [i, count] of [10, 100, 1000, 10_000].entries()) {
    // Another template makes other prompts: none has been seen before.
    const given = { labels: labels(count), template: `picture ${i + 1} of a {}.` };
    const { ms } = await contest.ask('ocelli', 'newLabels', given);
    rows.push({ what: 'new labels', count, ms });
  }
  await contest.end('ocelli');
  return rows;
}
