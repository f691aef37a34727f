//! CIE L\*a\*b\* of 8 bits to sRGB, as Pillow has it converted: by the table that Little CMS makes of the conversion.

/// Points of the table along each axis.
///
/// Source: Little CMS 2, `cmspcs.c`, `_cmsReasonableGridpointsByColorspace`.
const POINTS: usize = 33;

/// Colours at the points of a grid over L\*, a\* and b\*, 16 bits each.
pub(super) struct LabTable(Vec<[u16; 3]>);

impl LabTable {
    pub(super) fn new() -> Self {
        let at = |point: usize| point as f32 / (POINTS - 1) as f32;
        let chroma = |point| at(point) * 255.0 - 128.0;
        let points = (0..POINTS.pow(3)).map(|i| {
            let (l, a, b) = (i / POINTS / POINTS, i / POINTS % POINTS, i % POINTS);
            lab_to_rgb(100.0 * at(l), chroma(a), chroma(b)).map(|sample| (sample * 65_535.0).round() as u16)
        });
        Self(points.collect())
    }

    /// The colour of L\* (255 is 100), a\* and b\* (128 is 0), from the four points of the tetrahedron around it.
    ///
    /// Source: Little CMS 2, `cmsintrp.c`, `TetrahedralInterp16`.
    pub(super) fn rgb(&self, lab: [u8; 3]) -> [u8; 3] {
        let scaled = lab.map(|sample| usize::from(sample) * (POINTS - 1));
        let base = scaled.map(|sample| (sample / 255).min(POINTS - 2));
        let part: [f32; 3] = std::array::from_fn(|i| (scaled[i] - base[i] * 255) as f32 / 255.0);
        let mut axes = [0, 1, 2];
        axes.sort_by(|&a, &b| part[b].total_cmp(&part[a]));
        let colour = |[l, a, b]: [usize; 3]| self.0[(l * POINTS + a) * POINTS + b].map(f32::from);
        let mut at = base;
        let mut from = colour(at);
        let mut sum = from;
        for axis in axes {
            at[axis] += 1;
            let to = colour(at);
            for channel in 0..3 {
                sum[channel] += part[axis] * (to[channel] - from[channel]);
            }
            from = to;
        }
        sum.map(|sample| (sample / 257.0).round() as u8)
    }
}

/// CIE L\*a\*b\* under D50 to sRGB, from 0 to 1, cut off at both ends.
///
/// Source: CIE 15:2004, section 8.2.1; the matrix from XYZ under D50 is the inverse of sRGB's primaries, adapted by
/// Bradford's method as profiles have them (IEC 61966-2-1, ICC.1 annex E).
fn lab_to_rgb(l: f32, a: f32, b: f32) -> [f32; 3] {
    const WHITE: [f32; 3] = [0.964_2, 1.0, 0.824_9];
    const TO_RGB: [[f32; 3]; 3] = [
        [3.134_187_3, -1.617_209_2, -0.490_694_1],
        [-0.978_749_3, 1.916_130_1, 0.033_433_4],
        [0.071_964, -0.228_994_8, 1.405_753_8],
    ];
    let y = (l + 16.0) / 116.0;
    let xyz = [y + a / 500.0, y, y - b / 200.0];
    let linear = |t: f32| if t > 6.0 / 29.0 { t.powi(3) } else { (t - 4.0 / 29.0) * 108.0 / 841.0 };
    let xyz: [f32; 3] = std::array::from_fn(|i| WHITE[i] * linear(xyz[i]));
    TO_RGB.map(|row| {
        let light: f32 = row.iter().zip(xyz).map(|(weight, part)| weight * part).sum();
        let light = light.clamp(0.0, 1.0);
        if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greys_have_no_colour() {
        let table = LabTable::new();
        for (l, grey) in [(0, 0), (128, 119), (255, 255)] {
            let rgb = table.rgb([l, 128, 128]);
            assert!(rgb.iter().all(|sample: &u8| sample.abs_diff(grey) <= 1), "{l}: {rgb:?}");
        }
    }
}
