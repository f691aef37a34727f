// The int8 product that ours is measured against: a tile of 64 by 64 in 25 lines, whole integer sums and one store, no scales.

export const PLAIN_INT8 = /* wgsl */ `
struct D { m: u32, n: u32, k: u32 };
@group(0) @binding(0) var<storage, read> a: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> d: D;
var<workgroup> as_: array<vec4<u32>, 256>;
var<workgroup> bs_: array<vec4<u32>, 256>;
@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_id) l: vec3<u32>) {
  let t = l.y * 16 + l.x;
  let r = t / 4;
  let q = t % 4;
  let k4 = d.k / 16;
  var s: array<array<i32, 4>, 4>;
  for (var k = 0u; k < k4; k += 4u) {
    as_[r * 4 + q] = a[min(w.y * 64 + r, d.m - 1) * k4 + k + q];
    bs_[r * 4 + q] = b[min(w.x * 64 + r, d.n - 1) * k4 + k + q];
    workgroupBarrier();
    for (var kk = 0u; kk < 4; kk++) {
      var x: array<vec4<u32>, 4>;
      var y: array<vec4<u32>, 4>;
      for (var i = 0u; i < 4; i++) { x[i] = as_[(l.y + i * 16) * 4 + kk]; y[i] = bs_[(l.x + i * 16) * 4 + kk]; }
      for (var i = 0u; i < 4; i++) {
        for (var j = 0u; j < 4; j++) {
          s[i][j] += dot4I8Packed(x[i].x, y[j].x) + dot4I8Packed(x[i].y, y[j].y)
            + dot4I8Packed(x[i].z, y[j].z) + dot4I8Packed(x[i].w, y[j].w);
        }
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4; i++) {
    let row = w.y * 64 + l.y + i * 16;
    for (var j = 0u; j < 4; j++) {
      let col = w.x * 64 + l.x + j * 16;
      if (row < d.m && col < d.n) { c[row * d.n + col] = f32(s[i][j]); }
    }
  }
}`;
