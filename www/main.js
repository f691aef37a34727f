/**
 * The page's wiring: elements on one side, the session on the other. Elements say what the user did;
 * the session says what changed; nothing else knows of both.
 */

import './style/base.css';
import './style/app.css';
import './style/controls.css';
import './style/panels.css';
import './style/map.css';
import './style/zoom.css';
import './style/layout.css';
import './style/samples.css';
import './style/card.css';
import './style/explain.css';
import './style/grid.css';
import './style/save.css';
import './style/edit.css';
import './elements/app-update.js';
import './elements/caption-settings.js';
import './elements/compute-device.js';
import './elements/drop-zone.js';
import './elements/encode-prompt.js';
import './elements/kept-pictures.js';
import './elements/label-editor.js';
import './elements/larger-model.js';
import './elements/model-status.js';
import './elements/photo-detail.js';
import './elements/photo-grid.js';
import './elements/picture-filter.js';
import './elements/picture-finder.js';
import './elements/picture-map.js';
import './elements/sample-row.js';
import './elements/save-answers.js';
import './elements/selection-bar.js';
import './elements/stored-models.js';
import './elements/tag-settings.js';
import './elements/undo-line.js';
import './elements/work-bar.js';
import {
  Answerer,
  Captioner,
  Classifier,
  Index,
  Interrogator,
  Matcher,
  Tagger,
  loadVocabulary,
  models,
} from 'ocelli';
import { BUILT_IN_KNOWS } from './about.js';
import { startApp } from './app.js';
import { write } from './elements/dom.js';
import { edit } from './editing.js';
import { encodePrompts } from './encoding.js';
import { ENOUGH_TO_FIND, Gallery } from './gallery.js';
import { ImageSearch } from './image-search.js';
import { Explainer } from './explain.js';
import { ALL, choicesOf, filterOf, isAll } from './filters.js';
import { find as findPictures } from './finding.js';
import { follow } from './following.js';
import { importer } from './importing.js';
import { takeIn } from './intake.js';
import { keptDevice } from './kept-device.js';
import { showLanes } from './lanes.js';
import { Folders } from './library/folders.js';
import { keepLibrary } from './library/keeping.js';
import { Removals } from './library/removals.js';
import { showLooks } from './explain-controller.js';
import { mapPictures } from './mapping.js';
import { offerLarger } from './offering.js';
import { loadOptions } from './options.js';
import { SAMPLES } from './samples.js';
import { askQuestions, firstQuestion } from './questioning.js';
import { partOf } from './save.js';
import { saveFrom } from './saving.js';
import { findPrompts } from './prompting.js';
import { Session } from './session.js';
import { placeSettings } from './settings.js';
import { TagNames } from './tag-names.js';
import { count, stoppedLine } from './words.js';

/** @typedef {import('./session.js').Picture} Picture */

/** @param {string} selector @returns {any} an element that index.html is known to contain */
const find = (selector) => document.querySelector(selector);

const page = {
  drop: find('drop-zone'),
  samples: find('sample-row'),
  pictures: find('#pictures'),
  cards: find('#cards'),
  work: find('work-bar'),
  labels: find('label-editor'),
  tagSettings: find('tag-settings'),
  captionSettings: find('caption-settings'),
  finder: find('picture-finder'),
  filter: find('picture-filter'),
  selection: find('selection-bar'),
  undo: find('undo-line'),
  saving: find('save-answers'),
  kept: find('kept-pictures'),
  announcer: find('#announcer'),
};

/** What is asked before anybody says otherwise. */
const first = loadVocabulary()
  .catch(() => null)
  .then(firstQuestion);
/** How models are loaded. */
const given = { device: keptDevice(), ...loadOptions(location.search) };
const session = new Session({ Tagger, Captioner, Matcher, Answerer, Classifier }, first, given);
const search = new ImageSearch(session, Index);
/** How tags are called. */
const names = new TagNames();
session.fileWords.labelOf = (name) => names.labelOf(name);

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

