/**
 * `<drop-zone>`: where pictures come in, dropped anywhere on the page, pasted, or picked from files and folders.
 * Dispatches `pictures` with the files of one batch, `answers` with files that say something of them, `nothing` when a drop held
 * neither, with what there is to say of it, and `say` with what else there is to say. Where browsers let pages open a folder again, `folder` comes with one that was
 * picked, `folder-dropped` with one whose files have been dropped, and of those that are offered `folder-again` and `folder-forget`;
 * `bring-back` when pictures are wanted that were left out, as somebody had removed them.
 */

import { gatherDropped, gatherFiles, gatherPicked } from '../gather.js';
import { count, leftOut } from '../words.js';
import { button, make, mark, tell, write } from './dom.js';

/** Milliseconds between two lines about a folder that is being looked through. */
const TOLD_EVERY = 200;

const EYES = 'http://www.w3.org/2000/svg';

/** Three eyes whose pupils widen when a picture comes near. */
function eyes() {
  const svg = document.createElementNS(EYES, 'svg');
  svg.setAttribute('viewBox', '0 0 96 32');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('eyes');
  for (const [className, radius, shiftX, shiftY] of /** @type {const} */ ([
    ['iris', 13, 0, 0],
    ['pupil', 6.5, 0, 0],
    ['glint', 2.1, 3.1, -3.1],
  ])) {
    const group = document.createElementNS(EYES, 'g');
    group.classList.add(className);
    for (const x of [16, 48, 80]) {
      const circle = document.createElementNS(EYES, 'circle');
      circle.setAttribute('cx', String(x + shiftX));
      circle.setAttribute('cy', String(16 + shiftY));
      circle.setAttribute('r', String(radius));
      group.append(circle);
    }
    svg.append(group);
  }
  return svg;
}

/** @param {DataTransfer | null} transfer @returns {boolean} whether files are being carried */
function carriesFiles(transfer) {
  return transfer !== null && [...transfer.types].includes('Files');
}

/** @param {DataTransfer} transfer @returns {Promise<FileSystemHandle | null>[]} what can be opened again of a drop */
function handlesOf(transfer) {
  const items = /** @type {any[]} */ ([...transfer.items].filter(({ kind }) => kind === 'file'));
  return items.map((item) => item.getAsFileSystemHandle?.() ?? Promise.resolve(null));
}

