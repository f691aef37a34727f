// What TypeScript's declarations lack of what the sources say.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { filesBelow } from './stamp.mjs';

/** The comment of a member whose text begins so. In a source, a property of a `@typedef` can have no tags of its own. */
const DEPRECATED = /^( +\* )deprecated: /gm;
/** A type of another name, which has no comment at all there. */
const DEPRECATED_TYPE = /^ \* @typedef .* (\w+) deprecated: (`\w+`)$/gm;

/**
 * Marks what the sources call deprecated, so that editors strike it through.
 *
 * @param {string} folder of declarations
 */
export function markDeprecated(folder) {
  for (const name of filesBelow('.', folder).filter((file) => file.endsWith('.d.ts'))) {
    const file = path.join(folder, name);
    const text = readFileSync(file, 'utf8');
    let marked = text.replace(DEPRECATED, '$1@deprecated ');
    for (const [, type, now] of text.matchAll(DEPRECATED_TYPE)) {
      marked = marked.replace(`export type ${type} `, `/** @deprecated ${now} */\n$&`);
    }
    if (marked !== text) writeFileSync(file, marked);
  }
}