/** Those that can be opened again. */
const folders = new Folders();
/** Those that are not to come back. */
const removals = new Removals();
const library = keepLibrary({
  session,
  gallery,
  folders,
  removals,
  line: page.kept,
  say: (sentence) => page.drop.say(sentence),
  announce,
  async onForgotten() {
    asking.forget();
    await models.forgetGpus();
    // Nothing of it is left in this window either, which begins at its top.
    scrollTo(0, 0);
    location.reload();
  },
});
const finding = findPictures({
  session,
  search,
  gallery,
  names,
  finder: page.finder,
  filter: page.filter,
  pictures: page.pictures,
  onDuplicates(others) {
    // All were compared: what is selected is to be seen.
    page.filter.leave();
    page.filter.close();
    editing.select(others);
    gallery.takeFocusAnywhere();
  },
  onChange: scheduleShow,
  show,
  announce,
});
const editing = edit({
  session,
  gallery,
  names,
  pictures: page.pictures,
  bar: page.selection,
  line: page.undo,
  select: find('#select'),
  onRemoved(removed) {
    library.remove(removed);
    finding.settle();
  },
  onReturned: (pictures) => library.return(pictures),
  onEmpty: () => find('drop-zone button').focus(),
  onMerged: (from, to) => page.filter.follow(from, to),
});

const asking = askQuestions({
  session,
  labels: page.labels,
  settings: page.tagSettings,
  announce,
});
const lanes = showLanes({ session, find, announce, given });
const offer = offerLarger({
  session,
  line: find('larger-model'),
  onGone: () => gallery.takeFocusAnywhere() || page.pictures.focus(),
});
const settings = placeSettings({
  section: find('#settings'),
  opener: find('#settings-open'),
  pictures: page.pictures,
  find,
  gallery,
});
/** Stays with what has just come in. */
const following = follow(() => (gallery.isDense ? page.pictures : page.cards.firstElementChild));

/** The language that tags are named in, where the vocabulary has names in several. @type {'en' | 'ja'} */
let language = navigator.language.startsWith('ja') ? 'ja' : 'en';
/** The vocabulary that labels come from. @type {import('ocelli').Vocabulary | null} */
let vocabulary = null;
/** How labels are called: another function whenever their names change. @type {(label: string) => string} */
let naming = String;

function rename() {
  names.use({ vocabulary, language, others: session.corrections.names });
  naming = (label) => names.nameOf(label);
  page.tagSettings.show(vocabulary !== null, language);
  scheduleShow();
}

/** Names that the page has last been told of. */
let othersShown = session.corrections.names;
session.corrections.addEventListener('change', () => {
  const { labels, names: others } = session.corrections;
  names.learn(labels);
  if (others !== othersShown) rename();
  othersShown = others;
});

/** Which pictures are shown. @type {import('./filters.js').Chosen} */
let chosen = ALL;

/** Brings the filter in step with what there is, as far as anybody sees it. */
function showFilter() {
  const { pictures } = session;
  const all = isAll(chosen);
  page.filter.tell(pictures.length >= ENOUGH_TO_FIND, all ? null : session.shown.length, naming);
  if (page.filter.open) page.filter.show(choicesOf(session, pictures, chosen), naming);
}

let wasOpen = false;

