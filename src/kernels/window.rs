//! Windows that slide over images: which pixels each output of a convolution or a pooling sees.

/// The size of a batch of images whose channels lie together: `(batch, height, width, channels)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Images.
    pub batch: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Values of a pixel.
    pub channels: usize,
}

impl Extent {
    /// Elements of all images together.
    pub fn elements(self) -> usize {
        self.batch * self.height * self.width * self.channels
    }

    /// `(batch, height, width, channels)`.
    pub fn dims(self) -> [usize; 4] {
        [self.batch, self.height, self.width, self.channels]
    }
}

/// Zeros around an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// As many on every side.
    Symmetric(usize),
    /// TensorFlow's `SAME`: as many as it takes for `ceil(size / stride)` outputs. Of an odd number, the one more comes
    /// after the image.
    Same,
}

/// A square window: its side, how far it moves at a time, and what it finds beyond the border.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Height and width in pixels.
    pub kernel: usize,
    /// Pixels from one output to the next, in both directions; at least one.
    pub stride: usize,
    /// Zeros around the image.
    pub padding: Padding,
}

/// One direction of an image under a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    /// Zeros before the first pixel.
    pub(super) before: usize,
    /// Positions of the window.
    pub(super) outputs: usize,
}

impl Window {
    /// The size of the output for images of `extent`; there is none where the window is larger than the padded image.
    pub fn output(self, extent: Extent) -> Extent {
        let [height, width] = [extent.height, extent.width].map(|size| self.axis(size).outputs);
        Extent { height, width, ..extent }
    }

    /// Where the window is along `size` pixels.
    pub(super) fn axis(self, size: usize) -> Axis {
        let stride = self.stride.max(1);
        match self.padding {
            Padding::Symmetric(before) => {
                let room = (size + 2 * before).checked_sub(self.kernel);
                Axis { before, outputs: room.map_or(0, |room| room / stride + 1) }
            }
            Padding::Same => {
                let outputs = size.div_ceil(stride);
                let covered = outputs.saturating_sub(1) * stride + self.kernel;
                Axis { before: covered.saturating_sub(size) / 2, outputs }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn same_padding_is_tensorflows() {
        // Kernel, stride, size; zeros before and outputs, from TensorFlow's documentation of `SAME`.
        let cases = [
            (3, 1, 7, 1, 7),
            (3, 2, 7, 1, 4),
            (3, 2, 224, 0, 112),
            (5, 2, 112, 1, 56),
            (5, 2, 7, 2, 4),
            (1, 2, 5, 0, 3),
        ];
        for (kernel, stride, size, before, outputs) in cases {
            let axis = Window { kernel, stride, padding: Padding::Same }.axis(size);
            assert_eq!(axis, Axis { before, outputs }, "{kernel} by {stride} on {size}");
        }
    }

    #[test]
    fn symmetric_padding_leaves_out_what_is_not_a_whole_step() {
        for (kernel, stride, size, pad, outputs) in
            [(3, 2, 224, 1, 112), (3, 1, 5, 0, 3), (2, 2, 7, 0, 3), (7, 1, 3, 1, 0)]
        {
            let window = Window { kernel, stride, padding: Padding::Symmetric(pad) };
            assert_eq!(window.axis(size), Axis { before: pad, outputs }, "{window:?} on {size}");
        }
    }
}
