//! From an RGB picture to the tensor that a vision tower takes.

use ::image::RgbImage;
use candle_core::{Device, Tensor};

pub use super::settings::PreprocessorKind;
use super::settings::{Rounding, Settings, Size};
use super::timm;
use super::{Filter, Window, resize, resize_window};
use crate::error::{Error, ErrorKind, Result};

/// The steps of a `preprocessor_config.json`, ready to run.
///
/// Every number equals the reference's: the image processors of `transformers` in their PIL form, given the
/// same pixels.
#[derive(Debug, Clone)]
pub struct Preprocessor {
    settings: Settings,
    /// (height, width)
    output: (u32, u32),
    /// The value of each grey level, for each channel. With 256 levels a table is both exact and the fastest.
    levels: Box<[[f32; 256]; 3]>,
    /// Images are first padded to a square, with white.
    squares: bool,
    /// Channels are blue, green, red.
    bgr: bool,
}

impl Preprocessor {
    /// Reads `preprocessor_config.json` in any of its historical forms.
    ///
    /// Sizes may be a number, a list, `{"shortest_edge"}` or `{"height", "width"}`, from 1 to 4096; keys that
    /// are absent take the defaults of `kind`. `do_convert_rgb` is not looked at: pictures are RGB here.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PreprocessorInvalid`] names the key that is wrong, or says that the file leaves the size of
    /// its results open (a vision tower has one size).
    pub fn from_json(json: &[u8], kind: PreprocessorKind) -> Result<Self> {
        Self::new(Settings::from_json(json, kind)?)
    }

    /// Reads the `pretrained_cfg` of a `config.json` that `timm` wrote.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ConfigInvalid`] names the key that is wrong.
    pub fn from_timm(config: &[u8]) -> Result<Self> {
        Self::new(timm::settings(config)?)
    }

    /// The same, of images that are first padded to a square with white, and with channels in the order blue, green, red: as
    /// taggers of drawings are trained (WD taggers of version 3, and the script `wdv3-timm` for them). Pictures that would
    /// make a square of more than 4096 pixels a side are made smaller first.
    #[must_use]
    pub fn of_drawings(self) -> Self {
        Self { squares: true, bgr: true, ..self }
    }

    fn new(settings: Settings) -> Result<Self> {
        let output = settings.output_size()?;
        let levels = levels(&settings);
        if levels.iter().flatten().any(|level| !level.is_finite()) {
            return Err(Error::new(
                ErrorKind::PreprocessorInvalid,
                "The preprocessor file scales pixels to infinity: see `rescale_factor`, `image_mean`, `image_std`.",
            ));
        }
        Ok(Self { settings, output, levels, squares: false, bgr: false })
    }

    /// (height, width) of every tensor.
    pub fn output_size(&self) -> (usize, usize) {
        (self.output.0 as usize, self.output.1 as usize)
    }

    /// `image` as a tensor of shape (3, height, width), type f32.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ImageEmpty`]: `image` has no pixels.
    pub fn tensor(&self, image: &RgbImage) -> Result<Tensor> {
        if image.width() == 0 || image.height() == 0 {
            return Err(Error::new(ErrorKind::ImageEmpty, "The image has no pixels."));
        }
        let (height, width) = self.output_size();
        // What a crop leaves uncovered is black before it is normalised.
        let mut values = Vec::with_capacity(3 * height * width);
        for channel in self.levels.iter() {
            values.resize(values.len() + height * width, channel[0]);
        }
        let square = if self.squares { Some(squared(image, self.settings.filter)) } else { None };
        let placed = self.place(square.as_ref().unwrap_or(image));
        let (columns, plane) = (placed.pixels.width() as usize, height * width);
        for (row, pixels) in placed.pixels.as_raw().chunks_exact(3 * columns).enumerate() {
            let start = (placed.top + row) * width + placed.left;
            for (channel, levels) in self.levels.iter().enumerate() {
                let output = &mut values[channel * plane + start..][..columns];
                let source = if self.bgr { 2 - channel } else { channel };
                for (value, pixel) in output.iter_mut().zip(pixels.as_chunks::<3>().0) {
                    *value = levels[usize::from(pixel[source])];
                }
            }
        }
        Ok(Tensor::from_vec(values, (3, height, width), &Device::Cpu)?)
    }

