/**
 * What comes in, on its way to the session: pictures, folders, and files that say something of pictures. Of a folder that is opened again
 * only what is new or has changed is taken in.
 *
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./library/folders.js').Folders} Folders
 */

import { on } from './elements/dom.js';
import { isArchive } from './files/paths.js';
import { picturesIn } from './files/zipped.js';
import { developed, gatherFolder, pathOf } from './gather.js';
import { tellAgain } from './library/entries.js';
import { mayRead } from './library/folders.js';
import { withLostSidecar } from './lost-sidecars.js';
import { isInFolder } from './library/removals.js';
import { isRaw } from './raw.js';
import { count, explain, leftOut } from './words.js';

/** Milliseconds between two lines about a folder or an archive that is being looked through. */
const TOLD_EVERY = 200;

/**
 * @param {object} page
 * @param {Session} page.session
 * @param {Folders} page.folders
 * @param {import('./library/removals.js').Removals} page.removals
 * @param {any} page.drop the `<drop-zone>`
 * @param {HTMLElement} page.samples the `<sample-row>`
 * @param {any} page.saving the `<save-answers>`
 * @param {(files: readonly File[], how: { gently: boolean }) => Promise<string>} page.takeAnswers tells what has become of them
 * @param {(sentence: string) => void} page.announce
 * @param {() => void} page.onAdded pictures have come in
 * @param {(picture: import('./session.js').Picture) => void} page.onThere somebody wants a sample that is here already
 */
