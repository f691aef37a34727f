/**
 * Options by the names that transformers.js has for them: which are taken, and which are refused because they would change
 * answers without being heeded.
 */

import { wrong } from '../../page/arguments.js';
import { meantInstead } from '../../page/meant-option.js';

/**
 * @typedef {object} NamedOption
 * @property {(value: any) => boolean} valid of any value but `undefined` and `null`, which are as good as nothing
 * @property {string} must what it must be, as it follows its name in a sentence
 * @property {boolean} [unheeded] whether nothing comes of it, and answers are the same with it
 */

/** @type {NamedOption} */
export const FLAG = { valid: (value) => typeof value === 'boolean', must: 'be true or false' };
/** @type {NamedOption} */
export const TEXT = { valid: (value) => typeof value === 'string', must: 'be a string' };
/** @type {NamedOption} */
export const CALLBACK = { valid: (value) => typeof value === 'function', must: 'be a function' };
/** @type {NamedOption} */
export const COUNT = {
  valid: (value) => Number.isSafeInteger(value) && value > 0,
  must: 'be a whole number above zero',
};
/** @type {NamedOption} */
export const WHOLE = {
  valid: (value) => Number.isSafeInteger(value) && value >= 0,
  must: 'be a whole number of at least zero',
};
/** @type {NamedOption} */
export const NUMBER = {
  valid: (value) => Number.isFinite(value) && Number.isFinite(Math.fround(value)),
  must: 'be a number, as far as single precision goes',
};
/** Checked where it is used. @type {NamedOption} */
export const PASSED = { valid: () => true, must: '' };
/** @type {NamedOption} */
export const IGNORED = { ...PASSED, unheeded: true };

/** @param {readonly unknown[]} values @returns {NamedOption} */
export const oneOf = (values) => ({
  valid: (value) => values.includes(value),
  must: `be one of ${values.map((value) => `"${value}"`).join(', ')}`,
});

/**
 * What is refused whatever it is.
 *
 * @param {string} why as it follows its name in a sentence
 * @returns {NamedOption}
 */
export const refused = (why) => ({ valid: () => false, must: why });

/**
 * Options, checked. Those that are `null` are left out, and those that nothing comes of.
 *
 * @param {unknown} options
 * @param {Readonly<Record<string, NamedOption>>} taken
 * @returns {Record<string, any>}
 * @throws {OcelliError} `argument-invalid`
 */
export function readNamed(options, taken) {
  if (typeof options !== 'object' || options === null) throw wrong('The options must be an object.');
  /** @type {Record<string, unknown>} */
  const read = {};
  for (const [name, value] of Object.entries(options)) {
    const option = Object.hasOwn(taken, name) ? taken[name] : undefined;
    if (!option) {
      const names = Object.keys(taken).filter((one) => !taken[one]?.unheeded);
      throw wrong(`There is no option "${name}" here${meantInstead(name, names, [])}`);
    }
    if (value === undefined || value === null) continue;
    if (!option.valid(value)) throw wrong(`The option ${name} must ${option.must}.`);
    if (!option.unheeded) read[name] = value;
  }
  return read;
}
