/**
 * Saves what the session has found out, as the browser saves a file, or into a folder.
 *
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./export.js').Format} Format
 * @typedef {import('./export.js').Options} Options
 * @typedef {import('./export.js').Row} Row
 * @typedef {import('./export.js').Tally} Tally
 *
 * @typedef {object} Order what somebody wants to be saved
 * @property {Format} format
 * @property {FileSystemDirectoryHandle | null} folder that files go into; null where they are downloaded
 * @property {Options} options
 * @property {AbortSignal} signal
 * @property {number} [others] pictures that are meant as well, of which nothing is known
 * @property {(path: string, sidecar: import('./file-words.js').Sidecar) => void} [onSidecar] told of each sidecar that lies beside its picture
 *   now, and where the picture lies
 */

import { download } from './download.js';
import { downloadsOf, filesOf, isList, newTally } from './export.js';
import { withoutCommas } from './files/filed.js';
import { writeInto } from './files/folder.js';
import { folderOf, partsOf, stemOf } from './files/paths.js';
import { besideIn, placingIn, rowsWithin } from './files/places.js';
import { BELOW, leafOf } from './labels.js';
import { readPath } from './tag-paths.js';
import { count } from './words.js';

/** The caption of the built-in model where it makes out neither what is there nor where: to whoever reads a file, it is none. */
const SAYS_NOTHING = 'something';

/**
 * The pictures that somebody looks at, and so rather means than all of them.
 *
 * @param {ReadonlySet<import('./session.js').Picture> | null} selected
 * @param {Pick<Session, 'pictures' | 'shown'>} session
 * @returns {{ which: 'selected' | 'shown', size: number, all: number } | null} null for all
 */
export function partOf(selected, { pictures, shown }) {
  const all = pictures.length;
  if (selected && selected.size > 0) return { which: 'selected', size: selected.size, all };
  return shown.length < all ? { which: 'shown', size: shown.length, all } : null;
}

/** What is to be known of sidecars before they are unpacked over others. */
const REPLACING =
  'Unpacked beside pictures that have sidecars already, these take their place: give those to the page first (“Read files back in”), and all that is in them is kept.';

/**
 * The rows of those pictures of which something is known.
 *
 * @param {Session} session
 * @param {readonly import('./session.js').Picture[]} pictures
 * @param {{ naming: (label: string) => string, vocabulary: import('ocelli').Vocabulary | null, all?: boolean }} how tags are called;
 *   `all`: those of which nothing is known have rows as well, as whoever saves pictures means all of them
 * @returns {Row[]}
 */
