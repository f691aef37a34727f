/**
 * Files as zip archives, of which no more is in memory than one file. What is more than an archive can hold goes into another.
 */

/** Files and bytes of an archive: some less than its form can count. */
const MOST_FILES = 60_000;
const MOST_BYTES = 2_000_000_000;

/**
 * @param {AsyncIterable<{ name: string, blob: Blob }>} files
 * @param {{ name: string, packs: boolean }} how `name`: without its ending; `packs`: whether packing makes the files smaller
 * @returns {AsyncGenerator<{ name: string, blob: Blob }>}
 */
export async function* archivesOf(files, { name, packs }) {
  // In this thread: the library's workers are made of text, which the page's policy forbids.
  const { Zip, ZipDeflate } = await import('fflate');
  /** @type {Archive | null} */
  let archive = null;
  let number = 0;
  const ended = (/** @type {Archive} */ one) => ({
    name: number === 1 ? `${name}.zip` : `${name}-${number}.zip`,
    blob: one.end(),
  });
  for await (const file of files) {
    if (archive && (archive.files >= MOST_FILES || archive.bytes + file.blob.size > MOST_BYTES)) {
      yield ended(archive);
      archive = null;
    }
    if (!archive) number += 1;
    archive ??= new Archive(new Zip());
    // Stored, but said to be packed: not every program reads what is stored and has its length behind it.
    const entry = new ZipDeflate(file.name, { level: packs ? 1 : 0 });
    archive.add(entry, new Uint8Array(await file.blob.arrayBuffer()));
  }
  if (archive) yield ended(archive);
}

class Archive {
  files = 0;
  bytes = 0;
  /** @type {Blob[]} */
  #parts = [];
  /** @type {BlobPart[]} */
  #fresh = [];
  #zip;

  /** @param {import('fflate').Zip} zip */
  constructor(zip) {
    this.#zip = zip;
    zip.ondata = (error, piece) => {
      if (error) throw error;
      this.#fresh.push(piece);
      this.bytes += piece.length;
    };
  }

  /** @param {import('fflate').ZipDeflate} entry @param {Uint8Array} bytes */
  add(entry, bytes) {
    this.#zip.add(entry);
    entry.push(bytes, true);
    this.files += 1;
    this.#settle();
  }

  /** @returns {Blob} */
  end() {
    this.#zip.end();
    this.#settle();
    return new Blob(this.#parts, { type: 'application/zip' });
  }

  /** Gives the browser what has come, to keep wherever it has room. */
  #settle() {
    this.#parts.push(new Blob(this.#fresh));
    this.#fresh = [];
  }
}
