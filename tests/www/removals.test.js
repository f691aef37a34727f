// Pictures of folders that were taken away stay away, until somebody wants them back.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Removals } from '../../www/library/removals.js';
import { pictureOf } from '../../www/pictures.js';
import { FakeStore, Shelf } from './support/store.js';

/** @param {string} content @param {number} [lastModified] */
const file = (content, lastModified = 1000) => new File([content], 'a.jpg', { lastModified });
/** @param {File} from @param {string} path @param {object} [more] */
const picture = (from, path, more) => ({ ...pictureOf('1', { file: from, path, index: 0 }, 1), ...more });

test('what lay in a folder is known again by its path and by what is in it', async () => {
  const removals = new Removals();
  void removals.add([picture(file('one'), 'Trip/a.jpg'), picture(file('alone'), 'b.jpg')]);
  assert.ok(await removals.has(file('one', 2000), 'Trip/a.jpg'), 'its date does not matter');
  assert.ok(!(await removals.has(file('two'), 'Trip/a.jpg')), 'another picture of that name comes in');
  assert.ok(!(await removals.has(file('one'), 'Other/a.jpg')));
  assert.ok(!(await removals.has(file('alone'), 'b.jpg')), 'what was given by itself is wanted again');
  void removals.forget(['Trip/a.jpg']);
  assert.ok(!(await removals.has(file('one'), 'Trip/a.jpg')));
});

test('it is remembered on the next visit, also of pictures whose files are not here', async (t) => {
  const store = /** @type {any} */ (new FakeStore(new Shelf()));
  t.after(() => store.tabs.close());
  const first = new Removals();
  const early = first.add([picture(file('early'), 'Trip/early.jpg')]);
  await first.restore(store);
  await early;
  const whole = file('the whole picture');
  const copy = picture(whole, 'Trip/copy.jpg', { file: new Blob(['small']) });
  await first.add([copy]);
  const second = new Removals();
  await second.restore(store);
  assert.ok(await second.has(file('early'), 'Trip/early.jpg'));
  // Nobody can tell what is in it: its length and date do.
  assert.ok(await second.has(whole, 'Trip/copy.jpg'));
  assert.ok(!(await second.has(file('another picture!!', 3000), 'Trip/copy.jpg')));
});
