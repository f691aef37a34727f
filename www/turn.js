/** Long work in pieces, between which the page draws, scrolls and hears what is pressed. */

/** Milliseconds of a piece: what takes longer is felt. */
const LIMIT = 30;

export class Turn {
  #begun = performance.now();

  /** Whether it is time for others. */
  get isOver() {
    return performance.now() - this.#begun > LIMIT;
  }

  /** Lets others have theirs. */
  async next() {
    await new Promise((resolve) => setTimeout(resolve));
    this.#begun = performance.now();
  }
}
