//! What several threads write to, at the least sizes: every kernel that divides its work. Natively these are tests of a few
//! milliseconds; in Miri (`npm run test:miri`), which interprets every step and where each loop is divided, they show that no
//! two threads reach for the same number.

use super::*;

fn noise(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| (((i + seed) * 7919 + 13 * seed) % 2003) as f32 / 1000.0 - 1.0).collect()
}

fn assert_near(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-5, "{a} instead of {b}");
    }
}

#[test]
fn rows_of_layers_are_those_alone() -> crate::Result<()> {
    let (columns, outputs) = (5, 17);
    let x = noise(3 * columns, 1);
    for dtype in [Dtype::F32, Dtype::Int8] {
        let weight = Matrix::pack(dtype, outputs, columns, &noise(outputs * columns, 2))?;
        let layer = |x: &[f32]| linear(x, &[Layer { weight: &weight, bias: None, after: Epilogue::Nothing }]);
        let alone: Vec<f32> = x.chunks(columns).flat_map(layer).collect();
        assert_near(&layer(&x), &alone);
    }
    let norm = |x: &[f32]| layer_norm(x, &[1.0; 5], &[0.5; 5], 1e-5);
    assert_near(&norm(&x), &x.chunks(columns).flat_map(norm).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn images_of_a_batch_are_those_alone() -> crate::Result<()> {
    let one = Extent { batch: 1, height: 3, width: 3, channels: 4 };
    let two = Extent { batch: 2, ..one };
    let x = noise(two.elements(), 1);
    let window = Window { kernel: 2, stride: 1, padding: Padding::Same };
    let mut builder = MatrixBuilder::convolution(Dtype::F32, 3, 16, Some(4))?;
    builder.push(&noise(48, 2));
    let weight = builder.finish()?;
    let layer = Layer { weight: &weight, bias: None, after: Epilogue::Nothing };
    let (weights, bias) = (noise(16, 3), noise(4, 4));
    let filter = Depthwise { window, weights: &weights, bias: &bias, activation: None };
    type Kernel<'a> = &'a dyn Fn(&[f32], Extent) -> Vec<f32>;
    let both: [Kernel<'_>; 3] = [
        &|x, extent| convolve(x, extent, window, &layer),
        &|x, extent| depthwise(x, extent, filter),
        &|x, extent| average_pool(x, extent, 2),
    ];
    for kernel in both {
        let alone: Vec<f32> = x.chunks(one.elements()).flat_map(|x| kernel(x, one)).collect();
        assert_near(&kernel(&x, two), &alone);
    }
    Ok(())
}

#[test]
fn sequences_of_a_batch_are_those_alone() {
    let heads = Heads { width: 4, count: 2 };
    let (first, second) = (noise(2 * 12, 1), noise(3 * 12, 2));
    let both = [first.as_slice(), &second].concat();
    let together = self_attention(heads, &both, &[2, 3]);
    assert_near(
        &together,
        &[self_attention(heads, &first, &[2]), self_attention(heads, &second, &[3])].concat(),
    );
    let kv: Vec<f32> = both.chunks(12).flat_map(|row| row[4..].to_vec()).collect();
    let queries: Vec<f32> = [0, 2].iter().flat_map(|row| both[row * 12..][..4].to_vec()).collect();
    let pooled = pooled_attention(heads, &queries, &kv, &[2, 3]);
    assert_near(&pooled[..4], &together[..4]);
    assert_near(&pooled[4..], &together[2 * 4..][..4]);
}

/// Only where Miri's own bounds let so short a sequence be quantised.
#[test]
fn heads_of_an_attention_in_int8_are_near_to_those_in_f32() {
    let heads = Heads { width: 16, count: 2 };
    let qkv = noise(9 * 48, 1);
    let (int8, exact) = (self_attention_int8(heads, &qkv, &[9]), self_attention(heads, &qkv, &[9]));
    assert_eq!(int8 != exact, cfg!(miri), "it is quantised in Miri alone");
    for (a, b) in int8.iter().zip(&exact) {
        assert!((a - b).abs() <= 0.05, "{a} instead of {b}");
    }
}
