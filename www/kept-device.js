/**
 * The device that models compute on, as somebody has chosen it: kept in this browser.
 *
 * @typedef {NonNullable<import('ocelli').LoadOptions['device']>} Device
 */

const PLACE = 'ocelli-device';
const DEVICES = ['auto', 'wasm', 'webgpu'];

/** @returns {Device} `auto` where none was chosen, or what is kept is damaged */
export function keptDevice() {
  try {
    const kept = localStorage.getItem(PLACE) ?? '';
    return DEVICES.includes(kept) ? /** @type {Device} */ (kept) : 'auto';
  } catch {
    return 'auto';
  }
}

/** @param {Device} device */
export function keepDevice(device) {
  try {
    localStorage.setItem(PLACE, device);
  } catch {
    // Where nothing can be kept, it holds for this visit.
  }
}
