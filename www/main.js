/**
 * The page's wiring: elements on one side, the session on the other. Elements say what the user did;
 * the session says what changed; nothing else knows of both.
 */

import './style/base.css';
import './style/controls.css';
import './style/layout.css';
import './style/samples.css';
import './style/card.css';
import './style/explain.css';
import './style/grid.css';
import './elements/caption-settings.js';
import './elements/drop-zone.js';
import './elements/kept-pictures.js';
import './elements/label-editor.js';
import './elements/model-status.js';
import './elements/photo-detail.js';
import './elements/photo-grid.js';
import './elements/picture-finder.js';
import './elements/sample-row.js';
import './elements/save-answers.js';
import './elements/stored-models.js';
import './elements/tag-settings.js';
import './elements/work-bar.js';
import { Answerer, Captioner, Classifier, Matcher, Tagger, loadVocabulary, models, templates } from 'ocelli';
import { BUILT_IN_KNOWS } from './about.js';
import { choice } from './elements/model-picker.js';
import { write } from './elements/dom.js';
import { ENOUGH_TO_FIND, Gallery } from './gallery.js';
import { ImageSearch } from './image-search.js';
import { Explainer } from './explain.js';
import { EVERYDAY, TEMPLATE } from './labels.js';
import { keepLibrary } from './library/keeping.js';
import { showLooks } from './explain-controller.js';
import { loadOptions } from './options.js';
import { SAMPLES } from './samples.js';
import { rowsOf, save } from './save.js';
import { Session } from './session.js';
import { count, explain, isAbort, runsOn } from './words.js';

/** @typedef {import('./session.js').Picture} Picture */

/** @param {string} selector @returns {any} an element that index.html is known to contain */
const find = (selector) => document.querySelector(selector);

const page = {
  drop: find('drop-zone'),
  samples: find('sample-row'),
  pictures: find('#pictures'),
  cards: find('#cards'),
  work: find('work-bar'),
  stored: find('stored-models'),
  labels: find('label-editor'),
  tagSettings: find('tag-settings'),
  captionSettings: find('caption-settings'),
  finder: find('picture-finder'),
  saving: find('save-answers'),
  kept: find('kept-pictures'),
  announcer: find('#announcer'),
};

/** @param {'tag' | 'caption'} task */
function builtIn(task) {
  const model = models.list({ task }).find((one) => one.builtIn);
  if (!model) throw new Error(`the package lists no built-in model for the task ${task}`);
  return model;
}

const defaults = { tag: builtIn('tag'), caption: builtIn('caption') };
/** What is asked before anybody says otherwise: the tags of the vocabulary that the model can know. */
const firstQuestion = loadVocabulary()
  .catch(() => null)
  .then((vocabulary) => ({ labels: vocabulary ? null : EVERYDAY, template: TEMPLATE, vocabulary }));
const session = new Session(
  { Tagger, Captioner, Matcher, Answerer, Classifier },
  firstQuestion,
  loadOptions(location.search),
);
const matching = models.list({ task: 'match' }).find((one) => one.builtIn) ?? null;
session.matches.preferred = matching && choice(matching);
const finding = new ImageSearch(session);

const gallery = new Gallery({
  session,
  list: page.cards,
  grid: find('photo-grid'),
  detail: find('photo-detail'),
});

/** @param {string} text said to screen readers, seen by nobody */
function announce(text) {
  write(page.announcer, text);
}

const library = keepLibrary({ session, gallery, line: page.kept, announce });

/**
 * @typedef {object} LaneOnPage
 * @property {import('ocelli').ModelInfo['tasks'][number]} task
 * @property {string} name
 * @property {import('./model-queue.js').ModelQueue<any, any>} queue
 * @property {import('ocelli').ModelInfo | null} builtIn the model that comes with the page
 * @property {string} [none] how it is called to have no model yet; lanes without that are given theirs at once
 */

/** @type {LaneOnPage[]} */
const onPage = [
  { task: 'tag', name: 'Tags', queue: session.tags, builtIn: defaults.tag },
  { task: 'caption', name: 'Captions', queue: session.captions, builtIn: defaults.caption },
  { task: 'classify', name: 'Classes', queue: session.classes, builtIn: null, none: 'None' },
  {
    task: 'match',
    name: 'Matching texts',
    queue: session.matches.queue,
    builtIn: matching,
    none: matching ? 'The built-in one, when texts are matched' : 'None',
  },
  { task: 'answer', name: 'Questions', queue: session.answers.queue, builtIn: null, none: 'None' },
];

