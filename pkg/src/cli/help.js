/** What each command is, what it takes, and how it is used: the table that the command line is read and explained by. */

import { LIBRARY } from './help/library.js';
import { OTHERS } from './help/others.js';
import { OVER_PICTURES } from './help/pictures.js';

/** @typedef {import('./help/options.js').Command} Command */

const { tag, caption, interrogate, embed, classify } = OVER_PICTURES;
const { index, search, teach } = LIBRARY;

/** In the order in which they are listed. @type {Readonly<Record<string, Command>>} */
export const COMMANDS = { tag, caption, interrogate, embed, index, search, classify, teach, ...OTHERS };

/** @type {Readonly<Record<string, string>>} */
export const EXIT_CODES = {
  0: 'done',
  1: 'some pictures could not be read',
  2: 'wrong command line',
  3: 'failed',
  130: 'stopped',
};

/** @type {Readonly<Record<string, string>>} */
export const ENVIRONMENT = {
  OCELLI_CACHE: 'where models of the hub are kept, by default in the user’s cache',
};

/** The text of `ocelli --help`. @param {string} version */
export function overview(version) {
  const names = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`);
  return `ocelli ${version}: tags and captions for pictures, computed on this machine

Usage: ocelli COMMAND [options] ...

Commands:
${names.join('\n')}

\`ocelli COMMAND --help\` explains each; \`ocelli --version\` names the version.
The built-in model comes with the package: nothing is downloaded for it, and no picture leaves this machine.

Environment:
${Object.entries(ENVIRONMENT)
  .map(([name, meaning]) => `  ${name}  ${meaning}`)
  .join('\n')}

Exit codes: ${Object.entries(EXIT_CODES)
    .map(([code, meaning]) => `${code} ${meaning}`)
    .join('; ')}.
`;
}

/** The text of `ocelli COMMAND --help`. @param {string} name */
export function explain(name) {
  const command = COMMANDS[name];
  if (!command) return '';
  const lines = Object.entries(command.options).map(([option, { short, value, help }]) => {
    const names = `${short ? `-${short}, ` : '    '}--${option}${value ? ` ${value}` : ''}`;
    return `  ${names.padEnd(24)} ${help}`;
  });
  return `Usage: ${command.usage}

${command.about}

Options:
${lines.join('\n')}

Examples:
${command.examples.map((example) => `  ${example}`).join('\n')}
`;
}