class DropZone extends HTMLElement {
  #input = make('input', {
    type: 'file',
    id: 'files',
    className: 'unseen',
    accept:
      'image/*,.tif,.tiff,.cr2,.cr3,.nef,.arw,.dng,.raf,.orf,.rw2,.pef,.srw,.zip,.xmp,.csv,.json,.html,.md,.txt',
    multiple: true,
    tabIndex: -1,
    'aria-hidden': 'true',
  });
  #folder = make('input', {
    type: 'file',
    id: 'folder',
    className: 'unseen',
    webkitdirectory: true,
    multiple: true,
    tabIndex: -1,
    'aria-hidden': 'true',
  });
  #again = make('ul', { className: 'drop-again', role: 'list', hidden: true });
  #choose = button('Choose pictures', 'button button-strong', () => this.#input.click());
  #said = make('p', { className: 'drop-said', hidden: true });
  #leftLine = make('p');
  #left = make(
    'div',
    { className: 'row drop-left', hidden: true },
    this.#leftLine,
    button('Bring them back', 'button', () => {
      // This button goes, and the keyboard must not go with it.
      this.#choose.focus();
      tell(this, 'bring-back');
    }),
  );
  /** How many nested elements the dragged files are over: leave events come for each. */
  #depth = 0;

  connectedCallback() {
    this.append(
      eyes(),
      make(
        'p',
        { className: 'drop-call' },
        make('span', { className: 'drop-words' }, 'Drop pictures here, paste them, or '),
        this.#choose,
        // Phones have files, and no folders.
        ...('webkitdirectory' in this.#folder && !matchMedia('(pointer: coarse)').matches
          ? [button('Choose a folder', 'button', () => void this.#pickFolder())]
          : []),
      ),
      make(
        'p',
        { className: 'drop-note' },
        'JPEG, PNG, WebP, GIF, BMP, TIFF or raw. They never leave this device.',
      ),
      this.#again,
      this.#said,
      this.#left,
      this.#input,
      this.#folder,
    );
    this.#folder.addEventListener('change', () => {
      this.#take(gatherPicked(this.#folder.files ?? []));
      this.#folder.value = '';
    });
    this.#input.addEventListener('change', () => {
      this.#take(gatherFiles(this.#input.files ?? []));
      this.#input.value = '';
    });
    document.addEventListener('dragenter', (event) => this.#drag(event, 1));
    document.addEventListener('dragleave', (event) => this.#drag(event, -1));
    document.addEventListener('dragover', (event) => {
      if (carriesFiles(event.dataTransfer)) event.preventDefault();
    });
    document.addEventListener('drop', (event) => this.#drop(event));
    document.addEventListener('paste', (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      this.#take(gatherFiles(files));
    });
  }

  /** @param {string} sentence what there is to say of what came in */
  say(sentence) {
    write(this.#said, sentence);
    this.#said.hidden = sentence === '';
  }

  /** What is said of what came in. */
  get said() {
    return this.#said.textContent ?? '';
  }

  /** @param {number} pictures that were removed earlier, and have not come in */
  leaveOut(pictures) {
    this.#left.hidden = pictures === 0;
    write(this.#leftLine, leftOut(pictures));
  }

  /** @param {readonly FileSystemDirectoryHandle[]} folders that can be opened again */
  offer(folders) {
    const held = this.#again.contains(document.activeElement);
    this.#again.hidden = folders.length === 0;
    this.#again.replaceChildren(
      ...folders.map((folder) => {
        const { name } = folder;
        const open = button(`Open the folder ${name} again`, 'button', () =>
          tell(this, 'folder-again', folder),
        );
        const forget = button('Forget', 'button button-quiet', () => tell(this, 'folder-forget', folder), {
          'aria-label': `Forget the folder ${name}`,
        });
        return make('li', {}, open, forget);
      }),
    );
    if (held) (this.#again.querySelector('button') ?? this.#choose).focus();
  }

  async #pickFolder() {
    const { showDirectoryPicker } = /** @type {any} */ (globalThis);
    if (!showDirectoryPicker) return this.#folder.click();
    try {
      tell(this, 'folder', await showDirectoryPicker({ id: 'ocelli-pictures' }));
    } catch (error) {
      // Where it may not be used, as within pages of others, there is the older way.
      if (error instanceof Error && error.name !== 'AbortError') this.#folder.click();
    }
  }

  /** @param {DragEvent} event @param {1 | -1} step */
  #drag(event, step) {
    if (!carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    this.#depth = Math.max(0, this.#depth + step);
    mark(this, 'data-near', this.#depth > 0);
  }

  /** @param {DragEvent} event */
  #drop(event) {
    this.#depth = 0;
    mark(this, 'data-near', false);
    if (!carriesFiles(event.dataTransfer)) {
      // Text may be dropped into a field; anywhere else it is not for us, but let it open no page.
      if (!(event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement)) {
        event.preventDefault();
        tell(this, 'nothing', '');
      }
      return;
    }
    event.preventDefault();
    if (event.dataTransfer) void this.#gather(event.dataTransfer);
  }

  /** @param {DataTransfer} transfer */
  async #gather(transfer) {
    const handles = handlesOf(transfer);
    let last = performance.now();
    const gathered = await gatherDropped(transfer, (found) => {
      if (performance.now() - last < TOLD_EVERY) return;
      last = performance.now();
      this.say(`Looking through the folder: ${count(found, 'picture')}`);
    });
    this.#take(gathered);
    for (const handle of handles) {
      const one = await handle.catch(() => null);
      if (one?.kind === 'directory') tell(this, 'folder-dropped', one);
    }
  }

  /** @param {import('../gather.js').Gathered} gathered */
  #take(gathered) {
    const { pictures, answers, others } = gathered;
    const passed = others === 0 ? '' : `${count(others, 'other file')} passed over.`;
    this.say(passed);
    if (pictures.length > 0) tell(this, 'pictures', pictures);
    tell(this, 'gathered', gathered);
    // Once their pictures are there.
    if (answers.length > 0) tell(this, 'answers', answers);
    if (pictures.length + answers.length === 0) tell(this, 'nothing', passed);
    else if (passed !== '') tell(this, 'say', `${count(pictures.length, 'picture')} added, ${passed}`);
  }
}

customElements.define('drop-zone', DropZone);
