//! The gradient of attention that pools.

use candle_core::Tensor;

use super::{dot, values};
use crate::Result;
use crate::kernels;
use crate::nn::{AttentionPool, Linear, accumulate};

impl AttentionPool {
    /// The gradient of the vectors `x` `(1, vectors, width)` from that of the `outputs` `(outputs,)`.
    pub fn backward(&self, x: &Tensor, outputs: &[f32]) -> Result<Vec<f32>> {
        let (width, size) = (self.heads.width, self.heads.size());
        let (rows, _) = self.tokens(x)?;
        let query = values(&self.query.forward(&rows.narrow(0, 0, 1)?)?)?;
        let kv = values(&Linear::forward_all(&[&self.key, &self.value], &rows)?)?;
        let context = self.output.backward(outputs)?;
        let count = kv.len() / (2 * width);
        let mut of_query = vec![0.0; width];
        let (mut of_keys, mut of_values) = (vec![0.0; count * width], vec![0.0; count * width]);
        for head in (0..width).step_by(size) {
            let part = |row: usize, first: usize| &kv[row * 2 * width + first + head..][..size];
            let (query, context) = (&query[head..][..size], &context[head..][..size]);
            let mut map: Vec<f32> =
                (0..count).map(|row| dot(query, part(row, 0)) * self.heads.scale()).collect();
            kernels::softmax(&mut map);
            let of_map: Vec<f32> = (0..count).map(|row| dot(context, part(row, width))).collect();
            let mean = dot(&map, &of_map);
            for row in 0..count {
                let of_score = map[row] * (of_map[row] - mean) * self.heads.scale();
                for i in 0..size {
                    of_query[head + i] += of_score * part(row, 0)[i];
                    of_keys[row * width + head + i] = of_score * query[i];
                    of_values[row * width + head + i] = map[row] * context[i];
                }
            }
        }
        let mut inputs = self.key.backward(&of_keys)?;
        accumulate(&mut inputs, &self.value.backward(&of_values)?);
        let mut of_mean = inputs.drain(..width).collect::<Vec<f32>>();
        accumulate(&mut of_mean, &self.query.backward(&of_query)?);
        of_mean.iter_mut().for_each(|g| *g /= (count - 1) as f32);
        inputs.chunks_exact_mut(width).for_each(|row| accumulate(row, &of_mean));
        Ok(inputs)
    }
}
