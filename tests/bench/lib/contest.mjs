// Contestants in workers of one page, asked one at a time.

import { Failure } from '../../../scripts/lib/run.mjs';

/**
 * @typedef {(name: string, verb: string, given?: object) => Promise<{ ms: number, answer: any }>} Ask `name` is that of
 *   a script in contestants/, and whatever tells one worker from another
 * @typedef {[row: string, worker: string, verb: string, given: object]} Contestant
 */

/** The times of a run, by row, in milliseconds. */
export class Contest {
  /** @type {Map<string, number[]>} */
  times = new Map();

  /** @param {import('playwright-core').Page} page */
  constructor(page) {
    this.page = page;
  }

  /** Starts the contestant where it is not there yet, and asks it. @type {Ask} */
  async ask(name, verb, given) {
    const reply = await this.page.evaluate(
      ({ name, verb, given }) => {
        const workers = (globalThis.contestants ??= {});
        const script = name.split(' ')[0];
        workers[name] ??= new Worker(`/${script}.js`, { type: 'module' });
        return new Promise((resolve) => {
          workers[name].onmessage = ({ data }) => resolve(data);
          workers[name].onerror = (event) =>
            resolve({ error: event.message || 'the script could not be loaded' });
          if (verb !== 'end') return workers[name].postMessage({ verb, given });
          workers[name].terminate();
          delete workers[name];
          resolve({ ms: 0 });
        });
      },
      { name, verb, given },
    );
    if (reply.error) throw new Failure(`${name}: ${reply.error}`);
    return reply;
  }

  /** Asks, and notes the time. @param {Contestant} contestant */
  async time([row, worker, verb, given]) {
    const { ms, answer } = await this.ask(worker, verb, given);
    this.times.set(row, [...(this.times.get(row) ?? []), ms]);
    return answer;
  }

  /**
   * Asks each contestant once a round; the first round only warms up.
   * @param {Contestant[]} contestants
   * @param {number} count
   * @returns {Promise<Record<string, any>>} the last answer of each row
   */
  async rounds(contestants, count) {
    /** @type {Record<string, any>} */
    const answers = {};
    for (const [, worker, verb, given] of contestants) await this.ask(worker, verb, given);
    for (let round = 0; round < count; round++) {
      for (const contestant of contestants) answers[contestant[0]] = await this.time(contestant);
    }
    return answers;
  }

  /** @param {string[]} names */
  async end(...names) {
    for (const name of names) await this.ask(name, 'end');
  }
}

/** @param {number[]} a @param {number[]} b */
export function cosine(a, b) {
  const dot = (/** @type {number[]} */ x, /** @type {number[]} */ y) =>
    x.reduce((sum, v, i) => sum + v * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
