//! Resizing that equals PIL's `Image.resize` bit for bit.
//!
//! Unlike the usual GPU or canvas resize, every source pixel under the scaled filter counts (antialiasing), and
//! the arithmetic is PIL's fixed point, because models were trained on its roundings.

use std::ops::Range;

use ::image::RgbImage;

/// A resampling filter, numbered as PIL numbers it in `preprocessor_config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// 0: the nearest pixel, without antialiasing.
    Nearest,
    /// 1: a sinc windowed by a wider sinc, three lobes.
    Lanczos,
    /// 2: a triangle.
    Bilinear,
    /// 3: Keys' cubic with a = -0.5.
    Bicubic,
    /// 4: the mean of the covered pixels.
    Box,
    /// 5: a sinc in Hamming's window, one lobe.
    Hamming,
}

impl Filter {
    /// The filter with PIL's number `code`.
    pub fn from_code(code: u64) -> Option<Self> {
        use Filter::{Bicubic, Bilinear, Box, Hamming, Lanczos, Nearest};
        [Nearest, Lanczos, Bilinear, Bicubic, Box, Hamming].get(usize::try_from(code).ok()?).copied()
    }

    /// Half the width of the filter, in pixels of the smaller image.
    fn support(self) -> f64 {
        match self {
            Self::Nearest => 0.0,
            Self::Box => 0.5,
            Self::Bilinear | Self::Hamming => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    /// The filter's height at `x`. Each expression rounds as Pillow's does, so keep their order.
    fn at(self, x: f64) -> f64 {
        const A: f64 = -0.5;
        let distance = x.abs();
        match self {
            Self::Nearest => 0.0,
            Self::Box if x > -0.5 && x <= 0.5 => 1.0,
            Self::Bilinear if distance < 1.0 => 1.0 - distance,
            Self::Bicubic if distance < 1.0 => ((A + 2.0) * distance - (A + 3.0)) * distance * distance + 1.0,
            Self::Bicubic if distance < 2.0 => (((distance - 5.0) * distance + 8.0) * distance - 4.0) * A,
            Self::Hamming if distance == 0.0 => 1.0,
            Self::Hamming if distance < 1.0 => {
                let angle = distance * std::f64::consts::PI;
                // Pillow's constants are single precision.
                angle.sin() / angle * (f64::from(0.54f32) + f64::from(0.46f32) * angle.cos())
            }
            Self::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            _ => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let angle = x * std::f64::consts::PI;
    angle.sin() / angle
}

/// A part of a resized image: what a crop keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Columns of the resized image left of the part.
    pub left: u64,
    /// Rows of the resized image above the part.
    pub top: u64,
    /// Columns of the part.
    pub width: u32,
    /// Rows of the part.
    pub height: u32,
}

/// `image` at `width` x `height`, equal to PIL's `image.resize((width, height), filter)`.
///
/// An image or a size without pixels gives an image without pixels.
pub fn resize(image: &RgbImage, width: u32, height: u32, filter: Filter) -> RgbImage {
    let window = Window { left: 0, top: 0, width, height };
    resize_window(image, width.into(), height.into(), window, filter)
}

/// The part `window` of `image` at `width` x `height`, without computing the rest.
///
/// Equal to cropping [`resize`]'s result, in time proportional to the source rows and columns that the part
/// covers. The part must lie within `width` x `height`.
///
/// Method, as Pillow's: the weights of each output row and column are computed once, in double precision, and
/// rounded to 22 fractional bits; the image is filtered along one axis, its sums rounded and clipped to eight bits,
/// then along the other. The order shows in the last bit: horizontal first, unless the height loses more than
/// twice as many pixels as the width (since Pillow 13; earlier versions always began horizontally).
///
/// Source: Pillow, `src/libImaging/Resample.c`; for [`Filter::Nearest`], `src/libImaging/Geometry.c`.
pub fn resize_window(image: &RgbImage, width: u64, height: u64, window: Window, filter: Filter) -> RgbImage {
    if image.width() == 0 || image.height() == 0 || window.width == 0 || window.height == 0 {
        return RgbImage::default();
    }
    let columns = Axis { source: image.width(), target: width, first: window.left, count: window.width };
    let rows = Axis { source: image.height(), target: height, first: window.top, count: window.height };
    // At its own size an image is only cropped: filters give every pixel back as it was.
    let kept = columns.loss() == 0 && rows.loss() == 0;
    let pixels = if kept || filter == Filter::Nearest {
        pick(image, &columns.nearest(), &rows.nearest())
    } else {
        smooth(image, &columns, &rows, filter)
    };
    RgbImage::from_raw(window.width, window.height, pixels).unwrap_or_default()
}

fn smooth(image: &RgbImage, columns: &Axis, rows: &Axis, filter: Filter) -> Vec<u8> {
    let vertical_first = rows.loss() > 0 && rows.loss() > 2 * columns.loss();
    let (mut columns, mut rows) = (columns.taps(filter), rows.taps(filter));
    // Only the source rows and columns that the window looks at take part.
    let (across, down) = (columns.rebase(), rows.rebase());
    let pitch = 3 * image.width() as usize;
    let source = &image.as_raw()[down.start * pitch..down.end * pitch];
    let part = 3 * across.start..3 * across.end;
    if vertical_first {
        let shortened = filter_columns(source, pitch, part.clone(), &rows);
        filter_rows(&shortened, part.len(), 0..part.len(), &columns)
    } else {
        let narrowed = filter_rows(source, pitch, part, &columns);
        let pitch = 3 * columns.spans.len();
        filter_columns(&narrowed, pitch, 0..pitch, &rows)
    }
}

/// One dimension of a resize: `source` pixels become `target`, of which `count` from `first` on are wanted.
struct Axis {
    source: u32,
    target: u64,
    first: u64,
    count: u32,
}

/// Fractional bits of a weight: 32, less 8 for the sample, less 2 for overshoot and sign.
const PRECISION: u32 = 32 - 8 - 2;
/// One half, for rounding.
const HALF: i32 = 1 << (PRECISION - 1);

/// The source pixels behind one output pixel: `count` from `start` on.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    count: usize,
}

/// Spans and fixed-point weights of a run of output pixels; span `i`'s weights begin at `i * stride`.
struct Taps {
    spans: Vec<Span>,
    weights: Vec<i32>,
    stride: usize,
}

impl Taps {
    /// The source pixels that any span covers; the spans are counted from the first of them from now on.
    fn rebase(&mut self) -> Range<usize> {
        let first = self.spans.iter().map(|span| span.start).min().unwrap_or(0);
        let last = self.spans.iter().map(|span| span.start + span.count).max().unwrap_or(0);
        self.spans.iter_mut().for_each(|span| span.start -= first);
        first..last
    }

    fn iter(&self) -> impl Iterator<Item = (Span, &[i32])> {
        self.spans
            .iter()
            .zip(self.weights.chunks_exact(self.stride))
            .map(|(&span, weights)| (span, &weights[..span.count]))
    }
}

impl Axis {
    /// Pixels that the axis loses; negative where it gains.
    fn loss(&self) -> i64 {
        i64::from(self.source) - self.target as i64
    }

    fn wanted(&self) -> Range<u64> {
        self.first..self.first + u64::from(self.count)
    }

    fn taps(&self, filter: Filter) -> Taps {
        if u64::from(self.source) == self.target {
            return self.identity();
        }
        let scale = f64::from(self.source) / self.target as f64;
        let filter_scale = scale.max(1.0);
        let support = filter.support() * filter_scale;
        let stride = support.ceil() as usize * 2 + 1;
        let inverse = 1.0 / filter_scale;
        let mut taps = Taps { spans: Vec::new(), weights: Vec::new(), stride };
        let mut exact = vec![0.0; stride];
        for target in self.wanted() {
            let center = (target as f64 + 0.5) * scale;
            // Truncation, as a C cast does, and saturation at 0 where that cast would be negative.
            let start = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(self.source as usize);
            let count = end.saturating_sub(start).min(stride);
            let mut total = 0.0;
            for (index, weight) in exact[..count].iter_mut().enumerate() {
                *weight = filter.at(((index + start) as f64 - center + 0.5) * inverse);
                total += *weight;
            }
            taps.spans.push(Span { start: if count == 0 { 0 } else { start }, count });
            taps.weights.extend(exact[..count].iter().map(|&weight| fixed(weight, total)));
            taps.weights.resize(taps.spans.len() * stride, 0);
        }
        taps
    }

    /// The taps of an axis that keeps its size: one source pixel at full weight, which reproduces it exactly.
    fn identity(&self) -> Taps {
        let spans = self.wanted().map(|at| Span { start: at as usize, count: 1 }).collect();
        Taps { spans, weights: vec![1 << PRECISION; self.count as usize], stride: 1 }
    }

    /// The source pixel of each output pixel. The position is a running sum, as Pillow's: its rounding is part
    /// of the result.
    fn nearest(&self) -> Vec<usize> {
        let scale = f64::from(self.source) / self.target as f64;
        let mut position = scale * 0.5;
        // Far into a long axis the running sum would take too long, and PIL could not allocate the image.
        const LONG: u64 = 1 << 24;
        if self.first > LONG {
            position += self.first as f64 * scale;
        } else {
            (0..self.first).for_each(|_| position += scale);
        }
        let last = self.source as usize - 1;
        let step = |position: &mut f64| {
            let at = (*position as usize).min(last);
            *position += scale;
            at
        };
        (0..self.count).map(|_| step(&mut position)).collect()
    }
}

/// `weight / total` with [`PRECISION`] fractional bits, rounded half away from zero.
fn fixed(weight: f64, total: f64) -> i32 {
    let weight = if total == 0.0 { weight } else { weight / total };
    let scaled = weight * f64::from(1 << PRECISION);
    (if weight < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}

fn clip(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// Filters every row of `source` (rows of `pitch` bytes, of which `part` counts) horizontally.
fn filter_rows(source: &[u8], pitch: usize, part: Range<usize>, columns: &Taps) -> Vec<u8> {
    let output_pitch = 3 * columns.spans.len();
    let mut output = vec![0; source.len() / pitch * output_pitch];
    for (row, out) in source.chunks_exact(pitch).zip(output.chunks_exact_mut(output_pitch)) {
        let row = row[part.clone()].as_chunks::<3>().0;
        for ((span, weights), pixel) in columns.iter().zip(out.as_chunks_mut::<3>().0) {
            let (mut red, mut green, mut blue) = (HALF, HALF, HALF);
            for (sample, &weight) in row[span.start..span.start + span.count].iter().zip(weights) {
                red += i32::from(sample[0]) * weight;
                green += i32::from(sample[1]) * weight;
                blue += i32::from(sample[2]) * weight;
            }
            *pixel = [clip(red), clip(green), clip(blue)];
        }
    }
    output
}

/// Filters `source` (rows of `pitch` bytes, of which `part` counts) vertically, whole rows at a time, so that the
/// inner loop is one multiplication and addition on neighbouring samples.
fn filter_columns(source: &[u8], pitch: usize, part: Range<usize>, rows: &Taps) -> Vec<u8> {
    let mut output = vec![0; part.len() * rows.spans.len()];
    let mut sums = vec![HALF; part.len()];
    for ((span, weights), out) in rows.iter().zip(output.chunks_exact_mut(part.len())) {
        sums.fill(HALF);
        for (row, &weight) in source[span.start * pitch..].chunks_exact(pitch).zip(weights) {
            for (sum, &sample) in sums.iter_mut().zip(&row[part.clone()]) {
                *sum += i32::from(sample) * weight;
            }
        }
        for (byte, &sum) in out.iter_mut().zip(&sums) {
            *byte = clip(sum);
        }
    }
    output
}

/// The pixels at the given columns of the given rows.
fn pick(image: &RgbImage, columns: &[usize], rows: &[usize]) -> Vec<u8> {
    let pitch = 3 * image.width() as usize;
    let mut output = Vec::with_capacity(3 * columns.len() * rows.len());
    for &row in rows {
        let row = image.as_raw()[row * pitch..][..pitch].as_chunks::<3>().0;
        output.extend(columns.iter().flat_map(|&column| row[column]));
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMOOTH: [Filter; 5] =
        [Filter::Lanczos, Filter::Bilinear, Filter::Bicubic, Filter::Box, Filter::Hamming];

    fn noise(width: u32, height: u32) -> RgbImage {
        let mut state = 1u32;
        RgbImage::from_fn(width, height, |_, _| {
            ::image::Rgb([0; 3].map(|_: u8| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            }))
        })
    }

    #[test]
    fn a_flat_image_stays_flat() {
        for filter in SMOOTH {
            for value in [0, 1, 127, 255] {
                let flat = RgbImage::from_pixel(13, 7, ::image::Rgb([value; 3]));
                for (width, height) in [(1, 1), (5, 9), (26, 3), (40, 40)] {
                    let resized = resize(&flat, width, height, filter);
                    assert_eq!(resized.dimensions(), (width, height));
                    assert!(resized.as_raw().iter().all(|&sample| sample == value), "{filter:?} {value}");
                }
            }
        }
    }

    #[test]
    fn sums_cannot_overflow() {
        for filter in SMOOTH {
            for (source, target) in [(1, 9), (2, 3), (3, 7), (10, 3), (4000, 224), (225, 224), (50, 4096)] {
                let taps = Axis { source, target, first: 0, count: target as u32 }.taps(filter);
                for (_, weights) in taps.iter() {
                    let largest: i64 = weights.iter().map(|&weight| i64::from(weight).abs() * 255).sum();
                    assert!(largest + i64::from(HALF) < i64::from(i32::MAX), "{filter:?} {source} {target}");
                }
            }
        }
    }

    #[test]
    fn a_window_is_a_crop_of_the_whole() {
        let image = noise(61, 47);
        for filter in SMOOTH.into_iter().chain([Filter::Nearest]) {
            for (width, height) in [(30, 90), (61, 20), (122, 47), (7, 7)] {
                let whole = resize(&image, width, height, filter);
                let window = Window { left: 2, top: 3, width: width - 3, height: height - 4 };
                let part = resize_window(&image, width.into(), height.into(), window, filter);
                let crop = ::image::imageops::crop_imm(&whole, 2, 3, window.width, window.height).to_image();
                assert!(part == crop, "{filter:?} {width} x {height}");
            }
        }
    }

    #[test]
    fn keeping_the_size_keeps_the_pixels() {
        let image = noise(17, 9);
        for filter in SMOOTH {
            assert!(resize(&image, 17, 9, filter) == image, "{filter:?}");
        }
    }

    #[test]
    fn extreme_shapes_are_resized_where_it_matters() {
        let line = noise(100_000, 1);
        let window = Window { left: 200_000_000, top: 0, width: 5, height: 224 };
        for filter in SMOOTH.into_iter().chain([Filter::Nearest]) {
            let part = resize_window(&line, 409_600_000, 4096, window, filter);
            assert_eq!(part.dimensions(), (5, 224));
        }
        assert!(resize(&RgbImage::new(0, 3), 4, 4, Filter::Bicubic).is_empty());
    }
}
