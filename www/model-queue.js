/**
 * A queue: one model and the pictures that pass through it, one at a time, or a few where that is quick.
 *
 * The page has one for tags and one for captions, and more for what is only computed when asked for; they run side by
 * side. A queue outlives its model: pictures wait in it while a model loads, fails or is exchanged, and answers of an
 * earlier model stay visible (`stale`) until the new ones arrive.
 */

import { isAbort } from './words.js';

/**
 * @typedef {import('ocelli').ProgressEvent} Progress
 * @typedef {import('ocelli').Runtime} Runtime
 * @typedef {import('./session.js').Picture} Picture
 *
 * @typedef {object} ModelChoice
 * @property {string} id what the package loads: a built-in name, `org/name`, or a folder's address
 * @property {string} title how the page calls it
 *
 * @typedef {'waiting' | 'running' | 'done' | 'failed' | 'stopped'} JobStatus
 *
 * @typedef {'empty' | 'loading' | 'ready' | 'failed' | 'cancelled' | 'blocked'} QueueStatus
 */

/**
 * One picture's turn in a queue.
 * @template Result
 * @typedef {object} Job
 * @property {Picture} picture
 * @property {JobStatus} status
 * @property {Result | null} result the latest answer
 * @property {string | null} by the model that gave the result on an earlier visit
 * @property {boolean} stale whether `result` answers an earlier question (other labels, another model)
 * @property {string} partial what has been written so far, while running
 * @property {boolean} [alone] whether it shares no turn, because one that it shared failed
 * @property {unknown} error
 */

/**
 * @template {{ dispose(): void, runtime: Runtime }} Engine
 * @template Result
 * @typedef {object} QueueWork
 * @property {(model: string, options: { signal: AbortSignal, onProgress: (progress: Progress) => void }) => Promise<Engine>} load
 * @property {(engine: Engine, picture: Picture, options: { signal: AbortSignal, onProgress: (progress: Progress) => void, onPiece: (piece: string) => void }) => Promise<Result>} perform
 * @property {(engine: Engine, picture: Picture) => number} [turnSize] how many pictures like this one share a turn at most; 1 by default
 * @property {(engine: Engine, pictures: Picture[], options: { signal: AbortSignal, onProgress: (progress: Progress) => void }) => Promise<Result[]>} [performAll]
 *   of several
 * @property {(error: unknown) => boolean} [final] whether another model or question would fail in the same way
 * @property {(error: unknown) => boolean} [blocks] whether an error concerns every picture alike, so that the others wait
 */

/**
 * Dispatches `change` (a plain Event) whenever anything visible may have changed.
 * @template {{ dispose(): void, runtime: Runtime }} Engine
 * @template Result
 */
export class ModelQueue extends EventTarget {
  /** @type {ModelChoice | null} */
  model = null;
  /** @type {QueueStatus} */
  status = 'empty';
  /** @type {Progress | null} */
  progress = null;
  /** @type {unknown} why the queue is `failed` or `blocked` */
  error = null;
  /** @type {Map<Picture, Job<Result>>} in order of arrival */
  jobs = new Map();

  /** @type {QueueWork<Engine, Result>} */
  #work;
  /** @type {Engine | null} */
  #engine = null;
  /** @type {AbortController | null} of the latest load: it stands for the model also once that is loaded */
  #loading = null;
  /** @type {{ jobs: Job<Result>[], controller: AbortController } | null} the jobs under way */
  #turn = null;
  /** @type {readonly Picture[]} whose turn comes first */
  #preferred = [];
  /** What waited when it was last looked for, and what came since; some of it may wait no longer. @type {Job<Result>[]} */
  #line = [];
  /** How far that has been gone through. */
  #passed = 0;

  /** @param {QueueWork<Engine, Result>} work */
  constructor(work) {
    super();
    this.#work = work;
  }

  /**
   * Loads a model in place of the present one. Every picture gets a new turn.
   * @param {ModelChoice} model
   */
  use(model) {
    return this.#load(model, (job) => !this.#isFinal(job) && job.by !== model.id);
  }

  /** Loads the present model again, to run in another way: what it has answered stands. */
  async reload() {
    if (this.model) await this.#load(this.model, () => false);
  }

