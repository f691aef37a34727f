// Just enough reading of Rust for the layers: code without comments, and what it imports.

/** Comments, and the strings in which something like a comment means nothing. */
const RUST_TOKENS =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|r(#*)"[\s\S]*?"\1|"(?:\\[\s\S]|[^"\\])*"|'(?:\\.|[^'\\\n])'/g;

/**
 * The code that ships: no comments, no string contents, and no unit tests (by custom at the end of a file).
 * @param {string} text
 */
export function shippedRust(text) {
  const bare = text.replace(RUST_TOKENS, (token) => blank(token));
  const tests =
    /^#\[cfg\((?:test|all\(test\b[^\n]*)\)\]\s*\n(?:#\[[^\n]*\]\s*\n)*(?:pub(?:\([^)\n]*\))? )?mod \w+ \{/m.exec(
      bare,
    );
  return tests ? bare.slice(0, tests.index) : bare;
}

/**
 * As many lines as before, and nothing on them.
 * @param {string} token
 */
function blank(token) {
  return ` ${'\n'.repeat(token.split('\n').length - 1)}`;
}

/**
 * The modules at the root of the crate that a Rust file names through `crate::` or enough `super::`.
 * @param {string} code of {@link shippedRust}
 * @param {number} depth how many `super::` lead from the file to the root of the crate
 * @returns {{ layer: string, line: number }[]}
 */
export function rustModules(code, depth) {
  /** @type {{ layer: string, line: number }[]} */
  const layers = [];
  for (const match of code.matchAll(/(?<![\w:])(crate\s*::|(?:super\s*::\s*)+)\s*(\w+|\{)/g)) {
    const [whole, way = '', next = ''] = match;
    if (!way.startsWith('crate') && way.split('super').length - 1 !== depth) continue;
    const line = lineOf(code, match.index);
    if (next !== '{') layers.push({ layer: next, line });
    else for (const layer of firstNames(code.slice(match.index + whole.length))) layers.push({ layer, line });
  }
  return layers;
}

/**
 * The first name of each path in a use list, `a::{b, c}, d` being `a` and `d`.
 * @param {string} text what follows the opening brace
 */
function firstNames(text) {
  /** @type {string[]} */
  const names = [];
  let depth = 0;
  let path = '';
  for (const char of text) {
    if (depth === 0 && (char === ',' || char === '}')) {
      const name = /^\s*(\w+)/.exec(path)?.[1];
      if (name) names.push(name);
      path = '';
      if (char === '}') break;
      continue;
    }
    if (char === '{') depth++;
    else if (char === '}') depth--;
    path += char;
  }
  return names;
}

/**
 * @param {string} text
 * @param {number} index
 */
export function lineOf(text, index) {
  return text.slice(0, index).split('\n').length;
}