export function rowsOf(session, pictures, { naming, vocabulary, all = false }) {
  return pictures.flatMap((picture) => {
    /** Tags are spelled as in the picture's file, unless they were renamed. @param {string} label */
    const spelled = (label) =>
      (naming(label) === label && session.fileWords.spellingOf(picture, label)) || leafOf(naming(label));
    const named = (/** @type {string} */ label) => withoutCommas(spelled(label));
    const known = session.answerOf(picture)?.tags ?? [];
    const labelsOf = (/** @type {typeof known} */ some) => some.flatMap(({ label }) => label ?? []);
    const labels = labelsOf(known);
    const shown = session.captionsOf(picture)?.[0]?.caption ?? '';
    const said = session.corrections.of(picture);
    const gone = session.fileWords.goneOf(picture, said);
    const isSaid = typeof said?.caption === 'string';
    // Whoever empties a file's caption gets the model's, and has said no word of that.
    const isFound = session.captions.jobs.get(picture)?.result?.some((one) => one.caption === said?.caption);
    const isOwn = isSaid ? !isFound : session.fileWords.captionsOf(picture, said) !== null;
    const caption = shown === SAYS_NOTHING && !isOwn ? '' : shown;
    if (!all && labels.length === 0 && gone.length === 0 && caption === '') return [];
    // What somebody has taken away is not above another tag either.
    const left = (/** @type {readonly string[]} */ above) => above.filter((one) => !gone.includes(one));
    const filed = session.fileWords.pathsOf(picture);
    const ofFile = new Set(session.fileWords.of(picture)?.tags);
    /** What its file says, beyond the vocabulary. @param {string} label */
    const filedPath = (label) => {
      const path = filed.get(label);
      const implied = (vocabulary?.implied(label) ?? []).flatMap((one) => [one, naming(one)]);
      const isImplied = path
        ?.split(BELOW)
        .slice(0, -1)
        .every((name) => implied.includes(name));
      return isImplied ? undefined : path;
    };
    /** What somebody has said that it is below, here or in its file. @param {string} label */
    const saidBelow = (label) => {
      const path = session.paths.get(label) ?? filedPath(label) ?? readPath(label);
      const above = path?.split(BELOW).slice(0, -1);
      return above && [...left(above), named(label)].join(BELOW);
    };
    const below = (/** @type {string} */ label) => {
      const path = saidBelow(label);
      if (path !== undefined) return path;
      // Keywords that somebody has below nothing stay so.
      if (!filed.has(label) && ofFile.has(label)) return named(label);
      const above = [...left(vocabulary?.implied(label) ?? [])].reverse();
      return [...above, label].map(named).join(BELOW);
    };
    const [tags, subjects] = [unique(labels.map(named)), unique(labels.map(spelled))];
    const paths = labels.flatMap((label) => saidBelow(label) ?? []).filter((path) => path.includes(BELOW));
    // Of an earlier visit there is a small copy, which is no file.
    const original = picture.file instanceof File ? picture.file : null;
    return [
      {
        path: picture.path,
        tags,
        ...(subjects.some((word, i) => word !== tags[i]) && { subjects }),
        hierarchy: unique(labels.map(below)),
        own: unique(labelsOf(known.filter(({ own }) => own)).map(named)),
        gone: gone.map(named),
        ...(paths.length > 0 && { paths: unique(paths) }),
        caption,
        captionIsOwn: isOwn,
        captionIsSaid: isSaid,
        captionThere: session.fileWords.of(picture)?.caption ?? '',
        original,
        sidecar: session.fileWords.sidecarOf(picture),
        packet: session.fileWords.packetOf(picture),
      },
    ];
  });
}

/** @param {string[]} words of which two labels may have one @returns {string[]} */
function unique(words) {
  return [...new Set(words)];
}

/**
 * @param {Row[]} rows
 * @param {Order} order
 * @param {(line: string) => void} told how far it is
 * @param {Pick<import('./library/folders.js').Folders, 'all' | 'closed'>} [folders] that pictures came from
 * @returns {Promise<string>} what has become of it, in sentences
 */
export async function save(rows, order, told, folders = { all: [], closed: [] }) {
  const { format, folder, options, signal, onSidecar = () => {} } = order;
  if (rows.length === 0) return 'Nothing is known yet.';
  const tally = newTally();
  const others = () => [...unknownLines(order.others), ...tallyLines(tally, foldersOf(rows, folders.closed))];
  const placing = folder && (await placingIn(folder, folders.all));
  const within = placing && !isList(format) ? rowsWithin(rows, placing) : rows;
  const progress = (/** @type {number} */ done) => {
    signal.throwIfAborted();
    told(`Writing: ${count(done, 'file')} of ${count(within.length, 'picture')}`);
  };
  try {
    if (folder && placing) {
      const files = filesOf(within, format, options, tally);
      const isBeside = await besideIn(folder, folders.all);
      /** @param {import('./files/folder.js').Entry} entry @param {Blob} blob */
      const onWritten = ({ name: lies, of }, blob) => {
        if (of === undefined || !isBeside(of)) return;
        const sidecar = new File([blob], partsOf(lies).at(-1) ?? '');
        onSidecar(of, { sidecar, isExact: stemOf(lies) === of, lies });
      };
      const how = { placing, onWritten, onProgress: progress, signal };
      const { written, kept, refused } = await writeInto(folder, files, how);
      const outside = outsideLines(rows.length - within.length);
      const left = keptLines(kept, refused, format);
      return [wrote(written, folder.name), ...outside, ...left, ...others()].join(' ');
    }
    let archives = 0;
    for await (const { name, blob } of downloadsOf(rows, format, options, tally, progress)) {
      download(blob, name);
      archives += 1;
    }
    if (archives === 0) return ['There was nothing to save.', ...others()].join(' ');
    const replacing = format === 'xmp' && rows.some(mayHaveOther) ? [REPLACING] : [];
    return [`Saved ${known(rows.length - tally.absent - tally.bare)}.`, ...replacing, ...others()].join(' ');
  } catch (error) {
    if (signal.aborted) return 'Stopped.';
    throw error;
  }
}

