/**
 * The page's wiring: elements on one side, the session on the other. Elements say what the user did;
 * the session says what changed; nothing else knows of both.
 */

import './style/base.css';
import './style/controls.css';
import './style/layout.css';
import './style/card.css';
import './elements/drop-zone.js';
import './elements/label-editor.js';
import './elements/lane-notice.js';
import './elements/stored-models.js';
import './elements/work-bar.js';
import { Captioner, Tagger, models } from 'ocelli';
import { BUILT_IN_KNOWS } from './about.js';
import { choice } from './elements/model-picker.js';
import { PictureCard } from './elements/picture-card.js';
import { write } from './elements/dom.js';
import { TEMPLATE, firstLabels } from './labels.js';
import { loadOptions } from './options.js';
import { Session } from './session.js';
import { count } from './words.js';

/** @typedef {import('./session.js').Picture} Picture */

/** @param {string} selector @returns {any} an element that index.html is known to contain */
const find = (selector) => document.querySelector(selector);

const page = {
  drop: find('drop-zone'),
  cards: find('#cards'),
  work: find('work-bar'),
  stored: find('stored-models'),
  labels: find('label-editor'),
  announcer: find('#announcer'),
};

/** @param {'tag' | 'caption'} task */
function builtIn(task) {
  const model = models.list({ task }).find((one) => one.builtIn);
  if (!model) throw new Error(`the package lists no built-in model for the task ${task}`);
  return model;
}

const defaults = { tag: builtIn('tag'), caption: builtIn('caption') };
const { base: folder = './models/', id } = defaults.tag;
const question = firstLabels(new URL(`${id}/`, new URL(folder, document.baseURI))).then((labels) => ({
  labels,
  template: TEMPLATE,
}));
const session = new Session({ Tagger, Captioner }, question, loadOptions(location.search));

/** @type {Map<Picture, PictureCard>} */
const cards = new Map();

/** @param {string} text said to screen readers, seen by nobody */
function announce(text) {
  write(page.announcer, text);
}

const lanes = [
  { task: /** @type {const} */ ('tag'), name: 'Tags', lane: session.tags },
  { task: /** @type {const} */ ('caption'), name: 'Captions', lane: session.captions },
].map(({ task, name, lane }) => {
  const notice = find(`#${task}-notice`);
  const picker = find(`#${task}-picker`);
  const fallback = choice(defaults[task]);
  picker.begin(name, models.list({ task }));
  picker.addEventListener('choose', (/** @type {CustomEvent} */ { detail }) => void lane.use(detail));
  notice.addEventListener('cancel', () => lane.cancel());
  notice.addEventListener('reload', () => lane.model && void lane.use(lane.model));
  notice.addEventListener('fallback', () => void lane.use(fallback));
  return { lane, notice, picker, fallback };
});

/** Brings the cards on screen in step with the session's pictures. */
function showCards() {
  for (const [picture, card] of cards) {
    if (session.pictures.includes(picture)) continue;
    card.remove();
    cards.delete(picture);
  }
  session.pictures.forEach((picture, index) => {
    const card = cards.get(picture) ?? new PictureCard().open(picture);
    cards.set(picture, card);
    const there = page.cards.children[index] ?? null;
    if (there !== card) page.cards.insertBefore(card, there);
    card.show(session.tags.jobs.get(picture), session.captions.jobs.get(picture));
  });
}

/** Models that the list of what is kept was last made for. */
let inUse = '';

/** Looks anew at what is kept whenever a model has been loaded. */
function showStored() {
  const ready = session.lanes.map((lane) => (lane.status === 'ready' ? lane.model?.id : '')).join(' ');
  if (ready === inUse) return;
  inUse = ready;
  void refreshStored();
}

async function refreshStored() {
  page.stored.show(await models.stored().catch(() => []));
}

let wasOpen = false;

function show() {
  for (const { lane, notice, picker, fallback } of lanes) {
    const { status, progress, error, model } = lane;
    const title = model?.title ?? 'the model';
    notice.show({ status, title, progress, error, canFallBack: model?.id !== fallback.id });
    if (model) picker.show(model.id, status, lane.runtime);
  }
  page.labels.complain(session.tags.status === 'blocked' ? session.tags.error : null);
  showCards();
  showStored();
  const tally = session.tally();
  page.work.show(tally, session.tags.progress);
  document.body.toggleAttribute('data-pictures', tally.total > 0);
  find('#knows').hidden = !lanes.some(({ lane, fallback }) => lane.model?.id === fallback.id);
  if (wasOpen && tally.open === 0 && tally.total > 0) announce(`${count(tally.total, 'picture')} done`);
  wasOpen = tally.open > 0;
}

let scheduled = false;

/** Shows changes once a frame at most: downloads report far more often than eyes can read. */
function scheduleShow() {
  if (scheduled) return;
  scheduled = true;
  setTimeout(() => {
    scheduled = false;
    show();
  }, 16);
}

session.addEventListener('change', scheduleShow);

page.drop.addEventListener('pictures', (/** @type {CustomEvent<File[]>} */ { detail }) => {
  session.add(detail);
  announce(`${count(detail.length, 'picture')} added`);
});
page.drop.addEventListener('nothing', () => announce('That held no picture file.'));
page.labels.addEventListener('ask', (/** @type {CustomEvent} */ { detail }) => {
  session.ask(detail);
  announce(`${count(detail.labels.length, 'label')} to tag with`);
});
page.stored.addEventListener('forget', async (/** @type {CustomEvent<string>} */ { detail: id }) => {
  await models.remove(id).catch(() => false);
  await refreshStored();
  find('#models-panel summary').focus();
  announce(`${id} is no longer kept`);
});
page.work.addEventListener('stop', () => session.stop());
page.work.addEventListener('resume', () => session.resume());
page.cards.addEventListener('again', (/** @type {CustomEvent<Picture>} */ { detail }) =>
  session.retry(detail),
);
page.cards.addEventListener('announce', (/** @type {CustomEvent<string>} */ { detail }) => announce(detail));
page.cards.addEventListener('discard', (/** @type {CustomEvent<Picture>} */ { detail }) => {
  const place = session.pictures.indexOf(detail);
  session.remove(detail);
  show();
  const neighbour = session.pictures[Math.min(place, session.pictures.length - 1)];
  if (neighbour) cards.get(neighbour)?.takeFocus();
  else find('drop-zone button').focus();
  announce(`${detail.name} removed`);
});

// A wide window has room for the settings; on a phone they would push the pictures out of sight.
if (matchMedia('(min-width: 60rem)').matches) {
  for (const panel of document.querySelectorAll('details')) panel.open = true;
}
write(find('#knows'), BUILT_IN_KNOWS);
void question.then((first) => page.labels.begin(first));
show();
for (const { lane, fallback } of lanes) void lane.use(fallback);
