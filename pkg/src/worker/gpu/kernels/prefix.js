/**
 * The rows before the patches, which are the same for all images: class token and registers.
 */

/** @param {{ width: number, prefix: number }} options */
export function prefixKernel({ width, prefix }) {
  const size = (prefix * width) / 4;
  return /* wgsl */ `
struct Params {
  // Rows of an image, prefix included.
  length: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> x: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < ${size}u) { x[id.y * params.length * ${width / 4}u + id.x] = rows[id.x]; }
}`;
}
