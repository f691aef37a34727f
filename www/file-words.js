/**
 * What pictures say of themselves, and sidecars beside them: read one after the other once they have their tags, so that nobody waits
 * for it. It is kept apart from what people say here, which counts for more, and from what models find. What people have said here and
 * saved in a picture comes back with it: which tags it surely has, which it has not, and a caption of their own.
 *
 * @typedef {import('./pictures.js').Picture} Picture
 * @typedef {import('./files/filed.js').Filed} Filed
 * @typedef {import('./corrections.js').Said} Said
 * @typedef {import('./session.js').Candidate} Candidate
 *
 * @typedef {object} Sidecar
 * @property {Blob} sidecar
 * @property {boolean} isExact whether it is called as the one that is saved here, and so is what that takes the place of
 * @property {string} [lies] where it lies, if it came with its folder
 *
 * @typedef {object} News what a sidecar says that was not known yet
 * @property {readonly string[]} confirmed tags that people have confirmed in it
 * @property {readonly string[]} withdrawn tags that they had confirmed in it, and that another program has taken out since
 * @property {string | null} replaced a caption of theirs that another program has replaced since
 */

import { embeddedIn, toldBy } from './files/embedded.js';
import { beyond, changedSince, combined } from './files/filed.js';
import { leafOf } from './labels.js';

/** @type {readonly string[]} */
const NONE = [];

/** Dispatches `change` when something was found. */
export class FileWords extends EventTarget {
  /** The label of what is called so. @type {(name: string) => string} */
  labelOf = String;
  /** @type {WeakMap<Picture, Filed>} */
  #filed = new WeakMap();
  /**
   * What of that is in the picture; in both, as it was kept; in a sidecar of Adobe's name; and in one that is called as those that are
   * saved here.
   * @type {WeakMap<Picture, Partial<Record<'within' | 'kept' | 'beside' | 'exact', Filed | undefined>>>}
   */
  #parts = new WeakMap();
  /** Files that were read. @type {WeakSet<Blob>} */
  #read = new WeakSet();
  /** Pictures whose files are to be read, in the order in which they came. @type {Set<Picture>} */
  #waiting = new Set();
  #reading = false;
  /** Whether nothing is being read any more. @type {Promise<void>} */
  settled = Promise.resolve();
  /** @type {WeakMap<Filed, Candidate[]>} */
  #captions = new WeakMap();
  /** @type {WeakMap<Picture, Sidecar>} */
  #sidecars = new WeakMap();
  /** The XMP packets in pictures. @type {WeakMap<Picture, Blob>} */
  #packets = new WeakMap();

  /** @param {Picture} picture @returns {Filed | undefined} */
  of(picture) {
    return this.#filed.get(picture);
  }

  /** The keywords of a picture's file that nobody has taken away. @param {Picture} picture @param {Said | undefined} said */
  tagsOf(picture, said) {
    const filed = this.of(picture)?.tags ?? NONE;
    return said?.gone.some((label) => filed.includes(label))
      ? filed.filter((label) => !said.gone.includes(label))
      : filed;
  }

  /** The tags that a picture has not, as people say here or have said in its file. @param {Picture} picture @param {Said | undefined} said */
  goneOf(picture, said) {
    const filed = this.of(picture)?.gone ?? NONE;
    const [own, gone] = [said?.own ?? NONE, said?.gone ?? NONE];
    return filed.length === 0
      ? gone
      : [...new Set([...gone, ...filed.filter((label) => !own.includes(label))])];
  }

  /**
   * The caption that somebody has given a picture and saved in its file, unless they say something else here.
   * @param {Picture} picture
   * @param {Said | undefined} said
   * @returns {Candidate[] | null} the same as long as it is
   */
  captionsOf(picture, said) {
    const filed = this.of(picture);
    if (!filed?.captionIsOwn || typeof said?.caption === 'string') return null;
    const captions = this.#captions.get(filed) ?? [{ caption: filed.caption }];
    this.#captions.set(filed, captions);
    return captions;
  }

  /** How a tag is spelled in a picture's file, where that is not how it is called here. @param {Picture} picture @param {string} label */
  spellingOf(picture, label) {
    return this.of(picture)?.spelled?.get(label);
  }

