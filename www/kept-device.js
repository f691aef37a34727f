/**
 * The device that models compute on, as somebody has chosen it: kept in this browser.
 *
 * @typedef {NonNullable<import('ocelli').LoadOptions['device']>} Device
 */

import { keepText, keptText } from './kept-text.js';

const PLACE = 'ocelli-device';
const DEVICES = ['auto', 'wasm', 'webgpu'];

/** @returns {Device} `auto` where none was chosen, or what is kept is damaged */
export function keptDevice() {
  const kept = keptText(PLACE) ?? '';
  return DEVICES.includes(kept) ? /** @type {Device} */ (kept) : 'auto';
}

/** @param {Device} device */
export function keepDevice(device) {
  keepText(PLACE, device);
}