    /// The part of `image`, which has pixels, that its tensor shows.
    pub fn frame(&self, image: &RgbImage) -> Frame {
        let whole = if self.squares { square_around(image) } else { Frame::WHOLE };
        let side = image.width().max(image.height());
        let (height, width) = if self.squares {
            self.resized_from(side, side)
        } else {
            self.resized_from(image.height(), image.width())
        };
        let part = |size: u64, crop: u32| {
            let Centre { skipped, before, .. } = centre(size, crop, self.settings.rounding);
            [(skipped as f32 - before as f32) / size as f32, crop as f32 / size as f32]
        };
        let ([top, height], [left, width]) = (part(height, self.output.0), part(width, self.output.1));
        Frame {
            left: whole.left + left * whole.width,
            top: whole.top + top * whole.height,
            width: width * whole.width,
            height: height * whole.height,
        }
    }

    /// (height, width) before the crop.
    fn resized_from(&self, height: u32, width: u32) -> (u64, u64) {
        match self.settings.resize {
            None => (height.into(), width.into()),
            Some(Size::Exact { height, width }) => (height.into(), width.into()),
            Some(Size::ShortestEdge(edge)) => shortest_edge(height, width, edge),
        }
    }

    /// Resizes and crops: the pixels that remain, and where they lie in the output.
    fn place(&self, image: &RgbImage) -> Placed {
        let (height, width) = self.resized_from(image.height(), image.width());
        let rounding = self.settings.rounding;
        let (rows, columns) =
            (centre(height, self.output.0, rounding), centre(width, self.output.1, rounding));
        let window =
            Window { left: columns.skipped, top: rows.skipped, width: columns.kept, height: rows.kept };
        // An image that keeps its size passes through any filter unchanged.
        let pixels = resize_window(image, width, height, window, self.settings.filter);
        Placed { pixels, top: rows.before as usize, left: columns.before as usize }
    }
}

/// A part of an image, in fractions of its width and height. Where the image was padded it reaches beyond 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Where it begins, from the left edge.
    pub left: f32,
    /// Where it begins, from the top edge.
    pub top: f32,
    /// How wide it is.
    pub width: f32,
    /// How high it is.
    pub height: f32,
}

impl Frame {
    /// All of an image.
    pub const WHOLE: Self = Self { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };
}

struct Placed {
    pixels: RgbImage,
    top: usize,
    left: usize,
}

/// (height, width) with the shorter edge at `edge` and the longer at `edge * long / short`, cut to a whole number.
fn shortest_edge(height: u32, width: u32, edge: u32) -> (u64, u64) {
    let (short, long) = (height.min(width), height.max(width));
    // The reference divides whole numbers in double precision, and so do we.
    let scaled = ((u64::from(edge) * u64::from(long)) as f64 / f64::from(short)) as u64;
    if width <= height { (scaled, edge.into()) } else { (edge.into(), scaled) }
}

/// One axis of a centre crop: of the source `skipped` pixels, then `kept`; in the output `before` pixels of padding.
#[derive(Debug, PartialEq)]
struct Centre {
    skipped: u64,
    kept: u32,
    before: u32,
}

/// Places `size` pixels in `crop`: what is too much goes evenly, the odd pixel behind or where `rounding` says; what is too
/// little is padded evenly, the odd pixel in front.
fn centre(size: u64, crop: u32, rounding: Rounding) -> Centre {
    match u32::try_from(size) {
        Ok(size) if size < crop => Centre { skipped: 0, kept: size, before: (crop - size).div_ceil(2) },
        _ => {
            let (half, odd) = ((size - u64::from(crop)) / 2, (size - u64::from(crop)) % 2);
            let up = if rounding == Rounding::HalfToEven { odd * (half % 2) } else { 0 };
            Centre { skipped: half + up, kept: crop, before: 0 }
        }
    }
}

/// The longest side of a picture that is padded to a square as it is: 48 MB.
const LONGEST: u32 = 4096;

/// A picture in the middle of a white square. One that would become too large is made smaller first.
fn squared(image: &RgbImage, filter: Filter) -> RgbImage {
    let (width, height) = image.dimensions();
    let longest = width.max(height);
    if width.abs_diff(height) > 0 && longest > LONGEST {
        let scaled =
            |side: u32| (f64::from(side) * f64::from(LONGEST) / f64::from(longest)).round().max(1.0) as u32;
        return squared(&resize(image, scaled(width), scaled(height), filter), filter);
    }
    let mut square = RgbImage::from_pixel(longest, longest, [255; 3].into());
    let (left, top) = ((longest - width) / 2, (longest - height) / 2);
    ::image::imageops::replace(&mut square, image, left.into(), top.into());
    square
}

