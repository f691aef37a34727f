// Texts as the package puts them to a model, and what counts as naming a thing in a caption.

/** A label in the package's usual sentence. @param {string} label @param {string} [hint] */
export function photo(label, hint) {
  return `a photo of a ${hint ? `${label}, ${hint}` : label}.`;
}

/** @type {Readonly<Record<string, string>>} */
const PLURALS = {
  shelf: 'shelves',
  wolf: 'wolves',
  leaf: 'leaves',
  mouse: 'mice',
  goose: 'geese',
  foot: 'feet',
  tooth: 'teeth',
  man: 'men',
  woman: 'women',
  person: 'people',
  child: 'children',
  knife: 'knives',
  scarf: 'scarves',
  ox: 'oxen',
};

/** @param {string} name @returns {string} */
function plural(name) {
  const last = name.split(' ').at(-1) ?? '';
  const irregular = PLURALS[last];
  if (irregular) return name.slice(0, name.length - last.length) + irregular;
  if (/(s|x|z|ch|sh)$/.test(last)) return `${name}es`;
  if (/[^aeiou]y$/.test(last)) return `${name.slice(0, -1)}ies`;
  return `${name}s`;
}

/** Lower case, without spaces around hyphens. @param {string} text */
function tidy(text) {
  return text.toLowerCase().replace(/\s*-\s*/g, '-');
}

/**
 * Whether a caption names a thing, in the singular or plural, as whole words.
 * @param {string} caption
 * @param {string} name
 */
export function names(caption, name) {
  return [name, plural(name)].some((form) => {
    const escaped = tidy(form).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'u').test(tidy(caption));
  });
}
