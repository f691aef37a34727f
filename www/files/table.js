/** Tables as RFC 4180 has them: written so that no spreadsheet computes what is in them, and read as spreadsheets leave them. */

/** What a spreadsheet takes for a formula; an apostrophe before it says that it is none. */
const FORMULA = /^'*[=+\-@\t\r]/;
const GUARDED = /^'+[=+\-@\t\r]/;

/** @param {readonly (readonly string[])[]} rows @returns {string} in UTF-8 as spreadsheets know it by its mark */
export function writeTable(rows) {
  return `\ufeff${rows.map((cells) => `${cells.map(cell).join(',')}\r\n`).join('')}`;
}

/** @param {string} text */
function cell(text) {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * @param {string} text
 * @returns {string[][]} its rows, of which none is empty
 */
export function readTable(text) {
  // Where a comma is part of numbers, spreadsheets put something else between cells.
  const between = /[,;\t]/.exec(text.slice(0, text.search(/[\r\n]|$/)))?.[0] ?? ',';
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  let row = [];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  while (at < text.length) {
    const quoted = text[at] === '"';
    const end = quoted ? endOfQuoted(text, at + 1) : at;
    const stop = endOfPlain(text, end, between);
    const inside = quoted ? text.slice(at + 1, end - 1).replaceAll('""', '"') : '';
    const value = inside + text.slice(end, stop);
    row.push(GUARDED.test(value) ? value.slice(1) : value);
    at = stop + 1;
    if (text[stop] === between && at < text.length) continue;
    if (text[stop] === between) row.push('');
    if (text[stop] === '\r' && text[at] === '\n') at += 1;
    if (row.some((one) => one !== '')) rows.push(row);
    row = [];
  }
  return rows;
}

/** @param {string} text @param {number} at @returns {number} behind the quote that ends what begins here */
function endOfQuoted(text, at) {
  for (;;) {
    const quote = text.indexOf('"', at);
    // Nobody has closed it: the rest is all of it.
    if (quote < 0) return text.length + 1;
    if (text[quote + 1] !== '"') return quote + 1;
    at = quote + 2;
  }
}

/** @param {string} text @param {number} at @param {string} between @returns {number} where the cell ends */
function endOfPlain(text, at, between) {
  while (at < text.length && text[at] !== between && text[at] !== '\r' && text[at] !== '\n') at += 1;
  return at;
}