/// The square that [`squared`] makes, in fractions of the picture.
fn square_around(image: &RgbImage) -> Frame {
    let (width, height) = (image.width().max(1), image.height().max(1));
    let longest = width.max(height);
    let (left, top) = ((longest - width) / 2, (longest - height) / 2);
    Frame {
        left: -(left as f32) / width as f32,
        top: -(top as f32) / height as f32,
        width: longest as f32 / width as f32,
        height: longest as f32 / height as f32,
    }
}

/// The value of every grey level.
///
/// Method, as the reference: the product in double precision, rounded to single; then mean and deviation,
/// themselves rounded to single, in single precision.
fn levels(settings: &Settings) -> Box<[[f32; 256]; 3]> {
    let mut levels = Box::new([[0.0; 256]; 3]);
    for (channel, levels) in levels.iter_mut().enumerate() {
        for (level, value) in levels.iter_mut().enumerate() {
            *value = settings.rescale.map_or(level as f32, |factor| (level as f64 * factor) as f32);
            if let Some((mean, deviation)) = settings.normalize {
                *value = (*value - mean[channel] as f32) / deviation[channel] as f32;
            }
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_edge_is_exact_and_the_longer_cut() {
        assert_eq!(shortest_edge(480, 640, 224), (224, 298));
        assert_eq!(shortest_edge(640, 480, 224), (298, 224));
        assert_eq!(shortest_edge(7, 7, 224), (224, 224));
        assert_eq!(shortest_edge(1, 100_000_000, 4096), (4096, 409_600_000_000));
    }

    #[test]
    fn the_odd_pixel_goes_where_the_reference_puts_it() {
        assert_eq!(centre(299, 224, Rounding::Down), Centre { skipped: 37, kept: 224, before: 0 });
        assert_eq!(centre(221, 224, Rounding::Down), Centre { skipped: 0, kept: 221, before: 2 });
        assert_eq!(centre(224, 224, Rounding::Down), Centre { skipped: 0, kept: 224, before: 0 });
        // Python's `round((size - crop) / 2)`.
        for (size, skipped) in [(225, 0), (227, 2), (229, 2), (231, 4), (228, 2)] {
            assert_eq!(centre(size, 224, Rounding::HalfToEven).skipped, skipped, "{size}");
        }
    }

    #[test]
    fn the_frame_is_what_the_tensor_shows() -> Result<()> {
        let frame = |json: &[u8], kind, width, height| -> Result<Frame> {
            Ok(Preprocessor::from_json(json, kind)?.frame(&RgbImage::new(width, height)))
        };
        let clip = |width, height| frame(b"{}", PreprocessorKind::Clip, width, height);
        assert_eq!(clip(224, 224)?, Frame::WHOLE);
        assert_eq!(clip(448, 224)?, Frame { left: 0.25, top: 0.0, width: 0.5, height: 1.0 });
        assert_eq!(clip(100, 400)?, Frame { left: 0.0, top: 0.375, width: 1.0, height: 0.25 });
        assert_eq!(frame(b"{}", PreprocessorKind::Blip, 5, 400)?, Frame::WHOLE);
        let padded = frame(br#"{"size": 112}"#, PreprocessorKind::Clip, 50, 50)?;
        assert_eq!(padded, Frame { left: -0.5, top: -0.5, width: 2.0, height: 2.0 });
        Ok(())
    }

    #[test]
    fn an_image_without_pixels_is_refused() {
        let preprocessor = Preprocessor::from_json(b"{}", PreprocessorKind::Clip);
        let kind = preprocessor.and_then(|p| p.tensor(&RgbImage::new(0, 5))).err().map(|e| e.kind());
        assert_eq!(kind, Some(ErrorKind::ImageEmpty));
    }

    #[test]
    fn a_scale_that_overflows_is_refused() {
        let json = br#"{"rescale_factor": 3e38}"#;
        assert!(Preprocessor::from_json(json, PreprocessorKind::Clip).is_err());
    }
}