  /** @param {ModelChoice} model @param {(job: Job<Result>) => boolean} which jobs get a new turn */
  async #load(model, which) {
    this.#loading?.abort();
    this.#letGo();
    this.#engine?.dispose();
    this.#engine = null;
    this.model = model;
    this.#requeue(which);
    const loading = new AbortController();
    this.#loading = loading;
    this.#become('loading');
    try {
      const engine = await this.#work.load(model.id, {
        signal: loading.signal,
        // Told again, later, when the model's worker failed and is started afresh.
        onProgress: (progress) => this.#loading === loading && this.#report(progress),
      });
      if (this.#loading !== loading) {
        engine.dispose();
        return;
      }
      this.#engine = engine;
      this.#become('ready');
    } catch (error) {
      if (this.#loading !== loading) return;
      this.#become(isAbort(error) ? 'cancelled' : 'failed', error);
    }
    await this.#drain();
  }

  /** The loaded model, for what is asked of it beside the queue. @returns {Engine | null} */
  get engine() {
    return this.#engine;
  }

  /** What the loaded model runs on. @returns {Runtime | null} */
  get runtime() {
    return this.#engine?.runtime ?? null;
  }

  /** Does without a model from now on: its answers go, and pictures wait for another one. */
  leave() {
    this.#loading?.abort();
    this.#loading = null;
    this.#letGo();
    this.#engine?.dispose();
    this.#engine = null;
    this.model = null;
    for (const job of this.jobs.values()) {
      Object.assign(job, { status: 'waiting', result: null, error: null });
    }
    this.#lineUp();
    this.#become('empty');
  }

  /** Cancels the load under way; pictures keep waiting. */
  cancel() {
    if (this.status === 'loading') this.#loading?.abort();
  }

  /**
   * @param {readonly Picture[]} pictures that come behind the others
   * @param {(picture: Picture, index: number) => { by: string, result: Result } | null | undefined} [known] what a model has answered
   *   before, if it has
   */
  add(pictures, known) {
    for (const [i, picture] of pictures.entries()) {
      /** @type {Job<Result>} */
      const job = {
        picture,
        status: 'waiting',
        result: null,
        by: null,
        stale: false,
        partial: '',
        error: null,
      };
      if (known) Object.assign(job, known(picture, i));
      if (job.by !== null && (this.model === null || this.model.id === job.by)) job.status = 'done';
      else job.stale = job.result !== null;
      this.jobs.set(picture, job);
      this.#line.push(job);
    }
    this.#changed();
    void this.#drain();
  }

  /** Whose turn comes before the others', the most urgent first: what somebody looks at. @param {readonly Picture[]} pictures */
  prefer(pictures) {
    this.#preferred = pictures;
  }

  /** @param {readonly Picture[]} pictures */
  remove(...pictures) {
    for (const picture of pictures) {
      const job = this.jobs.get(picture);
      this.jobs.delete(picture);
      if (job && this.#turn?.jobs.includes(job)) this.#letGo();
    }
    this.#changed();
    void this.#drain();
  }

  /** Gives every picture a new turn, because the question has changed. */
  restart() {
    this.#letGo();
    this.#requeue((job) => !this.#isFinal(job));
    if (this.status === 'blocked') this.#become('ready');
    this.#changed();
    void this.#drain();
  }

  /** Stops the work under way and what waits behind it; answers already given stay. */
  stop() {
    this.#letGo();
    for (const job of this.jobs.values()) {
      if (job.status === 'waiting' || job.status === 'running') job.status = 'stopped';
    }
    this.progress = null;
    this.#changed();
  }

  /** Takes stopped pictures up again. */
  resume() {
    this.#requeue((job) => job.status === 'stopped');
    void this.#drain();
  }

  /** @param {Picture} picture tries one picture again after an error or a stop */
  retry(picture) {
    this.#requeue((job) => job.picture === picture && (job.status === 'failed' || job.status === 'stopped'));
    void this.#drain();
  }

  /** Runs waiting pictures one turn after another, until none waits or the queue is no longer ready. */
  async #drain() {
    while (this.status === 'ready' && this.#engine && !this.#turn) {
      const jobs = this.#nextTurn(this.#engine);
      if (jobs.length === 0) return;
      await this.#run(this.#engine, jobs);
    }
  }

  /** What waits longest, and what else shares its turn. @param {Engine} engine */
  #nextTurn(engine) {
    /** @type {Job<Result>[]} */
    const jobs = [];
    let most = Infinity;
    for (let job = this.#nextWaiting(); job && jobs.length < most; job = this.#nextWaiting()) {
      most = Math.min(most, job.alone ? 1 : (this.#work.turnSize?.(engine, job.picture) ?? 1));
      if (jobs.length >= most) break;
      Object.assign(job, { status: 'running', partial: '', error: null });
      jobs.push(job);
    }
    return jobs;
  }

  /** The job whose turn it is; looked for in a time that does not grow with the pictures. */
  #nextWaiting() {
    for (const picture of this.#preferred) {
      const job = this.jobs.get(picture);
      if (job?.status === 'waiting') return job;
    }
    for (; this.#passed < this.#line.length; this.#passed++) {
      const job = this.#line[this.#passed];
      if (job?.status === 'waiting' && this.jobs.get(job.picture) === job) return job;
    }
    return null;
  }

  /** Looks anew for what waits. */
  #lineUp() {
    this.#line = [...this.jobs.values()].filter(({ status }) => status === 'waiting');
    this.#passed = 0;
  }

  /** @param {Engine} engine @param {Job<Result>[]} jobs */
  async #run(engine, jobs) {
    const turn = { jobs, controller: new AbortController() };
    const current = () => this.#turn === turn;
    this.#turn = turn;
    this.#changed();
    try {
      const results = await this.#perform(engine, jobs, turn.controller.signal, current);
      for (const [i, job] of jobs.entries()) {
        if (current()) {
          Object.assign(job, {
            status: 'done',
            result: results[i],
            by: null,
            stale: false,
            partial: '',
            alone: false,
          });
        }
      }
    } catch (error) {
      if (current() && jobs.length > 1 && this.#work.final?.(error)) this.#separate(jobs);
      else if (current()) jobs.forEach((job) => this.#fail(job, error));
    }
    // A turn that was taken away has been dealt with by whoever took it.
    if (!current()) return;
    this.#turn = null;
    this.progress = null;
    this.#changed();
  }

  /**
   * @param {Engine} engine
   * @param {Job<Result>[]} jobs
   * @param {AbortSignal} signal
   * @param {() => boolean} current whether anybody still waits for them
   * @returns {Promise<Result[]>}
   */
  async #perform(engine, jobs, signal, current) {
    const onProgress = (/** @type {Progress} */ progress) => current() && this.#report(progress);
    const [job, ...others] = jobs;
    const pictures = jobs.map(({ picture }) => picture);
    if (!job) return [];
    if (others.length > 0 && this.#work.performAll) {
      return this.#work.performAll(engine, pictures, { signal, onProgress });
    }
    const onPiece = (/** @type {string} */ piece) => {
      if (!current()) return;
      job.partial += piece;
      this.#changed();
    };
    return [await this.#work.perform(engine, job.picture, { signal, onProgress, onPiece })];
  }

  /** Gives each of those that shared a turn one of its own, because one of them fails. @param {Job<Result>[]} jobs */
  #separate(jobs) {
    for (const job of jobs) Object.assign(job, { status: 'waiting', alone: true });
    this.#lineUp();
  }

  /** @param {Job<Result>} job @param {unknown} error */
  #fail(job, error) {
    job.partial = '';
    if (isAbort(error)) {
      job.status = 'stopped';
    } else if (this.#work.blocks?.(error)) {
      job.status = 'waiting';
      this.#passed = 0;
      // A refused question loses nothing: what was answered before stands, and only new pictures wait.
      for (const other of this.jobs.values()) {
        if (other.status === 'waiting' && other.result !== null) other.status = 'done';
      }
      this.#become('blocked', error);
    } else {
      Object.assign(job, { status: 'failed', error });
    }
  }

  /** @param {Job<Result>} job @returns {boolean} whether only its own "try again" starts it anew */
  #isFinal({ status, error }) {
    return status === 'failed' && this.#work.final?.(error) === true;
  }

  /** Takes the turn from the job under way: its outcome no longer counts. */
  #letGo() {
    const turn = this.#turn;
    this.#turn = null;
    this.progress = null;
    turn?.controller.abort();
    for (const job of turn?.jobs ?? []) if (job.status === 'running') job.status = 'waiting';
    this.#passed = 0;
  }

  /** @param {(job: Job<Result>) => boolean} which */
  #requeue(which) {
    for (const job of this.jobs.values()) {
      if (!which(job)) continue;
      Object.assign(job, { status: 'waiting', stale: job.result !== null, partial: '', error: null });
    }
    this.#lineUp();
    this.#changed();
  }

  /** @param {QueueStatus} status @param {unknown} [error] */
  #become(status, error = null) {
    this.status = status;
    this.error = error;
    this.progress = null;
    this.#changed();
  }

  /** @param {Progress} progress */
  #report(progress) {
    this.progress = progress;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
