/** The command line, from its arguments to an exit code. */

import '../node.js';
import { existsSync, readFileSync } from 'node:fs';
import { OcelliError } from '../shared/errors.js';
import { nearest } from '../shared/nearest.js';
import { caption } from './commands/caption.js';
import { classify } from './commands/classify.js';
import { convert } from './commands/convert.js';
import { embed } from './commands/embed.js';
import { encodeText } from './commands/encode-text.js';
import { index } from './commands/index.js';
import { interrogate } from './commands/interrogate.js';
import { search } from './commands/search.js';
import { serve } from './commands/serve.js';
import { tag } from './commands/tag.js';
import { teach } from './commands/teach.js';
import { EXIT, Failure, usage } from './failure.js';
import { COMMANDS, explain, overview } from './help.js';
import { readOptions } from './options.js';
import { tell } from './terminal.js';
import { sentenceOf } from './work.js';

/** @type {Record<string, (values: import('./options.js').Values, names: string[]) => Promise<number>>} */
const RUN = {
  tag,
  caption,
  interrogate,
  embed,
  index,
  search,
  classify,
  teach,
  'encode-text': encodeText,
  convert,
  serve,
};

/** Commands that are not of pictures alone, and say themselves what they miss. */
const OWN_WORDS = ['convert', 'serve', 'encode-text', 'index', 'search', 'teach'];

/** Codes of what the command line itself has wrong. */
const USAGE = [
  'argument-invalid',
  'labels-empty',
  'labels-too-many',
  'label-empty',
  'label-too-long',
  'template-invalid',
];

/** @param {string[]} args @returns {Promise<number>} the exit code */
export async function run(args) {
  // Whoever reads the output may have enough of it.
  process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done);
  });
  try {
    return await dispatch(args);
  } catch (error) {
    const code =
      error instanceof Failure
        ? error.code
        : error instanceof OcelliError && USAGE.includes(error.code)
          ? EXIT.usage
          : EXIT.failed;
    tell(sentenceOf(error));
    const [command] = args;
    const help =
      command !== undefined && Object.hasOwn(COMMANDS, command)
        ? `ocelli ${command} --help`
        : 'ocelli --help';
    if (code === EXIT.usage) process.stderr.write(`\`${help}\` says more.\n`);
    return code;
  }
}

/** @param {string[]} args */
async function dispatch([name, ...rest]) {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(
      rest[0] && Object.hasOwn(COMMANDS, rest[0]) ? explain(rest[0]) : overview(version()),
    );
    return name === undefined ? EXIT.usage : EXIT.done;
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version()}\n`);
    return EXIT.done;
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    throw unknownCommand(name);
  }
  const { values, names } = readOptions(name, rest);
  if (values.help) {
    process.stdout.write(explain(name));
    return EXIT.done;
  }
  const needsPictures = !OWN_WORDS.includes(name) && values.text === undefined;
  if (needsPictures && names.length === 0) throw usage('Which pictures? Give files, folders, a glob or -.');
  return /** @type {(typeof RUN)[string]} */ (RUN[name])(values, names);
}

/** @param {string} name */
function unknownCommand(name) {
  if (existsSync(name)) {
    const file = name.startsWith('-') ? `./${name}` : name;
    return usage(`${name} is no command; did you mean \`ocelli tag ${file}\`?`);
  }
  const meant = nearest(name, Object.keys(COMMANDS));
  return usage(`There is no command ${name}${meant ? `; did you mean ${meant}?` : '.'}`);
}

function version() {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}
