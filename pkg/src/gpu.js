/** The part of the worker that only a GPU needs: a bundle of its own, loaded where there is one. */

export { GpuTower } from './worker/gpu/tower.js';
