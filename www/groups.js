/**
 * Groups of things, which grow together as pairs of them are joined (disjoint sets with halved paths: Tarjan and van Leeuwen 1984).
 * @template T
 */
export class Groups {
  /** @type {Map<T, T>} */
  #parents = new Map();

  /** What stands for a thing's group. @param {T} thing @returns {T} */
  #first(thing) {
    let [at, above] = [thing, this.#parents.get(thing) ?? thing];
    while (above !== at) {
      const next = this.#parents.get(above) ?? above;
      this.#parents.set(at, next);
      [at, above] = [above, next];
    }
    return at;
  }

  /** @param {T} one @param {T} other */
  join(one, other) {
    const [first, second] = [this.#first(one), this.#first(other)];
    this.#parents.set(first, first);
    this.#parents.set(second, first);
  }

  /** @param {T} one @param {T} other */
  areJoined(one, other) {
    return this.#first(one) === this.#first(other);
  }

  /** The groups, in the order in which the first of each was joined. @returns {T[][]} */
  all() {
    /** @type {Map<T, T[]>} */
    const groups = new Map();
    for (const thing of this.#parents.keys()) {
      const first = this.#first(thing);
      const group = groups.get(first) ?? [];
      group.push(thing);
      groups.set(first, group);
    }
    return [...groups.values()];
  }
}