const lanes = onPage.map(({ task, name, queue, builtIn, none }) => {
  const notice = find(`#${task}-notice`);
  const picker = find(`#${task}-picker`);
  const fallback = builtIn && choice(builtIn);
  picker.begin(name, models.list({ task }), { none, tokenizer: task !== 'classify' });
  picker.addEventListener('choose', (/** @type {CustomEvent} */ { detail }) => {
    if (detail) void queue.use(detail);
    else queue.leave();
  });
  notice.addEventListener('cancel', () => together(queue).forEach((one) => one.cancel()));
  notice.addEventListener('reload', () =>
    together(queue).forEach((one) => one.model && void one.use(one.model)),
  );
  notice.addEventListener('fallback', () => fallback && void queue.use(fallback));
  return { queue, notice, picker, fallback, atOnce: none === undefined };
});

/**
 * A queue and those that are in the same state with the same model: it is loaded once for all of them, and what is to be
 * said of it is said once.
 * @param {import('./model-queue.js').ModelQueue<any, any>} queue
 */
function together(queue) {
  return session.everyLane.filter(
    ({ model, status }) => model?.id === queue.model?.id && status === queue.status,
  );
}

/** The language that tags are named in, where the vocabulary has names in several. @type {'en' | 'ja'} */
let language = navigator.language.startsWith('ja') ? 'ja' : 'en';
/** The vocabulary that labels come from. @type {import('ocelli').Vocabulary | null} */
let vocabulary = null;
/** How labels are called: another function whenever their names change. @type {(label: string) => string} */
let naming = String;

function rename() {
  const names = vocabulary;
  const spoken = language;
  naming = names ? (label) => names.name(label, spoken) : (label) => label;
  page.tagSettings.show(names !== null, spoken);
  scheduleShow();
}

/** The tagger whose labels are in the editor. @type {Tagger | null} */
let labelled = null;

/** Puts the labels that the page asks of a tagger into the editor, as long as nobody has put others there. */
async function showLabels() {
  const tagger = session.tags.engine;
  if (!tagger || tagger === labelled) return;
  labelled = tagger;
  const { labels, template, judged } = await session.asked(tagger);
  if (judged || template === TEMPLATE) page.labels.begin({ labels, template });
}

/** Asks anew about tags, with what has changed. @param {Partial<import('./session.js').Question>} change */
async function ask(change) {
  session.ask({ ...(await session.question), ...change });
}

/** How the pictures are arranged: not as they came, about to be, and what there is to say of it. */
let arrangement = { arranged: false, busy: false, line: '' };

/**
 * Puts the pictures that fit first.
 * @param {string | Picture} wanted
 * @param {string} done what is said then
 */
async function arrange(wanted, done) {
  arrangement = { ...arrangement, busy: true, line: 'Comparing the pictures' };
  scheduleShow();
  try {
    const order = await finding.find(wanted, (looked, all) => {
      arrangement = { ...arrangement, line: `Comparing the pictures: ${looked} of ${all}` };
      scheduleShow();
    });
    if (order) session.arrange(order);
    arrangement = order
      ? { arranged: true, busy: false, line: done }
      : { ...arrangement, busy: false, line: 'The tagger is not loaded yet.' };
  } catch (error) {
    // Whoever ended it has said what is on the line now.
    if (isAbort(error)) return;
    arrangement = { ...arrangement, busy: false, line: explain(error).sentence };
  }
  show();
  announce(arrangement.line);
  if (typeof wanted !== 'string') gallery.takeFocus(wanted, true);
}

/** Models that the list of what is kept was last made for. */
let inUse = '';

/** Looks anew at what is kept whenever a model has been loaded. */
function showStored() {
  const ready = session.everyLane.map((queue) => (queue.status === 'ready' ? queue.model?.id : '')).join(' ');
  if (ready === inUse) return;
  inUse = ready;
  void refreshStored();
}

async function refreshStored() {
  page.stored.show(await models.stored().catch(() => []));
}

let wasOpen = false;

