/** The command line, read. */

import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { nearest } from '../shared/nearest.js';
import { usage } from './failure.js';
import { COMMANDS } from './help.js';

/**
 * @typedef {Record<string, string | boolean | undefined>} Values
 *
 * @param {string} name of a command
 * @param {string[]} args
 * @returns {{ values: Values, names: string[] }}
 */
export function readOptions(name, args) {
  const { options } = /** @type {import('./help.js').Command} */ (COMMANDS[name]);
  const known = Object.fromEntries(
    Object.entries(options).map(([option, { type, short }]) => [option, { type, ...(short && { short }) }]),
  );
  try {
    const { values, positionals } = parseArgs({ args, options: known, allowPositionals: true });
    return { values: /** @type {Values} */ (values), names: positionals };
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    const [, given = ''] = /'(-[^' ]*)/.exec(message) ?? [];
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw unknownOption(given, args, Object.keys(options));
    const [, option] = /'(?:-\w, )?(--[\w-]+)/.exec(message) ?? [];
    if (!option) throw usage(message.split('\n')[0] ?? message);
    const value = options[option.slice(2)]?.value;
    throw usage(value ? `${option} wants a value: ${option} ${value}.` : `${option} takes no value.`);
  }
}

/** @param {string} given @param {string[]} args @param {string[]} options */
function unknownOption(given, args, options) {
  // Of `-dash.jpg` only the first letter is told.
  const file = args.find((arg) => arg.startsWith(given) && existsSync(arg));
  if (file !== undefined) return usage(`There is no option ${given} here; for the file, give ./${file}`);
  const name = given.replace(/^-+/, '');
  const meant =
    nearest(name, options) ??
    options.find((one) => name.length > 1 && (one.startsWith(name) || name.startsWith(one)));
  return usage(`There is no option ${given} here${meant ? `; did you mean --${meant}?` : '.'}`);
}

/**
 * A whole number of an option.
 *
 * @param {Values} values @param {string} name @param {number} usual
 */
export function countOf(values, name, usual) {
  const given = values[name];
  if (given === undefined) return usual;
  const count = Number(given);
  if (!Number.isSafeInteger(count) || count < 1) throw usage(`--${name} must be a whole number above zero.`);
  return count;
}

/** @param {Values} values @param {string} name */
export function shareOf(values, name) {
  const given = values[name];
  if (given === undefined) return undefined;
  const share = Number(given);
  if (String(given).trim() === '' || !(share >= 0 && share <= 1)) {
    throw usage(`--${name} must be a number from 0 to 1.`);
  }
  return share;
}

/**
 * The options of a load.
 *
 * @param {Values} values
 * @returns {import('../page/model.js').LoadOptions}
 */
export function loadOptions(values) {
  const { dtype, threads, revision } = values;
  const hubUrl = values['hub-url'];
  return {
    ...(dtype !== undefined && { dtype: /** @type {'int8'} */ (dtype) }),
    ...(threads !== undefined && { threads: countOf(values, 'threads', 1) }),
    ...(revision !== undefined && { revision: String(revision) }),
    ...(hubUrl !== undefined && { hubUrl: String(hubUrl) }),
    ...(values['no-cache'] && { cache: false }),
  };
}

/** What an answer depends on besides the picture, in few letters. @param {unknown} all */
export async function settingsOf(all) {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(all)));
  return Buffer.from(bytes).toString('hex').slice(0, 12);
}
