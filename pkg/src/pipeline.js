/**
 * `ocelli/pipeline`: the calls of transformers.js for pictures, over ocelli's models.
 *
 * @typedef {import('./extras/pipeline/pipeline.js').ClassificationOptions} ClassificationOptions
 * @typedef {import('./extras/pipeline/pipeline.js').DataType} DataType
 * @typedef {import('./extras/pipeline/pipeline.js').Device} Device
 * @typedef {import('./extras/pipeline/pipeline.js').FeatureExtractionPipeline} FeatureExtractionPipeline
 * @typedef {import('./extras/pipeline/pipeline.js').FeatureOptions} FeatureOptions
 * @typedef {import('./extras/pipeline/pipeline.js').GeneratedText} GeneratedText
 * @typedef {import('./extras/pipeline/pipeline.js').GenerationOptions} GenerationOptions
 * @typedef {import('./extras/pipeline/pipeline.js').ImageClassificationPipeline} ImageClassificationPipeline
 * @typedef {import('./extras/pipeline/pipeline.js').ImageFeatureExtractionPipeline} ImageFeatureExtractionPipeline
 * @typedef {import('./extras/pipeline/pipeline.js').ImageFeatureOptions} ImageFeatureOptions
 * @typedef {import('./extras/pipeline/pipeline.js').ImageToTextPipeline} ImageToTextPipeline
 * @typedef {import('./extras/pipeline/pipeline.js').LabelScore} LabelScore
 * @typedef {import('./extras/pipeline/pipeline.js').PipelineEnv} PipelineEnv
 * @typedef {import('./extras/pipeline/pipeline.js').PipelineImage} PipelineImage
 * @typedef {import('./extras/pipeline/pipeline.js').PipelineImages} PipelineImages
 * @typedef {import('./extras/pipeline/pipeline.js').PipelineOptions} PipelineOptions
 * @typedef {import('./extras/pipeline/pipeline.js').PipelineTask} PipelineTask
 * @typedef {import('./extras/pipeline/pipeline.js').ProgressInfo} ProgressInfo
 * @typedef {import('./extras/pipeline/pipeline.js').RawImageLike} RawImageLike
 * @typedef {import('./extras/pipeline/pipeline.js').ZeroShotImageClassificationPipeline} ZeroShotImageClassificationPipeline
 * @typedef {import('./extras/pipeline/pipeline.js').ZeroShotOptions} ZeroShotOptions
 */

export { env } from './extras/pipeline/env.js';
export { pipeline } from './extras/pipeline/pipeline.js';
export { Tensor } from './extras/pipeline/tensor.js';