function show() {
  void showLabels();
  /** What the models above run on: mostly all on the same, which is said once. */
  let said = '';
  for (const { queue, notice, picker, fallback, atOnce } of lanes) {
    const { status, progress, error, model } = queue;
    const title = model?.title ?? 'the model';
    notice.show({
      status,
      title,
      progress,
      error,
      canFallBack: fallback !== null && model?.id !== fallback.id,
      said: together(queue)[0] !== queue && model !== null,
    });
    const runs = queue.runtime ? runsOn(queue.runtime) : '';
    if (model || !atOnce) picker.show(model?.id ?? null, status, runs === said ? '' : runs);
    if (runs !== '') said = runs;
  }
  page.labels.complain(session.tags.status === 'blocked' ? session.tags.error : null);
  const captioner = session.captions.model && models.find(session.captions.model.id);
  page.captionSettings.canMatch(
    session.matches.queue.model !== null || (captioner?.tasks.includes('match') ?? false),
  );
  page.captionSettings.canBegin(!captioner?.builtIn);
  page.finder.show({ worth: session.pictures.length >= ENOUGH_TO_FIND, ...arrangement });
  gallery.show({ naming, language: vocabulary ? language : document.documentElement.lang });
  showStored();
  const tally = session.tally();
  page.work.show(tally, session.tags.progress);
  document.body.toggleAttribute('data-pictures', tally.total > 0);
  document.body.toggleAttribute('data-dense', gallery.isDense);
  const builtInAtWork = lanes.some(({ queue, fallback }) => fallback && queue.model?.id === fallback.id);
  find('#knows').hidden = !builtInAtWork;
  // With pictures, it gives them its place.
  find('#knows-below').hidden = !builtInAtWork || tally.total === 0;
  if (wasOpen && tally.open === 0 && tally.total > 0) announce(`${count(tally.total, 'picture')} done`);
  wasOpen = tally.open > 0;
  library.note();
}

let scheduled = false;

/** Milliseconds between two shows: of a few pictures a frame, of many what eyes can follow. */
const PAUSE = { few: 16, many: 120 };

/** Shows changes now and then: downloads report far more often than eyes can read. */
function scheduleShow() {
  if (scheduled) return;
  scheduled = true;
  setTimeout(
    () => {
      scheduled = false;
      show();
      requestAnimationFrame(keepInView);
    },
    gallery.isDense ? PAUSE.many : PAUSE.few,
  );
}

/** The picture that was brought into view, and how far the page was scrolled then. @type {{ card: Element, y: number } | null} */
let followed = null;

/** Brings the newest picture into view, where its answers are about to appear, unless all of it is there. */
function showNewest() {
  const card = gallery.isDense ? page.pictures : page.cards.firstElementChild;
  const box = card?.getBoundingClientRect();
  if (!box || (box.top >= 0 && box.bottom <= innerHeight)) return;
  // Once the page has stepped back for its first picture.
  requestAnimationFrame(() => requestAnimationFrame(() => follow(card)));
}

/** @param {Element} card */
function follow(card) {
  card.scrollIntoView({ block: 'start' });
  followed = { card, y: scrollY };
}

/** Keeps it there while what stands above it comes and goes, until somebody scrolls. */
function keepInView() {
  if (!followed) return;
  const { card, y } = followed;
  const first = gallery.isDense ? page.pictures : page.cards.firstElementChild;
  if (card !== first || Math.abs(scrollY - y) > 1) followed = null;
  else if (Math.abs(card.getBoundingClientRect().top) > 1) follow(card);
}

session.addEventListener('change', scheduleShow);

