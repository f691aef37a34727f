// Writes the manual page of the command line, from the table that explains it in a shell too.

import { COMMANDS, ENVIRONMENT, EXIT_CODES } from '../pkg/src/cli/help.js';

/**
 * The page in roff, with the macros of man(7).
 *
 * @param {string} version of the package
 */
export function manPage(version) {
  const commands = Object.entries(COMMANDS);
  const lines = [
    `.TH OCELLI 1 "" "ocelli ${roff(version)}" "User Commands"`,
    '.SH NAME',
    roff('ocelli - tags and captions for pictures, computed on this machine'),
    '.SH SYNOPSIS',
    ...commands.flatMap(([, { usage }]) =>
      usage.split('\n').flatMap((line) => [`.B ${roff(line.trim())}`, '.br']),
    ),
    '.SH DESCRIPTION',
    ...paragraphs(
      'The built-in model comes with the package: nothing is downloaded for it, and no picture leaves this machine.',
    ),
    ...commands.flatMap(([name, { about, options, examples }]) => [
      `.SH "OCELLI ${name.toUpperCase()}"`,
      ...paragraphs(about),
      ...Object.entries(options).flatMap(([option, { short, value, help }]) => {
        const names = [...(short ? [`-${short}`] : []), `--${option}`].map((one) => `\\fB${roff(one)}\\fR`);
        return ['.TP', `${names.join(', ')}${value ? ` \\fI${roff(value)}\\fR` : ''}`, roff(help)];
      }),
      '.PP',
      'Examples:',
      ...verbatim(examples),
    ]),
    '.SH "EXIT STATUS"',
    ...Object.entries(EXIT_CODES).flatMap(([code, meaning]) => ['.TP', `\\fB${code}\\fR`, roff(meaning)]),
    '.SH ENVIRONMENT',
    ...Object.entries(ENVIRONMENT).flatMap(([name, meaning]) => ['.TP', `\\fB${name}\\fR`, roff(meaning)]),
  ];
  return `${lines.join('\n')}\n`;
}

/** A text whose empty lines part paragraphs; indented ones stand as they are. @param {string} text */
function paragraphs(text) {
  return text.split(/\n{2,}/).flatMap((part) => {
    const own = part.split('\n');
    return part.startsWith(' ') ? verbatim(own.map((line) => line.trim())) : ['.PP', ...own.map(roff)];
  });
}

/** @param {string[]} lines */
function verbatim(lines) {
  return ['.PP', '.nf', '.RS', ...lines.map(roff), '.RE', '.fi'];
}

/** A line of plain text. @param {string} text */
function roff(text) {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('’', '\\(cq');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
