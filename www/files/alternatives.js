/** What stands in the place of pictures, as this page has written it for web pages and in Markdown. */

/** @typedef {import('./import.js').Row} Row */

/** Both find the end of what they begin with, and never look back. */
const IMAGE = /<img src="([^"]*)" alt="([^"]*)" \/>/g;
const PICTURE = /!\[((?:\\.|[^\\\]])*)\]\(([^()\s]*)\)/g;

/** @type {Record<string, string>} */
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"' };

/** @param {string} text @returns {Row[]} */
export function readHtml(text) {
  const plain = (/** @type {string} */ one) =>
    one.replace(/&(amp|lt|gt|quot);/g, (_, name) => ENTITIES[name] ?? '');
  return [...text.matchAll(IMAGE)].map(([, address = '', instead = '']) =>
    row(plain(address), plain(instead)),
  );
}

/** @param {string} text @returns {Row[]} */
export function readMarkdown(text) {
  return [...text.matchAll(PICTURE)].map(([, instead = '', address = '']) =>
    row(address, instead.replace(/\\(.)/g, '$1')),
  );
}

/** @param {string} address @param {string} alternative @returns {Row} */
function row(address, alternative) {
  return { path: pathOf(address), exact: true, tags: [], hierarchy: [], caption: '', alternative };
}

/** @param {string} address */
function pathOf(address) {
  try {
    return decodeURIComponent(address);
  } catch {
    return address;
  }
}
