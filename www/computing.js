/**
 * Between `<compute-device>` and the models: another device is that of every load from then on, and models are loaded again for it. Those
 * that come with the page run on the processor whatever is chosen, and stay as they are; what would have to be downloaded waits until
 * somebody wants it.
 *
 * @typedef {import('./kept-device.js').Device} Device
 * @typedef {import('ocelli').StoredModel} StoredModel
 *
 * @typedef {object} Lane
 * @property {import('ocelli').ModelInfo['tasks'][number]} task
 * @property {import('./model-queue.js').ModelQueue<any, any>} queue
 * @property {import('ocelli').ModelInfo | null} builtIn the model that comes with the page
 */

import { on } from './elements/dom.js';
import { keepDevice } from './kept-device.js';

/** The part of a model that is kept for a task. @type {Partial<Record<Lane['task'], StoredModel['part']>>} */
const PARTS = { tag: 'both' };

/**
 * @param {object} page
 * @param {any} page.element the `<compute-device>`
 * @param {readonly Lane[]} page.lanes
 * @param {import('./options.js').LoadOptions} page.given how models are loaded: the device is changed in it
 * @param {() => Promise<StoredModel[]>} page.stored models that this browser keeps
 */
export function chooseDevice({ element, lanes, given, stored }) {
  /** What was loaded for another device, of models that are not kept; without an engine while that is on its way. @type {Map<Lane, { id: string, engine: unknown }>} */
  const left = new Map();

  const show = () => {
    // Another may have been chosen meanwhile.
    for (const [lane, { id, engine }] of left) {
      const { queue } = lane;
      const isOther = queue.model?.id !== id || (engine && queue.engine !== engine);
      if (isOther) left.delete(lane);
      else left.set(lane, { id, engine: queue.engine });
    }
    const titles = [...left.keys()].map(({ queue }) => queue.model?.title ?? '');
    element.show(given.device ?? 'auto', [...new Set(titles)]);
  };

  on(element, 'device', async (/** @type {Device} */ device) => {
    given.device = device;
    keepDevice(device);
    const kept = await stored().catch(() => []);
    // Somebody may have chosen again.
    if (given.device !== device) return;
    left.clear();
    for (const lane of lanes) {
      const { model, status } = lane.queue;
      const atWork = ['loading', 'ready', 'blocked'].includes(status);
      if (!model || model.id === lane.builtIn?.id || !atWork) continue;
      if (isKept(lane, kept, given.dtype)) void lane.queue.reload();
      else left.set(lane, { id: model.id, engine: lane.queue.engine });
    }
    show();
  });
  on(element, 'load-again', () => {
    const waiting = [...left.keys()];
    left.clear();
    for (const { queue } of waiting) void queue.reload();
    show();
  });
  for (const { queue } of lanes) queue.addEventListener('change', () => left.size > 0 && show());
  show();
}

/** @param {Lane} lane @param {readonly StoredModel[]} kept @param {string} [dtype] */
function isKept({ task, queue }, kept, dtype = 'int8') {
  const parts = ['all', PARTS[task] ?? task];
  return kept.some((one) => one.id === queue.model?.id && one.dtype === dtype && parts.includes(one.part));
}