  /** What the keywords of a picture's file are below, by their labels. @param {Picture} picture @returns {ReadonlyMap<string, string>} */
  pathsOf(picture) {
    const paths = this.of(picture)?.paths ?? NONE;
    return new Map(paths.map((path) => [this.labelOf(leafOf(path)), path]));
  }

  /** @param {Picture} picture @param {Filed} filed as it was read on an earlier visit */
  put(picture, filed) {
    const isKnown = isSame(filed, this.of(picture));
    this.#filed.set(picture, filed);
    // As it was written it comes back, and what it is made of stays known.
    if (!isKnown) this.#parts.set(picture, { [this.sidecarOf(picture) ? 'kept' : 'within']: filed });
  }

  /** Takes up what was read on an earlier visit, or in another tab. @param {Picture} picture @param {Partial<Pick<Sidecar, 'sidecar' | 'lies'> & { filed: Filed, packet: Blob }>} known */
  restore(picture, { filed, sidecar, lies, packet }) {
    // Whatever is read now is newer.
    if (sidecar && sidecar !== this.sidecarOf(picture)) {
      this.#sidecars.set(picture, { sidecar, isExact: false, lies });
    }
    if (packet) this.#packets.set(picture, packet);
    if (filed) this.put(picture, filed);
  }

  /**
   * What a sidecar says of its picture, until it is read again.
   * @param {Picture} picture
   * @param {Filed} filed
   * @param {object} how
   * @param {boolean} how.isExact whether it is called as the one that is saved here, which counts for more
   * @param {Filed | undefined} [how.before] what a sidecar said when it was read or written last
   * @param {boolean} [how.isSame] whether that was the same sidecar
   * @returns {News | null} null where all was known
   */
  hear(picture, filed, { isExact, before, isSame: isSameSidecar = false }) {
    const known = this.of(picture);
    const earlier = before && this.#labelled(before);
    const now = this.#labelled(filed);
    const labelled = earlier && isSameSidecar ? changedSince(now, earlier, known) : now;
    const kept = this.#parts.get(picture)?.kept;
    this.#change(picture, {
      ...(kept && earlier && { kept: beyond(kept, earlier) }),
      ...(isExact ? { exact: labelled } : { beside: labelled }),
    });
    if (isSame(known, this.of(picture))) return null;
    const confirmed = (labelled.own ?? NONE).filter((label) => !known?.own?.includes(label));
    if (!earlier || !isSameSidecar) return { confirmed, withdrawn: NONE, replaced: null };
    const isReplaced = earlier.captionIsOwn && earlier.caption !== labelled.caption;
    return {
      confirmed,
      withdrawn: (earlier.own ?? NONE).filter((label) => labelled.gone?.includes(label)),
      replaced: isReplaced ? earlier.caption : null,
    };
  }

  /** Tells of what was heard. */
  heard() {
    this.dispatchEvent(new Event('change'));
  }

  /** @param {Picture} picture @param {Partial<Record<'within' | 'kept' | 'beside' | 'exact', Filed | undefined>>} part that is read anew */
  #change(picture, part) {
    const parts = { ...this.#parts.get(picture), ...part };
    this.#parts.set(picture, parts);
    const { within, kept, beside, exact } = parts;
    const whole = [kept, beside, exact].reduce(combined, within);
    if (isSame(whole, this.of(picture))) return;
    if (whole) this.#filed.set(picture, whole);
    else this.#filed.delete(picture);
  }

  /** @param {Picture} picture @param {Sidecar} sidecar that lies beside it, as it was read or written */
  putSidecar(picture, sidecar) {
    if (sidecar.isExact || !this.#sidecars.get(picture)?.isExact) this.#sidecars.set(picture, sidecar);
  }

  /** Where the sidecar of a picture lay, that came with its folder. @param {Picture} picture */
  placeOfSidecar(picture) {
    return this.#sidecars.get(picture)?.lies;
  }

  /** A sidecar that is there no more says nothing any more. @param {readonly Picture[]} pictures whose it was */
  async lose(pictures) {
    for (const picture of pictures) {
      const gone = this.sidecarOf(picture);
      const told = gone && (await toldBy(gone));
      // Another one may have come meanwhile.
      if (!gone || gone !== this.sidecarOf(picture)) continue;
      this.#sidecars.delete(picture);
      const { within, kept } = this.#parts.get(picture) ?? {};
      const left = kept && told && beyond(kept, this.#labelled(told));
      this.#change(picture, { within: within ?? left, kept: undefined, beside: undefined, exact: undefined });
    }
    this.heard();
  }

  /** The XMP packet in a picture's file, as it was when that was read. @param {Picture} picture @returns {Blob | undefined} */
  packetOf(picture) {
    return this.#packets.get(picture);
  }

  /** @param {Picture} picture @param {string | null} packet @returns {Promise<boolean>} whether it is another than before */
  async #putPacket(picture, packet) {
    // What is kept may have gone from under the page.
    const before =
      (await this.#packets
        .get(picture)
        ?.text()
        .catch(() => null)) ?? null;
    if (before === packet) return false;
    if (packet === null) this.#packets.delete(picture);
    else this.#packets.set(picture, new Blob([packet]));
    return true;
  }

  /** @param {Picture} picture @returns {Blob | undefined} what lies beside it, if that was read */
  sidecarOf(picture) {
    return this.#sidecars.get(picture)?.sidecar;
  }

  /** Whether a picture's file was looked at. @param {Picture} picture */
  hasRead({ file }) {
    return this.#read.has(file);
  }

  /**
   * Reads what was not read yet.
   * @param {readonly Picture[]} pictures whose files are here, and have been looked at by the tagger
   * @returns {Promise<ReadonlyMap<Picture, readonly string[]>>} tags that people have confirmed in the files, where that was not known yet:
   *   what they say of these here later counts for more
   */
  async read(pictures) {
    /** @type {Map<Picture, readonly string[]>} */
    const confirmed = new Map();
    for (const picture of pictures) this.#waiting.add(picture);
    if (this.#reading || pictures.length === 0) return confirmed;
    this.#reading = true;
    /** @type {() => void} */
    let settle = () => {};
    this.settled = new Promise((resolve) => (settle = resolve));
    let found = false;
    // Those that come meanwhile are read as well.
    for (const picture of this.#waiting) {
      this.#waiting.delete(picture);
      if (this.#read.has(picture.file)) continue;
      this.#read.add(picture.file);
      // Of what is damaged nothing is known.
      const embedded = await embeddedIn(picture.file).catch(() => undefined);
      if (embedded === undefined) continue;
      found = (await this.#putPacket(picture, embedded.packet)) || found;
      const { filed } = embedded;
      if (filed === null && !this.of(picture)) continue;
      const before = this.of(picture)?.own ?? NONE;
      const within = filed ? this.#labelled(filed) : undefined;
      const own = (within?.own ?? NONE).filter((label) => !before.includes(label));
      if (own.length > 0) confirmed.set(picture, own);
      this.#change(picture, { within });
      found = true;
    }
    this.#reading = false;
    settle();
    if (found) this.dispatchEvent(new Event('change'));
    return confirmed;
  }

  /** Tags are saved as they are called. @param {Filed} filed @returns {Filed} */
  #labelled({ tags, spelled, own, gone, ...rest }) {
    const labels = (/** @type {readonly string[]} */ names) => [...new Set(names.map(this.labelOf))];
    const words = tags.map((name) => [this.labelOf(name), spelled?.get(name) ?? name]);
    const other = new Map(
      /** @type {[string, string][]} */ (words.filter(([label, word]) => label !== word)),
    );
    return {
      tags: labels(tags),
      ...(other.size > 0 && { spelled: other }),
      ...(own && { own: labels(own) }),
      ...(gone && { gone: labels(gone) }),
      ...rest,
    };
  }
}

/** @param {Filed | undefined} one @param {Filed | undefined} other */
function isSame(one, other) {
  const text = (/** @type {Filed | undefined} */ filed) =>
    filed && JSON.stringify({ ...filed, spelled: [...(filed.spelled ?? [])] });
  return text(one) === text(other);
}