export function takeIn({
  session,
  folders,
  removals,
  drop,
  samples,
  saving,
  takeAnswers,
  announce,
  onAdded,
  onThere,
}) {
  /** Folders that are being opened. @type {Set<FileSystemDirectoryHandle>} */
  const opening = new Set();
  /** Pictures that have not come in, as somebody had removed them. @type {Blob[]} */
  let left = [];
  /** What lay in their folders beside pictures. @type {readonly File[]} */
  let beside = [];

  /** Pictures that are coming in. @type {Promise<unknown>} */
  let coming = Promise.resolve();

  /**
   * Takes in pictures, without those of folders that were removed earlier; of the others that were, it is known again what was said.
   * @param {readonly Blob[]} given
   * @param {{ areWanted?: boolean }} [how] `areWanted`: whether they come in all the same
   */
  const add = async (given, { areWanted = false } = {}) => {
    /** @type {Map<Blob, import('./library/removals.js').Removal>} */
    const removed = new Map();
    for (const file of given) {
      const path = pathOf(file) ?? (file instanceof File ? file.name : '');
      const removal = await removals.of(file, path);
      // A copy of what is here is no picture that was moved.
      const isIt = removal && (removal.path === path || !(await session.recognition.hasTwin(file)));
      if (isIt) removed.set(file, removal);
    }
    const ofFolders = given.filter((file) => isInFolder(pathOf(file) ?? ''));
    const out = new Set(areWanted ? [] : ofFolders.filter((file) => removed.has(file)));
    if (ofFolders.length > 0) {
      left = [...out];
      drop.leaveOut(left.length);
    }
    const files = given.filter((file) => !out.has(file));
    const added = session.add(files);
    onAdded();
    announce(`${count(files.length, 'picture')} added${out.size > 0 ? `. ${leftOut(out.size)}` : ''}`);
    const again = await added;
    const back = session.pictures.filter(({ file }) => removed.has(file));
    tellAgain(session, new Map(back.map((one) => [one, removed.get(one.file)?.told ?? {}])));
    void removals.forget(back.flatMap(({ file }) => removed.get(file)?.path ?? []));
    if (again === 0) return;
    const here = `${count(again, 'picture is', 'pictures are')} here already.`;
    say([drop.said, here].filter(Boolean).join(' '));
  };
  const say = (/** @type {string} */ sentence) => {
    drop.say(sentence);
    announce(sentence);
  };

  /** What sidecars said that are there no more is no longer known. @param {import('./gather.js').Gathered} found */
  const lose = (found) => {
    const lost = withLostSidecar(session, found);
    if (lost.length === 0) return;
    const line = `${count(lost.length, 'sidecar is', 'sidecars are')} there no more, and what ${lost.length === 1 ? 'it' : 'they'} said is not known any more.`;
    say([drop.said, line].filter(Boolean).join(' '));
    coming = Promise.all([coming, session.fileWords.lose(lost)]);
  };

  /** Tells how many pictures were found so far, now and then. @param {string} where */
  const teller = (where) => {
    let last = performance.now();
    return (/** @type {number} */ pictures) => {
      if (performance.now() - last < TOLD_EVERY) return;
      last = performance.now();
      drop.say(`Looking through ${where}: ${count(pictures, 'picture')}`);
    };
  };

  /**
   * Takes in the pictures of archives that were given by themselves.
   * @param {readonly File[]} files
   * @returns {Promise<string[]>} a line for each archive that holds some
   */
  const unpack = async (files) => {
    /** @type {string[]} */
    const lines = [];
    for (const file of files) {
      if (!isArchive(file.name) || isInFolder(pathOf(file) ?? '')) continue;
      /** @type {File[]} */
      const pictures = [];
      const told = teller(file.name);
      try {
        for await (const picture of picturesIn(file)) told(pictures.push(picture));
      } catch {
        // What is wrong with it is told by whoever reads what it says; what came before is there.
      }
      if (pictures.length === 0) continue;
      await add(await developed(pictures));
      const line = `${file.name}: ${count(pictures.length, 'picture')}.`;
      say(line);
      lines.push(line);
    }
    return lines;
  };

  /**
   * Reads what files say of pictures.
   * @param {readonly File[]} files
   * @param {(came: readonly string[], line: string) => void} show puts a line where somebody has given the files, behind those of what came
   * @param {{ gently: boolean }} how whether what somebody has said since counts for more
   */
  const answers = async (files, show, how) => {
    await coming;
    const came = await unpack(files);
    if (session.tally().open > 0) {
      show(came, 'What the files say is read once the pictures have their tags.');
    }
    const told = await takeAnswers(files, how).catch((error) => explain(error).sentence);
    const line = told || (came.length > 0 ? '' : 'The files say nothing of any picture.');
    show(came, line);
    if (line !== '') announce(line);
  };

  /** The same of files that came with pictures, or in their place. @param {readonly File[]} files */
  const answersBeside = (files) => {
    const before = drop.said;
    const show = (/** @type {readonly string[]} */ came, /** @type {string} */ line) =>
      drop.say([before, ...came, line].filter(Boolean).join(' '));
    return answers(files, show, { gently: true });
  };

  /** Tells of pictures that lay in a folder and do not any more. @param {string} name @param {readonly File[]} found */
  const goneLine = (name, found) => {
    // Of two folders with one name, nobody knows whose a path is.
    if (folders.all.filter((one) => one.name === name).length > 1) return '';
    const there = new Set(found.map(pathOf));
    const gone = session.pictures.filter(({ path }) => path.startsWith(`${name}/`) && !there.has(path));
    if (gone.length === 0) return '';
    return ` ${count(gone.length, 'picture is', 'pictures are')} not in it any more; what is known of ${gone.length === 1 ? 'it' : 'them'} stays here.`;
  };

  /** @param {FileSystemDirectoryHandle} folder */
  const read = async (folder) => {
    const found = await gatherFolder(folder, teller('the folder'));
    await folders.keep(folder);
    /** @type {Blob[]} */
    const absent = [];
    for (const file of await developed(found.pictures)) {
      if (!(await session.recognition.isHere(file, pathOf(file) ?? ''))) absent.push(file);
    }
    const before = new Set(session.pictures);
    left = [];
    drop.leaveOut(0);
    if (absent.length > 0) await add(absent);
    const fresh = session.pictures.filter((picture) => !before.has(picture)).length;
    const known = Math.max(0, found.pictures.length - fresh - left.length);
    const fell = found.others === 0 ? '' : ` ${count(found.others, 'other file')} passed over.`;
    say(
      found.pictures.length === 0
        ? `${folder.name} holds no picture file.`
        : `${folder.name}: ${fresh === 0 ? 'no new picture' : count(fresh, 'new picture')}${known > 0 ? `, ${count(known, 'picture')} known already` : ''}.${fell}${goneLine(folder.name, found.pictures)}`,
    );
    lose(found);
    beside = found.answers;
    if (found.answers.length > 0) await answersBeside(found.answers);
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

  on(drop, 'pictures', (files) => {
    beside = [];
    coming = files.some(isRaw) ? developed(files).then(add) : add(files);
  });
  on(drop, 'gathered', lose);
  on(samples, 'pictures', (files) => {
    const there = sampleThere(session, files[0]);
    if (there) {
      onThere(there);
      announce(`${there.name} is here already`);
    } else coming = add(files);
  });
  on(drop, 'answers', (files) => {
    beside = files;
    return answersBeside(files);
  });
  on(saving, 'answers', (files) => answers(files, (_, line) => saving.say(line), { gently: false }));
  on(samples, 'missing', () => announce('That picture could not be fetched.'));
  on(drop, 'nothing', (passed) => say(`That held no picture file. ${passed}`.trim()));
  on(drop, 'say', announce);
  on(drop, 'folder', open);
  on(drop, 'folder-dropped', (folder) => folders.keep(folder));
  on(drop, 'folder-again', open);
  on(drop, 'folder-forget', (folder) => folders.forget(folder));
  on(drop, 'bring-back', async () => {
    const files = left;
    left = [];
    drop.leaveOut(0);
    coming = add(files, { areWanted: true });
    // Sidecars may have changed since.
    const stems = new Set(files.map(stemOf));
    const sidecars = beside.filter((file) => stems.has(stemOf(file)));
    if (sidecars.length > 0) await answersBeside(sidecars);
  });
  folders.addEventListener('change', () => drop.offer(folders.closed));
}

/**
 * The picture that a sample has become, if it is here: a file of it is made anew each time, and so has another date.
 * @param {Session} session
 * @param {File} sample
 */
function sampleThere({ pictures, recognition }, { name, size }) {
  return pictures.find((one) => one.path === name && one.size === size && recognition.hasOriginal(one));
}

/** Where a file lies, and its name up to the first dot: a sidecar has that of its picture. @param {Blob} file */
function stemOf(file) {
  const path = pathOf(file) ?? '';
  const name = path.lastIndexOf('/') + 1;
  return path.slice(0, name) + path.slice(name).split('.', 1)[0];
}