/** Whether a picture may have a sidecar that was not read: those beside pictures that came with their folder were. @param {Row} row */
function mayHaveOther({ path, original, sidecar }) {
  return !sidecar && (!original || folderOf(path) === '');
}

/** @param {number} pictures */
function known(pictures) {
  return `what is known of ${count(pictures, 'picture')}`;
}

/** @param {number} files @param {string} folder */
function wrote(files, folder) {
  return `Wrote ${count(files, 'file')}${folder ? ` into “${folder}”` : ''}.`;
}

/** @param {number} [others] pictures of which nothing is known, and so nothing is saved */
function unknownLines(others = 0) {
  return others > 0 ? [`Nothing is known of ${count(others, 'other picture')}.`] : [];
}

/** @param {number} outside pictures that lie in no folder below the chosen one */
function outsideLines(outside) {
  const line = `${count(outside, 'picture')} of other folders ${outside === 1 ? 'is' : 'are'} left out: choose the folder above for all.`;
  return outside > 0 ? [line] : [];
}

/** @param {string[]} kept @param {string[]} refused @param {Format} format */
function keptLines(kept, refused, format) {
  const why =
    format === 'pictures'
      ? 'for no picture is written over (copies need another folder)'
      : 'for they were there already';
  const others = `Left as they are, ${why}: ${count(kept.length, 'file')}, ${some(kept)}.`;
  const failed = `${count(refused.length, 'file')} could not be written: ${some(refused)}.`;
  return [kept.length > 0 ? others : '', refused.length > 0 ? failed : ''].filter(Boolean);
}

/** @param {string[]} names */
function some([first = '', ...others]) {
  return others.length > 0 ? `${first} and ${others.length} more` : first;
}

/**
 * The folders that bring back files of pictures of which only small copies are here.
 * @param {readonly Row[]} rows
 * @param {readonly FileSystemDirectoryHandle[]} closed
 * @returns {string[]} their names
 */
function foldersOf(rows, closed) {
  const absent = rows.filter(({ original }) => !original);
  return closed.flatMap(({ name }) => (absent.some(({ path }) => path.startsWith(`${name}/`)) ? name : []));
}

/** @param {Tally} tally @param {readonly string[]} folders that can be opened again */
function tallyLines({ beside, bare, absent }, folders) {
  const sidecars = `${count(beside, 'picture')} cannot hold keywords and ${beside === 1 ? 'has' : 'have'} a sidecar beside.`;
  const plain = `${count(bare, 'picture')} of which nothing is known ${bare === 1 ? 'is' : 'are'} among them, as ${bare === 1 ? 'it was' : 'they were'}.`;
  const gone = `${count(absent, 'picture')} left out: only small copies of earlier visits are here.`;
  const quoted = folders.map((name) => `“${name}”`).join(', ');
  const what =
    folders.length === 0
      ? 'Choose the pictures'
      : `Open the ${folders.length === 1 ? 'folder' : 'folders'} ${quoted}`;
  const again = `${what} again, and their files are here to be saved.`;
  return [
    beside > 0 ? sidecars : '',
    bare > 0 ? plain : '',
    absent > 0 ? gone : '',
    absent > 0 ? again : '',
  ].filter(Boolean);
}
