// Line drawings of the same things by different designers: icon sets from npm, drawn dark on white.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ROOT } from '../../../scripts/lib/run.mjs';

/** Where README.md says that the sets are to be installed. */
const FOLDER = process.env.OCELLI_ICONS ?? path.join(ROOT, 'target/icons');
/** A thing is taken where this many sets have it. */
const LEAST = 13;
const SIDE = 224;
/** Names of variants of one icon, plainest first. */
const VARIANTS = [
  '',
  '-outline',
  '-line',
  '-linear',
  '-regular',
  '-24-regular',
  '-rounded',
  '-solid',
  '-fill',
  '-bold',
];
/** Signs of user interfaces that show no thing, and brands. */
const SIGNS = new Set(
  (
    'instagram twitter apple plus minus check pause play stop square circle triangle hexagon pentagon asterisk copy link ' +
    'share upload download code search send save edit repeat shuffle filter power crop reply forward menu history info ' +
    'text grid list table home image constructor'
  ).split(' '),
);

/** @returns {Promise<{ label: string, image: Uint8Array, group: string }[] | null>} */
export async function pictograms() {
  const folder = path.join(FOLDER, 'node_modules/@iconify-json');
  if (!existsSync(folder)) return null;
  const { Resvg } = createRequire(path.join(FOLDER, 'package.json'))('@resvg/resvg-js');
  const known = new Set(JSON.parse(readFileSync(path.join(ROOT, 'pkg/models/ocelli/labels.json'), 'utf8')));
  const sets = readdirSync(folder)
    .sort()
    .map((name) => ({ name, set: JSON.parse(readFileSync(path.join(folder, name, 'icons.json'), 'utf8')) }));
  const things = new Set(sets.flatMap(({ set }) => Object.keys(set.icons).map(thingOf)));
  const chosen = [...things]
    .sort()
    .filter((thing) => /^[a-z]+$/.test(thing) && !known.has(thing) && !SIGNS.has(thing));
  return chosen.flatMap((thing) => {
    const drawn = sets.flatMap(({ name, set }) => {
      const icon = find(set, thing);
      return icon ? [{ label: thing, group: name, image: new Resvg(svgOf(icon)).render().asPng() }] : [];
    });
    return drawn.length >= LEAST ? drawn : [];
  });
}

/** @param {string} name of an icon */
function thingOf(name) {
  const variant = VARIANTS.find((end) => end !== '' && name.endsWith(end)) ?? '';
  return name.slice(0, name.length - variant.length);
}

/** The plainest icon of a thing. @param {any} set @param {string} thing */
function find({ icons, aliases = {}, width = 16, height = 16 }, thing) {
  for (const variant of VARIANTS) {
    const name = thing + variant;
    // An alias that turns or mirrors an icon shows something else.
    const alias = aliases[name];
    const icon =
      icons[name] ?? (alias && !alias.rotate && !alias.hFlip && !alias.vFlip && icons[alias.parent]);
    if (icon) return { left: 0, top: 0, width, height, ...icon };
  }
  return null;
}

/** @param {{ body: string, left: number, top: number, width: number, height: number }} icon */
function svgOf({ body, left, top, width, height }) {
  const edge = 0.12 * Math.max(width, height);
  const box = [left - edge, top - edge, width + 2 * edge, height + 2 * edge];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box.join(' ')}" width="${SIDE}" height="${SIDE}" color="#222">` +
    `<rect x="${box[0]}" y="${box[1]}" width="${box[2]}" height="${box[3]}" fill="#fff"/>${body}</svg>`
  );
}
