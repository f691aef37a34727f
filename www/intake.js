/**
 * What comes in, on its way to the session: pictures, folders, and files that say something of pictures. Of a folder that is opened again
 * only what is new or has changed is taken in.
 *
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./library/folders.js').Folders} Folders
 */

import { on } from './elements/dom.js';
import { developed, gatherFolder, pathOf } from './gather.js';
import { mayRead } from './library/folders.js';
import { isRaw } from './raw.js';
import { count, explain } from './words.js';

/** Milliseconds between two lines about a folder that is being looked through. */
const TOLD_EVERY = 200;

/**
 * @param {object} page
 * @param {Session} page.session
 * @param {Folders} page.folders
 * @param {any} page.drop the `<drop-zone>`
 * @param {HTMLElement} page.samples the `<sample-row>`
 * @param {any} page.saving the `<save-answers>`
 * @param {(files: readonly File[]) => Promise<string>} page.takeAnswers tells what has become of them
 * @param {(sentence: string) => void} page.announce
 * @param {() => void} page.onAdded pictures have come in
 */
export function takeIn({ session, folders, drop, samples, saving, takeAnswers, announce, onAdded }) {
  /** Folders that are being opened. @type {Set<FileSystemDirectoryHandle>} */
  const opening = new Set();

  /** @param {readonly Blob[]} files */
  const add = (files) => {
    const added = session.add(files);
    onAdded();
    announce(`${count(files.length, 'picture')} added`);
    return added;
  };
  const say = (/** @type {string} */ sentence) => {
    drop.say(sentence);
    announce(sentence);
  };
  const answers = async (/** @type {readonly File[]} */ files) => {
    if (session.tally().open > 0) saving.say('What the files say is read once the pictures have their tags.');
    const line = await takeAnswers(files).catch((error) => explain(error).sentence);
    saving.say(line);
    announce(line);
  };

  /** @param {FileSystemDirectoryHandle} folder */
  const read = async (folder) => {
    let last = performance.now();
    const found = await gatherFolder(folder, (pictures) => {
      if (performance.now() - last < TOLD_EVERY) return;
      last = performance.now();
      drop.say(`Looking through the folder: ${count(pictures, 'picture')}`);
    });
    await folders.keep(folder);
    /** @type {Blob[]} */
    const absent = [];
    for (const file of await developed(found.pictures)) {
      if (!(await session.recognition.isHere(file, pathOf(file) ?? ''))) absent.push(file);
    }
    const before = new Set(session.pictures);
    if (absent.length > 0) await add(absent);
    const fresh = session.pictures.filter((picture) => !before.has(picture)).length;
    const known = Math.max(0, found.pictures.length - fresh);
    const fell = found.others === 0 ? '' : ` ${count(found.others, 'other file')} passed over.`;
    say(
      found.pictures.length === 0
        ? `${folder.name} holds no picture file.`
        : `${folder.name}: ${fresh === 0 ? 'no new picture' : count(fresh, 'new picture')}${known > 0 ? `, ${count(known, 'picture')} known already` : ''}.${fell}`,
    );
    if (found.answers.length > 0) await answers(found.answers);
  };

  const open = async (/** @type {FileSystemDirectoryHandle} */ folder) => {
    if (opening.has(folder)) return;
    opening.add(folder);
    try {
      if (await mayRead(folder)) await read(folder);
      else say(`The folder ${folder.name} may not be read.`);
    } catch {
      say(`The folder ${folder.name} is not where it was.`);
    }
    opening.delete(folder);
  };

  for (const source of [drop, samples]) {
    on(source, 'pictures', async (files) => add(files.some(isRaw) ? await developed(files) : files));
  }
  for (const source of [drop, saving]) on(source, 'answers', answers);
  on(samples, 'missing', () => announce('That picture could not be fetched.'));
  on(drop, 'nothing', () => announce('That held no picture file.'));
  on(drop, 'say', announce);
  on(drop, 'folder', open);
  on(drop, 'folder-dropped', (folder) => folders.keep(folder));
  on(drop, 'folder-again', open);
  on(drop, 'folder-forget', (folder) => folders.forget(folder));
  folders.addEventListener('change', () => drop.offer(folders.closed));
}
