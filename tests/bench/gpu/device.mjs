// WebGPU in Node, through Dawn.

import { createRequire } from 'node:module';
import path from 'node:path';
import { Failure } from '../../../scripts/lib/run.mjs';

/** No dependency of ours, so named where nothing looks for those. */
const PACKAGE = 'webgpu';

/**
 * A device of the fastest adapter, with all that it has; `navigator.gpu` is there as in a browser.
 */
export async function openDevice() {
  const gpu = await openGpu();
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new Failure(
      'There is no adapter: no GPU that Dawn can use through Vulkan, Metal or Direct3D. For one in software set ' +
        'VK_ICD_FILENAMES to the description of a driver, such as that of SwiftShader in the folder of Chromium.',
    );
  }
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: adapter.features.has('shader-f16') ? ['shader-f16'] : [],
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
  });
  device.addEventListener?.('uncapturederror', (/** @type {any} */ { error }) => {
    console.error(`GPU error: ${error.message}`);
    process.exitCode = 1;
  });
  return { adapter, device };
}

/** @returns {Promise<GPU>} */
async function openGpu() {
  const dawn = process.env.DAWN
    ? createRequire(import.meta.url)(path.resolve(process.env.DAWN))
    : await import(PACKAGE).catch(() => {
        throw new Failure(
          'WebGPU in Node is the npm package `webgpu`, which is 50 MB and not installed by itself: `npm pack webgpu`, unpack it, ' +
            'and give DAWN=<folder>/dist/linux-x64/dawn.node.',
        );
      });
  Object.assign(globalThis, dawn.globals);
  return dawn.create(['enable-dawn-features=allow_unsafe_apis']);
}
