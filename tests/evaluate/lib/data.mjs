// What is measured with: lists and pictures of ../shared/data, and the tables of training/knowledge.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../../scripts/lib/run.mjs';

/** As in training/paths.py. */
export const DATA = process.env.OCELLI_TRAINING_DATA ?? path.join(ROOT, '../shared/data');
const KNOWLEDGE = path.join(ROOT, 'training/knowledge');

/** Thrown by a part whose data are not here. */
export class Absent extends Error {}

/** @param {string} file @param {string} name what it is, for people */
function text(file, name) {
  if (!existsSync(file)) throw new Absent(`${name} is not here: ${path.relative(ROOT, file)}`);
  return readFileSync(file, 'utf8');
}

/**
 * Rows of a table with a header, by column.
 * @param {string} content
 * @param {',' | '\t'} separator no cell holds it
 * @returns {Record<string, string>[]}
 */
export function readTable(content, separator) {
  const [head = '', ...lines] = content.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  const columns = head.split(separator);
  return lines.map((line) => {
    const cells = line.split(separator);
    return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? '']));
  });
}

/** @param {string} name @returns {Record<string, string>[]} */
function knowledge(name) {
  return readTable(text(path.join(KNOWLEDGE, name), 'the table'), '\t');
}

/** @param {string} cell @param {string} separator @returns {string[]} */
function list(cell, separator) {
  return cell
    .split(separator)
    .map((part) => part.trim())
    .filter(Boolean);
}

/** The photographs of the test part, and all labels. */
export function photographs() {
  const rows = readTable(text(path.join(DATA, 'photos.csv'), 'the list of photographs'), ',');
  const labels = [...new Set(rows.map(({ label }) => label ?? ''))].sort();
  const test = rows.filter(({ split }) => split === 'test');
  return {
    labels,
    pictures: test.map(({ path: file, label }) => ({ url: `photos/${file}`, label: label ?? '' })),
  };
}

/**
 * The everyday pictures, each with its kind in WordNet, the names of the kind and the tags that are right.
 * @returns {{ url: string, synset: string, names: string[], tags: string[] }[]}
 */
export function everyday() {
  const rows = readTable(
    text(path.join(DATA, 'everyday/everyday.csv'), 'the list of everyday pictures'),
    ',',
  );
  return rows.map(({ file, synset, names, everyday_tags: tags }) => ({
    url: `everyday/pictures/${file}`,
    synset: synset ?? '',
    names: list(names ?? '', ';'),
    tags: list(tags ?? '', ';'),
  }));
}

/**
 * ImageNet's thousand kinds: the name and hint of each, and the tags of the vocabulary that it is one of.
 * @returns {{ synset: string, name: string, hint: string, synonyms: string[], tags: string[] }[]}
 */
export function imagenet() {
  return knowledge('imagenet.tsv').map(({ wnid, name, hint, synonyms, tags }) => ({
    synset: wnid ?? '',
    name: name ?? '',
    hint: hint ?? '',
    synonyms: list(synonyms ?? '', ','),
    tags: list(tags ?? '', ','),
  }));
}

/** The kinds that the second run was not taught. @returns {Set<string>} */
export function heldOut() {
  return new Set(list(text(path.join(KNOWLEDGE, 'heldout.txt'), 'the list of what is left out'), '\n'));
}

/**
 * Ambiguous words, a row for each sense with a picture of it.
 * @returns {{ word: string, hint: string, url: string }[]} `url` below ../shared/data, or of a drawing that training/pictures.py writes
 */
export function hints() {
  return knowledge('hints.tsv').map(({ word, hint, picture }) => {
    const [, style, icon] = /^drawing:([^:]+):([^:]+)$/.exec(picture ?? '') ?? [];
    if (style && !process.env.OCELLI_DRAWINGS) {
      throw new Absent('OCELLI_DRAWINGS does not say in which folder the drawings are');
    }
    return { word: word ?? '', hint: hint ?? '', url: style ? `made/${style}/${icon}.png` : (picture ?? '') };
  });
}

/**
 * Pictures that a program of training/ makes, with the file that describes them.
 * @param {string} name of the JSON file in the folder
 * @returns {any}
 */
export function made(name) {
  const folder = process.env.OCELLI_DRAWINGS;
  if (!folder) throw new Absent('OCELLI_DRAWINGS does not say in which folder the pictures are');
  return JSON.parse(text(path.join(folder, name), 'the list of pictures'));
}

/** @param {string | undefined} file @returns {any} */
export function reference(file) {
  if (!file) throw new Absent('no --reference was given');
  return JSON.parse(text(path.resolve(file), 'the reference'));
}
