// What the browser keeps of pictures, in memory: several tabs can have one shelf.

import { joinedWords } from '../../../www/joining.js';
import { Tabs } from '../../../www/library/tabs.js';

/** What is kept, whoever looks. */
export class Shelf {
  /** @type {Map<string, any>} */
  pictures = new Map();
  /** @type {any} */
  probe = null;
  /** @type {any} */
  words = { names: new Map(), taught: [] };
  /** @type {Map<string, any>} */
  removals = new Map();
  /** @type {readonly any[]} */
  folders = [];
  /** Each write of pictures, by their keys. @type {string[][]} */
  writes = [];
}

/** Stands in for `LibraryStore`: each call is done at once, as a transaction is. */
export class FakeStore {
  tabs = new Tabs();

  /** @param {Shelf} shelf */
  constructor(shelf) {
    this.shelf = shelf;
  }

  all = async () => [...this.shelf.pictures.values()].map(copied);
  some = async (keys) => keys.flatMap((key) => this.#at(key));
  probe = async () => this.shelf.probe;
  words = async () => this.shelf.words;
  removals = async () => structuredClone([...this.shelf.removals.values()]);

  folders = async () => this.shelf.folders.map((one) => ({ ...one }));

  async putFolders(folders) {
    this.shelf.folders = folders;
    this.tabs.tell({ what: 'folders' });
  }

  async putWords(words, before) {
    this.shelf.words = joinedWords(before, words, this.shelf.words);
    this.tabs.tell({ what: 'words' });
    return this.shelf.words;
  }

  async putRemovals(removals) {
    for (const one of removals) this.shelf.removals.set(one.path, structuredClone(one));
    this.tabs.tell({ what: 'removals' });
  }

  async dropRemovals(paths) {
    for (const path of paths) this.shelf.removals.delete(path);
    this.tabs.tell({ what: 'removals' });
  }

  async put(fresh, probe, { isFirst }) {
    if (!isFirst && this.shelf.probe === null) return null;
    const written = fresh.map(({ entry, before = entry.key, isSaid, join }, i) => {
      const there = [...new Set([before, entry.key])].flatMap((key) => this.#at(key));
      if (fresh[i].before !== undefined && there.length === 0 && !isSaid) return null;
      const whole = there.reduce((mine, other) => join(mine, other), entry);
      this.shelf.pictures.delete(before);
      this.shelf.pictures.set(whole.key, copied(whole));
      return whole;
    });
    this.shelf.probe = probe ?? this.shelf.probe;
    this.#told(fresh);
    return written;
  }

  async putAtOnce(fresh, probe, words) {
    for (const { entry, before } of fresh) {
      this.shelf.pictures.delete(before);
      this.shelf.pictures.set(entry.key, copied(entry));
    }
    this.shelf.probe = probe ?? this.shelf.probe;
    this.shelf.words = words;
    this.#told(fresh);
    this.tabs.tell({ what: 'words' });
  }

  async remove(keys) {
    for (const key of keys) this.shelf.pictures.delete(key);
    this.tabs.tell({ what: 'removed', keys });
  }

  async clear() {
    Object.assign(this.shelf, new Shelf());
    this.tabs.tell({ what: 'forgotten' });
  }

  #at(key) {
    const entry = this.shelf.pictures.get(key);
    return entry ? [copied(entry)] : [];
  }

  #told(fresh) {
    this.shelf.writes.push(fresh.map(({ entry }) => entry.key));
    const moved = fresh.filter(({ entry, before = entry.key }) => before !== entry.key);
    this.tabs.tell({
      what: 'pictures',
      keys: fresh.map(({ entry }) => entry.key),
      moved: new Map(moved.map(({ entry, before }) => [entry.key, before])),
    });
  }
}

/** Whoever reads an entry has it for themselves. */
const copied = (entry) => ({ ...entry, ...(entry.said && { said: structuredClone(entry.said) }) });
