// Pictures of folders that were taken away stay away, until somebody wants them back.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Removals } from '../../www/library/removals.js';
import { xmpPacket } from 'ocelli';
import { withXmp } from '../../www/files/xmp-embed.js';
import { pictureOf } from '../../www/pictures.js';
import { png } from './support/files.js';
import { FakeStore, Shelf } from './support/store.js';

/** @param {string} content @param {number} [lastModified] */
const file = (content, lastModified = 1000) => new File([content], 'a.jpg', { lastModified });
/** @param {File} from @param {string} path @param {object} [more] */
const picture = (from, path, more) => ({ ...pictureOf('1', { file: from, path, index: 0 }, 1), ...more });

test('what lay in a folder is known again by its path and by what is in it', async () => {
  const removals = new Removals();
  void removals.add([picture(file('one'), 'Trip/a.jpg'), picture(file('alone'), 'b.jpg')]);
  assert.ok(await removals.of(file('one', 2000), 'Trip/a.jpg'), 'its date does not matter');
  assert.ok(!(await removals.of(file('two'), 'Trip/a.jpg')), 'another picture of that name comes in');
  assert.equal((await removals.of(file('one'), 'Other/b.jpg'))?.path, 'Trip/a.jpg', 'it was moved');
  assert.ok(!(await removals.of(file('six'), 'Other/a.jpg')));
  void removals.forget(['Trip/a.jpg']);
  assert.ok(!(await removals.of(file('one'), 'Trip/a.jpg')));
});

test('where it lay, a picture is known by its pixels, whatever is written into it', async () => {
  const removals = new Removals();
  const bytes = png();
  const written = withXmp(bytes, xmpPacket({ subjects: ['dog'] }));
  await removals.add([picture(new File([bytes], 'a.png'), 'Trip/a.png')]);
  const of = (/** @type {string} */ path) => removals.of(new File([written ?? ''], 'a.png'), path);
  assert.equal((await of('Trip/a.png'))?.path, 'Trip/a.png');
  assert.equal(await of('Trip/b.png'), null);
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
  assert.ok(await second.of(file('early'), 'Trip/early.jpg'));
  // Nobody can tell what is in it: its length and date do.
  assert.ok(await second.of(whole, 'Trip/copy.jpg'));
  assert.ok(!(await second.of(file('another picture!!', 3000), 'Trip/copy.jpg')));
});

test('what was said of a picture is known until it is there again, or everything is forgotten', async (t) => {
  const shelf = new Shelf();
  const [store, other] = [0, 1].map(() => /** @type {any} */ (new FakeStore(shelf)));
  t.after(() => [store, other].forEach(({ tabs }) => tabs.close()));
  const said = { own: ['Rex'], gone: ['cat'], caption: 'Rex in the garden' };
  const told = { said, sidecar: new Blob(['<x/>']), lies: 'Trip/a.jpg.xmp' };
  const first = new Removals();
  await first.restore(store);
  await first.add([picture(file('one'), 'Trip/a.jpg'), picture(file('alone'), 'b.jpg')], () => told);
  assert.equal((await first.of(file('one'), 'Trip/a.jpg'))?.told, told, 'in the same visit');
  const second = new Removals();
  await second.restore(other);
  assert.deepEqual((await second.of(file('one'), 'Trip/a.jpg'))?.told.said, said, 'and in the next');
  assert.deepEqual((await second.of(file('alone'), 'b.jpg'))?.told.said, said, 'given by itself as well');
  assert.equal(await second.of(file('other'), 'b.jpg'), null);
  await second.forget(['Trip/a.jpg']);
  assert.deepEqual([...shelf.removals.keys()], ['b.jpg']);
  while (await first.of(file('one'), 'Trip/a.jpg')) await new Promise((resolve) => setTimeout(resolve, 1));
});
