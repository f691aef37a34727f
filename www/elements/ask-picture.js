/**
 * `<ask-picture>`: what can be asked about one picture: which of several texts fits it, and a question. Folded until
 * somebody wants it. Dispatches `match` with `{ picture, texts }` and `question` with `{ picture, question }`.
 *
 * @typedef {import('ocelli').RankedText} RankedText
 * @typedef {import('../session.js').Picture} Picture
 */

/**
 * @template Result
 * @typedef {import('../lane.js').Job<Result>} Job
 */

import { explain, percent } from '../words.js';
import { button, make, mark, tell, write } from './dom.js';
import { bar } from './tag-list.js';

class AskPicture extends HTMLElement {
  #texts = make('textarea', { rows: 3, placeholder: 'a dog on a beach\na cat on a sofa' });
  #match = button('Match', 'button', () => this.#askTexts());
  #matches = make('ol', { className: 'matches', 'aria-label': 'Texts, best first' });
  #matchLine = make('p', { className: 'field-help', role: 'status' });
  #question = make('input', { type: 'text', autocomplete: 'off', placeholder: 'what colour is the car?' });
  #answerIt = button('Answer', 'button', () => this.#askQuestion());
  #answer = make('p', { className: 'answer', role: 'status' });
  #questionLabel = make('label', {}, 'A question');
  #noAnswers = make('p', { className: 'field-help' }, 'Questions need a model: choose one under Models.');
  /** @type {RankedText[] | null} */
  #shown = null;
  /** @type {Picture | null} */
  #picture = null;

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
    const fields = make(
      'div',
      { className: 'ask-fields' },
      make('label', { for: this.#texts.id }, 'Which of these fits? One text on each line'),
      this.#texts,
      this.#match,
      this.#matchLine,
      this.#matches,
      this.#questionLabel,
      this.#question,
      this.#answerIt,
      this.#answer,
      this.#noAnswers,
    );
    this.append(make('details', { className: 'ask' }, make('summary', {}, 'Ask about this picture'), fields));
  }

  /**
   * @param {{ job: Job<RankedText[]> | undefined, possible: boolean }} matches
   * @param {{ job: Job<string> | undefined, possible: boolean }} answers
   */
  show(matches, answers) {
    this.#texts.disabled = this.#match.disabled = !matches.possible;
    for (const part of [this.#questionLabel, this.#question, this.#answerIt]) part.hidden = !answers.possible;
    this.#noAnswers.hidden = answers.possible;
    this.#showMatches(matches.job, matches.possible);
    write(this.#answer, lineOf(answers.job, 'Thinking') || (answers.job?.result ?? ''));
    this.#answer.hidden = this.#answer.textContent === '';
    mark(this.#answer, 'data-error', answers.job?.status === 'failed');
  }

  /** @param {Job<RankedText[]> | undefined} job @param {boolean} possible */
  #showMatches(job, possible) {
    write(
      this.#matchLine,
      possible ? lineOf(job, 'Comparing') : 'Matching needs a model: choose one under Models.',
    );
    this.#matchLine.hidden = this.#matchLine.textContent === '';
    mark(this.#matchLine, 'data-error', job?.status === 'failed');
    const result = job?.result ?? null;
    this.#matches.hidden = result === null;
    if (result === this.#shown) return;
    this.#shown = result;
    this.#matches.replaceChildren(
      ...(result ?? []).map(({ text, match, similarity }) => {
        // A text that was not compared closely has its similarity only.
        const score = match ?? similarity;
        const label = make('span', { className: 'tag-label' }, text);
        const share = make(
          'span',
          { className: 'tag-score' },
          match === undefined ? 'less alike' : percent(match),
        );
        return make('li', {}, make('div', { className: 'tag' }, label, share, bar(score)));
      }),
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
}

/** @param {Job<unknown> | undefined} job @param {string} busy @returns {string} what stands where no answer is yet */
function lineOf(job, busy) {
  if (job?.status === 'failed') return explain(job.error).sentence;
  return job?.status === 'running' || job?.status === 'waiting' ? busy : '';
}

customElements.define('ask-picture', AskPicture);
export { AskPicture };
