/** The model that a command line names. */

import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { find } from '../page/catalogue.js';
import { isHubId } from '../page/hub.js';
import { codeOf } from '../shared/errors.js';
import { TASKS } from '../shared/tasks.js';
import { Failure, usage } from './failure.js';
import { COMMANDS } from './help.js';
import { CONFIGS } from './model-folder.js';
import { loadOptions } from './options.js';

/** @typedef {import('../shared/protocol.js').Task} Task */

/**
 * The model and how it is loaded. A folder that is there is meant where its name alone was given, and that of a file of
 * weights where the file was.
 *
 * @param {import('./options.js').Values} values
 * @param {Task} task
 * @param {string} [usual]
 * @returns {{ model: string, load: import('../page/model.js').LoadOptions }}
 */
export function modelOf(values, task, usual = 'ocelli') {
  const model = String(values.model ?? usual);
  const load = loadOptions(values);
  if (isModelFolder(model)) return { model: path.resolve(model), load };
  if (statSync(model, { throwIfNoEntry: false })?.isFile()) {
    const parent = path.dirname(model);
    const folder = [parent, path.dirname(parent)].find(isModelFolder);
    if (folder === undefined) throw usage(`${model} has no config.json beside it: give a model’s folder.`);
    const weights = path.relative(folder, model).split(path.sep).join('/');
    return { model: path.resolve(folder), load: { ...load, weights } };
  }
  refuseOtherTask(model, task);
  return { model, load };
}

/**
 * Has a model loaded. Where the hub is out of reach, the remedies are told.
 *
 * @template M
 * @param {string} model
 * @param {() => Promise<M>} load
 * @returns {Promise<M>}
 */
export async function openModel(model, load) {
  try {
    return await load();
  } catch (error) {
    if (codeOf(error) !== 'network' || !isHubId(model)) throw error;
    const { message } = /** @type {Error} */ (error);
    throw new Failure(`${message} Give a folder with --model, or another hub with --hub-url.`);
  }
}

/** @param {string} folder */
function isModelFolder(folder) {
  return CONFIGS.some((name) => existsSync(path.join(folder, name)));
}

/** A known model would otherwise be refused in the words of the library. @param {string} model @param {Task} task */
function refuseOtherTask(model, task) {
  const known = find(model);
  if (!known || known.tasks.includes(task)) return;
  const commands = known.tasks.filter((one) => Object.hasOwn(COMMANDS, one));
  if (commands.length === 0) {
    const classes = known.tasks.map((one) => TASKS[one].className).join(' and ');
    throw usage(`${model} is a model for the class ${classes}, which has no command.`);
  }
  const list = new Intl.ListFormat('en-GB').format(commands);
  throw usage(`${model} is a model for the command${commands.length > 1 ? 's' : ''} ${list}.`);
}
