/** How large a picture may be, as in Rust. */

/** The largest encoded picture accepted, in bytes. */
export const MAX_IMAGE_BYTES = 256 << 20;
/** The most pixels accepted. */
export const MAX_IMAGE_PIXELS = 100_000_000;
/** The longest edge accepted, in pixels. */
export const MAX_IMAGE_EDGE = 1_000_000;