for (const source of [page.drop, page.samples]) {
  source.addEventListener('pictures', (/** @type {CustomEvent<File[]>} */ { detail }) => {
    session.add(detail);
    show();
    requestAnimationFrame(showNewest);
    announce(`${count(detail.length, 'picture')} added`);
  });
}
page.samples.addEventListener('missing', () => announce('That picture could not be fetched.'));
page.drop.addEventListener('nothing', () => announce('That held no picture file.'));
page.drop.addEventListener('say', (/** @type {CustomEvent<string>} */ { detail }) => announce(detail));
page.labels.addEventListener('ask', (/** @type {CustomEvent} */ { detail }) => {
  const { labels, template, restored } = detail;
  void ask({ labels: restored && vocabulary ? null : labels, template });
  announce(`${count(labels.length, 'label')} to tag with`);
});
page.tagSettings.addEventListener('settings', (/** @type {CustomEvent} */ { detail }) => {
  /** @type {import('./elements/tag-settings.js').Scoring} */
  const { prompts, ...scoring } = detail;
  const several = { one: null, 7: templates.imagenet7, 80: templates.imagenet80 }[prompts];
  page.labels.silence(several !== null);
  void ask({ ...scoring, templates: several });
});
page.tagSettings.addEventListener('language', (/** @type {CustomEvent<'en' | 'ja'>} */ { detail }) => {
  language = detail;
  rename();
});
page.captionSettings.addEventListener('settings', (/** @type {CustomEvent} */ { detail }) =>
  session.describe(detail),
);
page.stored.addEventListener('forget', async (/** @type {CustomEvent<string>} */ { detail: id }) => {
  await models.remove(id).catch(() => false);
  await refreshStored();
  find('#models-panel summary').focus();
  announce(`${id} is no longer kept`);
});
page.saving.addEventListener('save', async (/** @type {CustomEvent} */ { detail: format }) => {
  const rows = rowsOf(session, { naming, vocabulary });
  const what = count(rows.length, 'picture');
  try {
    if (rows.length > 0) await save(rows, format);
    page.saving.say(rows.length > 0 ? `Saved what is known of ${what}.` : 'Nothing is known yet.');
  } catch (error) {
    page.saving.say(explain(error).sentence);
  }
});
page.work.addEventListener('stop', () => session.stop());
page.work.addEventListener('resume', () => session.resume());
page.pictures.addEventListener('again', (/** @type {CustomEvent<Picture>} */ { detail }) =>
  session.retry(detail),
);
page.pictures.addEventListener('announce', (/** @type {CustomEvent<string>} */ { detail }) =>
  announce(detail),
);
page.pictures.addEventListener('match', (/** @type {CustomEvent} */ { detail: { picture, texts } }) =>
  session.matches.ask(picture, texts),
);
page.pictures.addEventListener('question', (/** @type {CustomEvent} */ { detail: { picture, question } }) =>
  session.answers.ask(picture, question),
);
page.pictures.addEventListener('unask', (/** @type {CustomEvent} */ { detail: { picture, about } }) =>
  (about === 'match' ? session.matches : session.answers).leave(picture),
);
page.pictures.addEventListener('stronger', () => {
  find('#models-panel').open = true;
  find('#tag-picker').takeFocus();
});
page.pictures.addEventListener('need', (/** @type {CustomEvent<'match' | 'answer'>} */ { detail: task }) => {
  for (const panel of ['#models-panel', '#more-models']) find(panel).open = true;
  find(`#${task}-picker`).takeFocus();
});

showLooks(page.pictures, gallery.cards, session, new Explainer(session), announce);

page.pictures.addEventListener('like', (/** @type {CustomEvent<Picture>} */ { detail }) => {
  void arrange(detail, `Ordered by likeness to ${detail.name}`);
});
page.finder.addEventListener('find', (/** @type {CustomEvent<string>} */ { detail }) => {
  void arrange(detail, `Ordered by how well they fit “${detail}”`);
});
page.finder.addEventListener('stop', () => {
  finding.leave();
  arrangement = { ...arrangement, busy: false, line: '' };
  scheduleShow();
});
page.finder.addEventListener('unfind', () => {
  finding.leave();
  arrangement = { arranged: false, busy: false, line: '' };
  session.arrange(null);
  announce('In the order in which they came');
});
page.pictures.addEventListener('discard', (/** @type {CustomEvent<Picture>} */ { detail }) => {
  const others = gallery.remove(detail);
  library.remove(detail);
  show();
  if (!others) find('drop-zone button').focus();
  announce(`${detail.name} removed`);
});

// A wide window has room for what is asked; on a phone it would push the pictures out of sight.
if (matchMedia('(min-width: 60rem)').matches) {
  for (const panel of document.querySelectorAll('details[data-first]')) panel.toggleAttribute('open', true);
}
for (const place of ['#knows', '#knows-below']) write(find(place), BUILT_IN_KNOWS);
page.samples.begin(SAMPLES);
void firstQuestion.then((first) => {
  vocabulary = first.vocabulary;
  rename();
});
show();
void library.open().finally(() => {
  for (const { queue, fallback, atOnce } of lanes) {
    // What is known from an earlier visit is known before the models ask.
    if (atOnce && fallback && !queue.model) void queue.use(fallback);
  }
});
