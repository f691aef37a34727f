/** Requests over HTTP, judged before a model is asked. */

import { isShare } from '../page/arguments.js';
import { codeOf } from '../shared/errors.js';
import { MAX_IMAGE_BYTES } from '../shared/limits.js';
import { nearest } from '../shared/nearest.js';
import { Failure } from './failure.js';
import { readAll } from './inputs.js';

/** What requests may ask, by their path. @type {Record<string, string[]>} */
const PARAMETERS = { '/tag': ['labels', 'top', 'threshold'], '/caption': [], '/embed': ['text'] };
const REMEDY = 'Send the bytes of a picture by POST, as `curl --data-binary @cat.jpg` does.';

/** A request that is refused, with one sentence. */
export class Refusal extends Error {
  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * @typedef {object} Asked
 * @property {string} path
 * @property {URLSearchParams} query
 *
 * @param {import('node:http').IncomingMessage} request
 * @returns {Asked}
 * @throws {Refusal}
 */
export function readRequest({ url, method, headers }) {
  const { pathname: path, searchParams: query } = new URL(url ?? '/', 'http://localhost');
  const taken = Object.hasOwn(PARAMETERS, path) ? PARAMETERS[path] : undefined;
  if (!taken) throw new Refusal(404, 'not-found', `There is ${Object.keys(PARAMETERS).join(', ')}.`);
  if (method !== 'POST' && !(method === 'GET' && query.has('text') && taken.includes('text'))) {
    throw new Refusal(405, 'argument-invalid', REMEDY);
  }
  // A web page elsewhere must not use what listens here.
  if (headers.origin !== undefined) throw new Refusal(403, 'argument-invalid', 'Not for web pages.');
  const unknown = [...query.keys()].find((name) => !taken.includes(name));
  if (unknown !== undefined) {
    const meant = nearest(unknown, taken);
    const hint = meant ? `did you mean ${meant}?` : `there is ${taken.join(', ') || 'none here'}.`;
    throw new Refusal(400, 'argument-invalid', `There is no parameter ${unknown}: ${hint}`);
  }
  if (/^multipart\//i.test(headers['content-type'] ?? '')) {
    throw new Refusal(415, 'argument-invalid', `A form is no picture. ${REMEDY}`);
  }
  return { path, query };
}

/**
 * The picture that a request brings.
 *
 * @param {import('node:http').IncomingMessage} request
 * @returns {Promise<Uint8Array>}
 * @throws {Refusal}
 */
export async function readBody(request) {
  const large = new Refusal(413, 'image-too-large', `A picture has at most ${MAX_IMAGE_BYTES >> 20} MB.`);
  if (Number(request.headers['content-length']) > MAX_IMAGE_BYTES) throw large;
  try {
    return await readAll(request, MAX_IMAGE_BYTES);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // What is still to come is passed over: who sends it reads the answer then.
    request.resume();
    throw large;
  }
}

/**
 * What may be wrong where a body is no picture: `curl -d` takes the line ends out of what it sends, and calls it a form.
 *
 * @param {import('node:http').IncomingMessage} request
 * @param {unknown} error
 */
export function remedyOf({ headers }, error) {
  const isForm = /^application\/x-www-form-urlencoded/i.test(headers['content-type'] ?? '');
  return isForm && String(codeOf(error)).startsWith('image-') ? ` ${REMEDY}` : '';
}

/**
 * A number of a query.
 *
 * @param {URLSearchParams} query
 * @param {'top' | 'threshold'} name
 * @returns {number | undefined}
 * @throws {Refusal}
 */
export function numberOf(query, name) {
  const given = query.get(name);
  if (given === null) return undefined;
  const number = given.trim() === '' ? NaN : Number(given);
  if (name === 'threshold' ? isShare(number) : Number.isSafeInteger(number) && number > 0) return number;
  const what = name === 'threshold' ? 'a number from 0 to 1' : 'a whole number above zero';
  throw new Refusal(400, 'argument-invalid', `${name} must be ${what}.`);
}