function show() {
  void asking.show();
  lanes.show();
  page.labels.complain(session.tags.status === 'blocked' ? session.tags.error : null);
  const captioner = session.captions.model && models.find(session.captions.model.id);
  page.captionSettings.canMatch(
    session.matches.queue.model !== null || (captioner?.tasks.includes('match') ?? false),
  );
  page.captionSettings.canBegin(!captioner?.builtIn);
  const comparable = session.pictures.length >= ENOUGH_TO_FIND;
  page.finder.show({ worth: comparable, ...finding.state });
  gallery.show({
    naming,
    language: vocabulary ? language : document.documentElement.lang,
    propose: (typed) => names.propose(typed),
  });
  editing.show();
  showFilter();
  const tally = session.tally();
  offer.show(tally);
  page.saving.offer(partOf(gallery.selected, session));
  page.work.show(tally, session.tags.progress, { comparable, opening: lanes.areOpening });
  document.body.toggleAttribute('data-working', tally.open > 0);
  document.body.toggleAttribute('data-pictures', tally.total > 0);
  document.body.toggleAttribute('data-dense', gallery.isDense);
  settings.show(tally.total > 0, gallery.isMany);
  const { builtInAtWork } = lanes;
  find('#knows').hidden = !builtInAtWork;
  // With pictures, it gives them its place.
  find('#knows-below').hidden = !builtInAtWork || tally.total === 0;
  if (wasOpen && tally.open === 0 && tally.total > 0) {
    announce(stoppedLine(tally) ?? `${count(tally.total, 'picture')} done`);
  }
  wasOpen = tally.open > 0;
  library.note(tally);
  void session.readFiles();
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
      requestAnimationFrame(() => following.keepUp());
    },
    gallery.isDense ? PAUSE.many : PAUSE.few,
  );
}

session.addEventListener('change', scheduleShow);

takeIn({
  session,
  folders,
  removals,
  drop: page.drop,
  samples: page.samples,
  saving: page.saving,
  takeAnswers: importer({ session, names, correct: editing.correctEach, form: () => page.saving.form }),
  announce,
  onAdded() {
    finding.welcome();
    show();
    requestAnimationFrame(() => following.begin());
  },
  onThere(there) {
    if (session.shown.includes(there)) gallery.takeFocusOnPicture(there);
    else gallery.turnTo(there);
  },
});
page.tagSettings.addEventListener('language', (/** @type {CustomEvent<'en' | 'ja'>} */ { detail }) => {
  language = detail;
  rename();
});
page.captionSettings.addEventListener('settings', (/** @type {CustomEvent} */ { detail }) =>
  session.describe(detail),
);
page.work.addEventListener('stop', () => session.stop());
page.work.addEventListener('resume', () => session.resume());
page.work.addEventListener('show-failed', () => page.filter.choose('failed'));
page.filter.addEventListener('again-failed', () => {
  const failed = session.shown;
  page.filter.leave();
  for (const picture of failed) session.retry(picture);
});
page.filter.addEventListener('discard-failed', () => {
  const failed = session.shown;
  page.filter.leave();
  editing.discard(failed);
  gallery.takeFocusAnywhere();
});
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

mapPictures({ session, gallery, map: find('picture-map'), filter: page.filter });
encodePrompts(find('encode-prompt'), given);
findPrompts({ session, gallery, pictures: page.pictures, Interrogator });
showLooks(page.pictures, gallery.cards, session, new Explainer(session), announce);

page.filter.addEventListener('opened', showFilter);
page.filter.addEventListener('size', (/** @type {CustomEvent<number>} */ { detail }) =>
  find('photo-grid').resize(detail),
);
page.filter.addEventListener('filter', (/** @type {CustomEvent} */ { detail }) => {
  chosen = detail;
  session.show(filterOf(session, chosen));
  showFilter();
  announce(isAll(chosen) ? 'All pictures' : count(session.shown.length, 'picture'));
});
page.filter.addEventListener('name', (/** @type {CustomEvent} */ { detail: { label, name } }) =>
  editing.rename(label, name),
);

for (const place of ['#knows', '#knows-below']) write(find(place), BUILT_IN_KNOWS);
page.samples.begin(SAMPLES);
void first.then((question) => {
  vocabulary = question.vocabulary ?? null;
  rename();
});
show();
const app = startApp({
  onUpdate(apply) {
    find('app-update').addEventListener('apply', apply);
    find('app-update').show();
  },
  onFiles: (files) => page.drop.dispatchEvent(new CustomEvent('pictures', { detail: files })),
  isBusy: () => session.pictures.length > 0,
});
// What is known from an earlier visit is known before the models ask.
const begun = Promise.allSettled([library.open(), app]).then(() => lanes.begin());
saveFrom({
  saving: page.saving,
  session,
  folders,
  begun,
  selected: () => [...(gallery.selected ?? [])],
  how: () => ({ naming, vocabulary }),
});
