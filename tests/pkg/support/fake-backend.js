/**
 * A storage in memory with the manners of the browser's: what is not committed is nothing, and any step can fail.
 */
export class FakeBackend {
  /** @type {Map<string, { record: any, small: Uint8Array[], weights: Uint8Array[], embeddings?: Uint8Array }>} */
  entries = new Map();
  /** Steps that fail: 'find', 'writer', 'write', 'commit', 'readEmbeddings', 'writeEmbeddings'. */
  failing = new Set();
  abandoned = 0;
  /** How often embeddings were written. */
  written = 0;

  #step(name) {
    if (this.failing.has(name)) throw new DOMException('No room.', 'QuotaExceededError');
  }

  async find(name) {
    this.#step('find');
    const entry = this.entries.get(name);
    if (!entry?.record) return null;
    const { record, small, weights } = entry;
    async function* chunks() {
      yield* weights;
    }
    return { record, small, chunks };
  }

  async writer(name) {
    this.#step('writer');
    const entry = { record: null, small: [], weights: [] };
    this.entries.set(name, entry);
    return {
      write: async (bytes) => {
        this.#step('write');
        entry.weights.push(bytes);
      },
      commit: async (record, small) => {
        this.#step('commit');
        Object.assign(entry, { record, small });
      },
      abandon: async () => {
        this.abandoned += 1;
        this.entries.delete(name);
      },
    };
  }

  async list() {
    return [...this.entries]
      .filter(([, { record }]) => record)
      .map(([name, { record, embeddings }]) => ({ name, record, embeddings: embeddings?.length ?? 0 }));
  }

  async readEmbeddings(name, limit) {
    this.#step('readEmbeddings');
    const { embeddings } = this.entries.get(name) ?? {};
    return embeddings && embeddings.length <= limit ? embeddings : null;
  }

  async writeEmbeddings(name, parts) {
    this.#step('writeEmbeddings');
    const entry = this.entries.get(name);
    if (!entry?.record) throw new DOMException('Nothing there.', 'NotFoundError');
    this.written += 1;
    entry.embeddings = new Uint8Array(Buffer.concat(parts));
  }

  async remove(name) {
    this.entries.delete(name);
  }
}
