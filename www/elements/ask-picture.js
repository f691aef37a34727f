/**
 * `<ask-picture>`: what can be asked about one picture: which of several texts fits it, and a question. Folded until
 * somebody wants it. Dispatches `match` with `{ picture, texts }`, `question` with `{ picture, question }`, `unask` with
 * `{ picture, about }` when an answer is no longer waited for, and `need` with the task that a model is wanted for.
 *
 * @typedef {import('ocelli').RankedText} RankedText
 * @typedef {import('../model-queue.js').QueueStatus} QueueStatus
 * @typedef {import('../session.js').Picture} Picture
 */

/**
 * @template Result
 * @typedef {object} Asked
 * @property {import('../model-queue.js').Job<Result> | undefined} job
 * @property {QueueStatus} status of the model that is asked
 * @property {boolean} possible whether there is a model to ask
 */

import { suggestions } from '../model-words.js';
import { bytes, explain, percent } from '../words.js';
import { button, make, mark, tell, write } from './dom.js';
import { scoreLine } from './tag-list.js';

class AskPicture extends HTMLElement {
  #texts = make('textarea', { rows: 3, placeholder: 'a dog on a beach\na cat on a sofa' });
  #match = button('Match', 'button', () => this.#askTexts());
  #matching = new Waiting(() => this.#unask('match'));
  #matches = make('ol', { className: 'matches', 'aria-label': 'Texts, best first' });
  #question = make('input', { type: 'text', autocomplete: 'off', placeholder: 'what colour is the car?' });
  #answerIt = button('Answer', 'button', () => this.#askQuestion());
  #answering = new Waiting(() => this.#unask('answer'));
  #answer = make('p', { className: 'answer', role: 'status' });
  #questionLabel = make('label', {}, 'A question');
  /** @type {RankedText[] | null} */
  #shown = null;
  /** @type {Picture | null} */
  #picture = null;

  /**
   * What there is to see where a model can be asked, and in its place where none can.
   * @type {Record<'match' | 'answer', { fields: HTMLElement[], none: HTMLElement }>}
   */
  #parts = {
    match: { fields: [this.#match], none: noModel('match', 'Matching texts') },
    answer: {
      fields: [this.#questionLabel, this.#question, this.#answerIt],
      none: noModel('answer', 'Answering questions'),
    },
  };

  /** @param {Picture} picture */
  open(picture) {
    this.#picture = picture;
    this.#texts.id = `${picture.id}-texts`;
    this.#question.id = this.#questionLabel.htmlFor = `${picture.id}-question`;
    this.#match.setAttribute('aria-label', `Match texts with ${picture.name}`);
    this.#answerIt.setAttribute('aria-label', `Answer the question about ${picture.name}`);
    this.#texts.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.#askTexts();
    });
    this.#question.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter') this.#askQuestion();
    });
    const textsLabel = make('label', { for: this.#texts.id }, 'Which of these fits? One text on each line');
    const { match, answer } = this.#parts;
    match.fields.push(textsLabel, this.#texts);
    const fields = make(
      'div',
      { className: 'ask-fields' },
      textsLabel,
      this.#texts,
      make('div', { className: 'row' }, this.#match, ...this.#matching.parts),
      match.none,
      this.#matches,
      this.#questionLabel,
      this.#question,
      make('div', { className: 'row' }, this.#answerIt, ...this.#answering.parts),
      answer.none,
      this.#answer,
    );
    this.append(make('details', { className: 'ask' }, make('summary', {}, 'Ask about this picture'), fields));
  }

  /** @param {Asked<RankedText[]>} matches @param {Asked<string>} answers */
  show(matches, answers) {
    for (const [part, { possible }] of /** @type {const} */ ([
      [this.#parts.match, matches],
      [this.#parts.answer, answers],
    ])) {
      for (const field of part.fields) field.hidden = !possible;
      part.none.hidden = possible;
    }
    this.#matching.show(matches, 'Comparing');
    this.#showMatches(matches.job?.result ?? null);
    this.#answering.show(answers, 'Thinking');
    write(this.#answer, answers.job?.result ?? '');
    this.#answer.hidden = this.#answer.textContent === '';
  }

  /** @param {RankedText[] | null} result */
  #showMatches(result) {
    this.#matches.hidden = result === null;
    if (result === this.#shown) return;
    this.#shown = result;
    this.#matches.replaceChildren(
      ...(result ?? []).map(({ text, match }) =>
        // What was not compared closely, as others are much more alike, has no share that could be told.
        scoreLine(text, match === undefined ? 'less alike' : percent(match), match ?? 0, {
          about: 'match',
          text,
        }),
      ),
    );
  }

  #askTexts() {
    const texts = this.#texts.value
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    if (texts.length > 0) tell(this, 'match', { picture: this.#picture, texts });
    else this.#texts.focus();
  }

  #askQuestion() {
    const question = this.#question.value.trim();
    if (question !== '') tell(this, 'question', { picture: this.#picture, question });
    else this.#question.focus();
  }

  /** @param {'match' | 'answer'} about */
  #unask(about) {
    // The button that was pressed goes, and the keyboard must not go with it.
    ({ match: this.#match, answer: this.#answerIt })[about].focus();
    tell(this, 'unask', { picture: this.#picture, about });
  }
}

/** What stands beside a question whose answer is not there yet: how it is going, and a way out. */
class Waiting {
  #line = make('p', { className: 'field-help', role: 'status' });
  #cancel;

  /** @param {() => void} onCancel */
  constructor(onCancel) {
    this.#cancel = button('Cancel', 'button', onCancel, { hidden: true });
  }

  get parts() {
    return [this.#line, this.#cancel];
  }

  /** @param {Asked<unknown>} asked @param {string} busy what the model is doing when it is at it */
  show({ job, status }, busy) {
    write(this.#line, lineOf(job, status, busy));
    mark(this.#line, 'data-error', job?.status === 'failed');
    this.#cancel.hidden = job?.status !== 'running' && job?.status !== 'waiting';
  }
}

/** @param {Asked<unknown>['job']} job @param {QueueStatus} status @param {string} busy */
function lineOf(job, status, busy) {
  if (job?.status === 'failed') return explain(job.error).sentence;
  if (job?.status === 'running') return busy;
  if (job?.status !== 'waiting') return '';
  if (status === 'loading') return 'Waiting for the model';
  return status === 'ready' ? 'Waiting for its turn' : 'The model was not loaded.';
}

/** @param {'match' | 'answer'} task @param {string} what @returns {HTMLElement} the way to a model for it */
function noModel(task, what) {
  const part = make('div', { className: 'row' });
  const [suggested] = suggestions(task);
  const size = suggested ? ` (${bytes(suggested.model.bytes)})` : '';
  const choose = button(`Choose a model${size}`, 'button', () => tell(part, 'need', task));
  choose.setAttribute('aria-label', `Choose a model for ${what.toLowerCase()}${size}`);
  part.append(make('p', { className: 'field-help' }, `${what} needs a model of its own.`), choose);
  return part;
}

customElements.define('ask-picture', AskPicture);
export { AskPicture };
