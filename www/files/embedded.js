/**
 * What a picture says of itself: when it was taken, and the keywords and the sentence that some program has written into it. No more of
 * it is read than that takes.
 *
 * @typedef {object} Filed
 * @property {readonly string[]} tags
 * @property {readonly string[]} [own] those of them that somebody has given it or agreed to on this page
 * @property {readonly string[]} [gone] tags that it has not, as somebody has said on this page
 * @property {readonly string[]} [paths] what they are below: `pets|Minka`
 * @property {string} caption empty where there is none
 * @property {boolean} [captionIsOwn] whether somebody has written it, or chosen it, on this page
 * @property {number} [taken] when the camera took it, in milliseconds
 */

import { readCaption, readTags } from '../corrections.js';
import { leafOf } from '../labels.js';
import { readPath } from '../tag-paths.js';
import { toldIn } from './told.js';
import { isJpeg } from './xmp-jpeg.js';
import { xmpOf } from './xmp-embed.js';
import { readXmp } from './xmp-merge.js';

/** Bytes in which a JPEG has its packet, nearly always, and otherwise; and of pictures of other kinds, at most. */
const HEAD = 256 << 10;
const LONG_HEAD = 4 << 20;
const MOST = 32 << 20;
/** Letters of a packet, beyond which reading it would be felt; and keywords of a picture. */
const LONGEST = 500_000;
const MOST_TAGS = 50;

/** @param {Blob} file @returns {Promise<Filed | null>} null where it says nothing */
export async function embeddedIn(file) {
  const head = await bytesOf(file, HEAD);
  const [packet, { taken, keywords, caption }] = [await packetOf(file, head), await toldIn(head)];
  const said = packet === null || packet.length > LONGEST ? { tags: [], caption: '' } : saidIn(packet);
  // XMP, where it says anything, is what was written last (guidelines of the Metadata Working Group).
  if (said.tags.length === 0 && !said.gone) said.tags = tagsOf(keywords);
  if (said.caption === '') said.caption = readCaption(caption) ?? '';
  if (taken !== null) Object.assign(said, { taken });
  return said.tags.length > 0 || said.gone || said.caption !== '' || taken !== null ? said : null;
}

/** @param {string} packet @returns {Filed} */
function saidIn(packet) {
  const { tags, own = [], gone = [], hierarchy, caption, captionIsOwn = false } = readXmp(packet);
  const all = [...new Set([...hierarchy, ...tags])].slice(0, MOST_TAGS);
  const paths = all.flatMap((path) => readPath(path) ?? []);
  const text = readCaption(caption) ?? '';
  return {
    tags: tagsOf(tags),
    ...(own.length > 0 && { own: tagsOf(own) }),
    ...(gone.length > 0 && { gone: tagsOf(gone) }),
    ...(paths.length > 0 && { paths }),
    caption: text,
    ...(captionIsOwn && text !== '' && { captionIsOwn }),
  };
}

/** @param {readonly string[]} keywords @returns {string[]} */
function tagsOf(keywords) {
  const tags = keywords.flatMap((tag) => readTags(tag.replaceAll(/\s*[,;]\s*/g, ' ')).map(leafOf));
  return [...new Set(tags.slice(0, MOST_TAGS))];
}

/** @param {Blob} file @param {number} length at most */
async function bytesOf(file, length) {
  // Browsers take a while for each part of a file that they are asked for.
  const part = file.size <= length ? file : file.slice(0, length);
  return new Uint8Array(await part.arrayBuffer());
}

/** @param {Blob} file @param {Uint8Array} head its first bytes */
async function packetOf(file, head) {
  const found = xmpOf(head);
  if (found !== null || file.size <= HEAD) return found;
  if (isJpeg(head)) return xmpOf(await bytesOf(file, LONG_HEAD));
  return file.size <= MOST ? xmpOf(await bytesOf(file, file.size)) : null;
}

/** @param {any} filed what was kept @returns {Filed | undefined} undefined where it is nothing of the kind */
export function readFiled(filed) {
  const isTexts = (/** @type {unknown} */ list) =>
    Array.isArray(list) && list.every((one) => typeof one === 'string');
  if (!isTexts(filed?.tags) || typeof filed.caption !== 'string') return undefined;
  const { tags, own, gone, paths, caption, captionIsOwn, taken } = filed;
  return {
    tags,
    ...(isTexts(own) && { own }),
    ...(isTexts(gone) && { gone }),
    ...(isTexts(paths) && { paths }),
    caption,
    ...(captionIsOwn === true && { captionIsOwn }),
    ...(Number.isFinite(taken) && { taken }),
  };
}
