/**
 * What holds for all pipelines: as much of the `env` of transformers.js as has a meaning here.
 *
 * @typedef {object} PipelineEnv
 * @property {string} version of transformers.js whose calls these are
 * @property {boolean} allowRemoteModels whether models are fetched from `remoteHost`; true
 * @property {string | URL} remoteHost where the model hub is; by default the public one
 * @property {string} remotePathTemplate where the files of a model are there
 * @property {boolean} allowLocalModels whether a model is looked for below `localModelPath` first; false. It is looked for there
 *   alone where `allowRemoteModels` is false
 * @property {string | URL} localModelPath the address of a folder, in Node also a path, that has models by their names
 * @property {boolean} useBrowserCache whether models of the hub are kept between visits; true
 * @property {boolean} useFSCache the same, in Node. Where they are kept, `OCELLI_CACHE` says
 * @property {number} logLevel above 30, nothing is said where a pipeline takes its default model; 30
 * @property {{ onnx: { wasm: { numThreads?: number, [other: string]: unknown }, [other: string]: unknown } }} backends
 *   `onnx.wasm.numThreads` is the number of threads; ONNX Runtime's other settings mean nothing here
 */

import { HUB } from '../../page/hub.js';

/** Where a hub has the files of a model. */
export const HUB_TEMPLATE = '{model}/resolve/{revision}/';

/**
 * The settings of all pipelines, read whenever one is loaded. Whatever else is set here means nothing.
 *
 * @type {PipelineEnv & Record<string, unknown>}
 */
export const env = {
  version: '4.3.1',
  allowRemoteModels: true,
  remoteHost: `${HUB}/`,
  remotePathTemplate: HUB_TEMPLATE,
  allowLocalModels: false,
  localModelPath: '/models/',
  useBrowserCache: true,
  useFSCache: true,
  logLevel: 30,
  backends: { onnx: { wasm: {} } },
};
