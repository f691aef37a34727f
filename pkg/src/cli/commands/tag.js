/** `ocelli tag`. */

import { Tagger } from '../../page/tagger.js';
import { Teacher } from '../../page/teacher.js';
import { everydayTags } from '../everyday.js';
import { usage } from '../failure.js';
import { readLabels } from '../labels.js';
import { modelOf, openModel } from '../model.js';
import { countOf, shareOf } from '../options.js';
import { overPictures } from '../over-pictures.js';
import { listOfScores, roundedScore } from '../results.js';
import { readText } from '../text-files.js';

/** Among labels of one's own the least likely are no keywords; the everyday things have a threshold of their own. */
const KEYWORD = 0.2;

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function tag(values, names) {
  const { template } = values;
  const { model, load } = modelOf(values, 'tag');
  const top = countOf(values, 'top', 5);
  const threshold = shareOf(values, 'threshold');
  if (values.labels === '-' && names.includes('-')) {
    throw usage('Standard input is either the labels or the pictures.');
  }
  const labels = values.labels === undefined ? null : await readLabels(String(values.labels));
  const taught = values.teacher === undefined ? null : await readTeacher(String(values.teacher));
  const keyword = threshold ?? (labels || taught ? KEYWORD : 0);
  return overPictures(values, names, {
    shape: listOfScores('tags'),
    settings: ['tag', model, load, labels, template, top, threshold, ...(taught === null ? [] : [taught])],
    async open(onProgress) {
      const tagger = await openModel(model, () => Tagger.load(model, { ...load, onProgress }));
      const teacher = taught === null ? null : Teacher.load(taught, tagger);
      if (teacher?.labels.length === 1 && !labels) {
        throw usage('The teacher has one label, and nothing to tell it from: give others with --labels.');
      }
      const everyday = labels || teacher ? null : await everydayTags(tagger);
      return { tagger, teacher, everyday, dispose: () => tagger.dispose() };
    },
    async ask({ tagger, teacher, everyday }, bytes, signal) {
      const options = {
        topK: top,
        signal,
        ...(threshold !== undefined && { threshold }),
        ...(template !== undefined && { template: String(template) }),
        ...(teacher && { teacher }),
      };
      const own = labels ?? teacher?.labels ?? [];
      const tags = await (everyday ? everyday.tag(bytes, options) : tagger.tag(bytes, own, options));
      return { tags: tags.map(roundedScore) };
    },
    sidecar: values.xmp ? (answer) => ({ subjects: keywords(answer, keyword) }) : null,
  });
}

/** @param {string} file that `ocelli teach` wrote */
async function readTeacher(file) {
  const text = file === '-' ? null : await readText(file);
  if (text === null) throw usage(`There is no file ${file} that was taught.`);
  return text;
}

/** @param {{ tags: { label: string, score: number }[] }} answer @param {number} threshold */
function keywords({ tags }, threshold) {
  return tags.filter(({ score }) => score >= threshold).map(({ label }) => label);
}
