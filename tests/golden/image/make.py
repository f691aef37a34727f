"""Golden data for tests/image.rs: what PIL and transformers make of small files and of synthetic pictures.

    pip install -r tests/golden/requirements.txt && python tests/golden/image/make.py

Writes beside itself:
  files/         one small file for each format and mode
  decode.json    what each file decodes to (offset and size in decode.bin), or which error it is
  decode.bin     the expected pixels, RGB
  resize.json    check sums and samples of resized synthetic pictures
  preprocess.json  check sums and samples of preprocessed synthetic pictures
  pipeline.json  the pixels that each processor makes of pictures of many sizes and of every orientation
"""

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from transformers.image_transforms import convert_to_rgb
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

HERE = Path(__file__).resolve().parent
FILES = HERE / "files"


def synthetic(width, height, kind):
    """A picture that tests/image.rs makes by the same formula: whole numbers modulo 2**32."""
    y, x, c = np.meshgrid(
        np.arange(height, dtype=np.uint32),
        np.arange(width, dtype=np.uint32),
        np.arange(3, dtype=np.uint32),
        indexing="ij",
    )
    mixed = (x * np.uint32(73856093)) ^ (y * np.uint32(19349663)) ^ (c * np.uint32(83492791))
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(1274126177)
    noise = (mixed >> np.uint32(24)).astype(np.uint32)
    if kind == "noise":
        value = noise
    elif kind == "extreme":  # black or white: the filters' overshoot is clipped
        value = np.where(noise & 64, np.uint32(255), np.uint32(0))
    else:  # "photo": a slope with a little grain
        slope = (x * np.uint32(255) // np.uint32(max(width, 1)) + y * np.uint32(255) // np.uint32(max(height, 1)) + c * np.uint32(40)) % np.uint32(256)
        value = (slope * np.uint32(7) + noise) // np.uint32(8)
    return value.astype(np.uint8)


def png(width, height, depth, colour, rows, extra=(), interlaced=False):
    """A PNG as PIL does not write it: 16 bits, 2 or 4 bits of grey, interlaced."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    body = b"".join(b"\0" + row for row in rows)
    chunks = [chunk(b"IHDR", header), *(chunk(*pair) for pair in extra)]
    return b"\x89PNG\r\n\x1a\n" + b"".join([*chunks, chunk(b"IDAT", zlib.compress(body, 9)), chunk(b"IEND", b"")])


def packed(values, bits):
    """Rows of small values, packed as PNG packs them."""
    rows = []
    for row in values:
        digits = "".join(format(int(v), f"0{bits}b") for v in row)
        digits += "0" * (-len(digits) % 8)
        rows.append(bytes(int(digits[i : i + 8], 2) for i in range(0, len(digits), 8)))
    return rows


def adam7(pixels):
    for y0, x0, dy, dx in [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]:
        part = pixels[y0::dy, x0::dx]
        if part.size:
            yield from (row.tobytes() for row in part)


def rle8_bmp(indices, palette):
    """A run-length coded BMP, bottom row first."""
    height, width = indices.shape
    data = bytearray()
    for row in indices[::-1]:
        x = 0
        while x < width:
            run = 1
            while x + run < width and run < 255 and row[x + run] == row[x]:
                run += 1
            data += bytes([run, int(row[x])])
            x += run
        data += b"\0\0"
    data[-2:] = b"\0\1"
    colours = b"".join(bytes([b, g, r, 0]) for r, g, b in palette)
    offset = 14 + 40 + len(colours)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(data), 0, 0, len(palette), 0)
    return struct.pack("<2sIHHI", b"BM", offset + len(data), 0, 0, offset) + info + colours + bytes(data)


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def fixtures():
    """name -> bytes. Odd sizes, so that padding of rows and blocks shows."""
    width, height = 23, 17
    rgb = Image.fromarray(synthetic(width, height, "photo"))
    slope = np.linspace(0, 255, width * height).astype(np.uint8).reshape(height, width)
    alpha = Image.fromarray(slope)
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    grey = rgb.convert("L")
    grey_alpha = Image.merge("LA", (grey, alpha))
    palette = rgb.quantize(19)
    bits = grey.convert("1")
    hue = Image.fromarray(synthetic(width, height, "noise"))
    portrait = Image.fromarray(synthetic(height, width, "photo"))
    files = {
        "rgb.png": saved(rgb, "PNG"),
        "noise.png": saved(hue, "PNG"),
        "rgba.png": saved(rgba, "PNG"),
        "grey.png": saved(grey, "PNG"),
        "grey-alpha.png": saved(grey_alpha, "PNG"),
        "palette.png": saved(palette, "PNG"),
        "palette-key.png": saved(palette, "PNG", transparency=3),
        "palette-alpha.png": saved(palette, "PNG", transparency=bytes(range(0, 190, 10))),
        "palette-4.png": saved(rgb.quantize(11), "PNG"),
        "bits.png": saved(bits, "PNG"),
        "grey-key.png": saved(grey, "PNG", transparency=int(np.array(grey)[5, 5])),
        "rgb-key.png": saved(rgb, "PNG", transparency=tuple(int(v) for v in np.array(rgb)[5, 5])),
        "1x1.png": saved(rgb.crop((0, 0, 1, 1)), "PNG"),
        "lossless.webp": saved(rgb, "WEBP", lossless=True),
        "lossless-alpha.webp": saved(rgba, "WEBP", lossless=True, exact=True),
        "lossy.webp": saved(rgb, "WEBP", quality=90),
        "lossy-alpha.webp": saved(rgba, "WEBP", quality=90),
        "animated.webp": saved(rgb, "WEBP", lossless=True, save_all=True, append_images=[hue], duration=100),
        "plain.gif": saved(palette, "GIF"),
        "key.gif": saved(palette, "GIF", transparency=3),
        "interlaced.gif": saved(palette, "GIF", interlace=1),
        "animated.gif": saved(palette, "GIF", save_all=True, append_images=[hue.quantize(7)], duration=100),
        "1x1.gif": saved(palette.crop((0, 0, 1, 1)), "GIF"),
        "rgb.bmp": saved(rgb, "BMP"),
        "rgba.bmp": saved(rgba, "BMP"),
        "grey.bmp": saved(grey, "BMP"),
        "palette.bmp": saved(palette, "BMP"),
        "bits.bmp": saved(bits, "BMP"),
        "runs.bmp": rle8_bmp(np.array(palette) // 5, [(40 * i, 255 - 30 * i, 17 * i) for i in range(5)]),
        "rgb.tiff": saved(rgb, "TIFF"),
        "rgba.tiff": saved(rgba, "TIFF"),
        "grey.tiff": saved(grey, "TIFF"),
        "bits.tiff": saved(bits, "TIFF"),
        "lzw.tiff": saved(rgb, "TIFF", compression="tiff_lzw"),
        "deflate.tiff": saved(rgb, "TIFF", compression="tiff_adobe_deflate"),
        "packbits.tiff": saved(rgb, "TIFF", compression="packbits"),
        "cmyk.tiff": saved(rgb.convert("CMYK"), "TIFF"),
        "palette.tiff": saved(palette, "TIFF"),
        "turned-3.tiff": saved(rgb, "TIFF", tiffinfo={0x0112: 3}),
    }
    # Sixteen bits: PIL opens these but writes only grey.
    wide = (np.array(hue).astype(np.uint16) << 8) | np.array(rgb)
    wide_alpha = (slope.astype(np.uint16) << 8) | 0x7F
    rgba16 = np.dstack([wide, wide_alpha])
    files["rgb16.png"] = png(width, height, 16, 2, [row.astype(">u2").tobytes() for row in wide])
    files["rgba16.png"] = png(width, height, 16, 6, [row.astype(">u2").tobytes() for row in rgba16])
    files["grey-alpha16.png"] = png(width, height, 16, 4, [r.astype(">u2").tobytes() for r in rgba16[..., [1, 3]]])
    files["grey16.png"] = png(width, height, 16, 0, [row.astype(">u2").tobytes() for row in wide[..., 0]])
    files["grey16.tiff"] = saved(Image.fromarray(wide[..., 0]), "TIFF")
    for depth in (2, 4):
        small = np.array(hue)[..., 0] >> (8 - depth)
        files[f"grey{depth}.png"] = png(width, height, depth, 0, packed(small, depth))
    files["interlaced.png"] = png(width, height, 8, 2, list(adam7(np.array(rgb))), interlaced=True)

    photo = Image.fromarray(synthetic(61, 45, "photo"))
    files["444.jpg"] = saved(photo, "JPEG", quality=90, subsampling=0)
    files["422.jpg"] = saved(photo, "JPEG", quality=90, subsampling=1)
    files["420.jpg"] = saved(photo, "JPEG", quality=90, subsampling=2)
    files["progressive.jpg"] = saved(photo, "JPEG", quality=90, progressive=True)
    files["restarts.jpg"] = saved(photo, "JPEG", quality=90, restart_marker_blocks=2)
    files["grey.jpg"] = saved(photo.convert("L"), "JPEG", quality=90)
    files["cmyk.jpg"] = saved(photo.convert("CMYK"), "JPEG", quality=90)
    files["rgb.jpg"] = saved(photo, "JPEG", quality=90, keep_rgb=True)
    files["1x1.jpg"] = saved(photo.crop((0, 0, 1, 1)), "JPEG")
    for orientation in range(1, 9):
        files[f"exif-{orientation}.jpg"] = saved(photo, "JPEG", quality=90, subsampling=0, exif=exif(orientation))
        files[f"exif-{orientation}.png"] = saved(rgb, "PNG", exif=exif(orientation))
        files[f"exif-{orientation}.webp"] = saved(portrait, "WEBP", lossless=True, exif=exif(orientation))
    return files


# What ocelli reads otherwise than PIL, on purpose: see `ocelli::image::decode`.
HIGH_BYTE = {"grey16.png", "grey16.tiff"}


def reference(data, name):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if name in HIGH_BYTE:
        return np.repeat((np.array(image) >> 8).astype(np.uint8)[..., None], 3, axis=2)
    return convert_to_rgb(image, return_numpy=True)


def make_decode():
    FILES.mkdir(exist_ok=True)
    for old in FILES.iterdir():
        old.unlink()
    cases, pixels = [], b""
    for name, data in sorted(fixtures().items()):
        (FILES / name).write_bytes(data)
        rgb = reference(data, name)
        cases.append({"file": name, "width": rgb.shape[1], "height": rgb.shape[0], "offset": len(pixels)})
        pixels += rgb.tobytes()
    (HERE / "decode.bin").write_bytes(pixels)
    write("decode.json", cases)


def samples(flat, count=8):
    """Evenly spread values, so that a wrong check sum comes with a place to look."""
    indices = np.linspace(0, len(flat) - 1, count).astype(int)
    return [[int(i), flat[i].item()] for i in indices]


def make_resize():
    shapes = [
        (1, 1, 5, 4), (5, 4, 1, 1), (7, 5, 7, 9), (7, 5, 9, 5), (16, 16, 8, 8), (16, 16, 32, 32), (17, 13, 11, 29),
        (100, 3, 40, 90), (3, 100, 90, 40), (101, 67, 33, 22), (224, 224, 224, 224), (225, 223, 224, 224),
        (640, 480, 298, 224), (481, 641, 224, 298), (333, 500, 384, 384), (1000, 700, 384, 384), (31, 47, 384, 384),
        (1, 300, 224, 224), (300, 1, 224, 224), (1999, 1501, 96, 72),
    ]  # fmt: skip
    cases = []
    for kind in ("photo", "noise", "extreme"):
        for width, height, to_width, to_height in shapes:
            image = Image.fromarray(synthetic(width, height, kind))
            for code in range(6):
                output = np.array(image.resize((to_width, to_height), Image.Resampling(code)))
                crc = zlib.crc32(output.tobytes())
                cases.append([kind, width, height, to_width, to_height, code, crc, samples(output.ravel(), 3)])
    # Photographs of 12 megapixels, as cameras take them.
    image = Image.fromarray(synthetic(4032, 3024, "photo"))
    output = np.array(image.resize((384, 384), Image.Resampling.BICUBIC))
    crc = zlib.crc32(output.tobytes())
    cases.append(["photo", 4032, 3024, 384, 384, 3, crc, samples(output.ravel(), 3)])
    write("resize.json", cases)


PROCESSORS = {"clip": CLIPImageProcessorPil, "blip": BlipImageProcessorPil, "vit": ViTImageProcessorPil}
CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]


def make_preprocess():
    clip = [
        {},
        {"crop_size": 224, "do_center_crop": True, "do_normalize": True, "do_resize": True, "image_mean": CLIP_MEAN,
         "image_std": CLIP_STD, "resample": 3, "size": 224},
        {"size": {"shortest_edge": 96}, "crop_size": {"height": 96, "width": 96}},
        {"size": 96, "crop_size": 64, "resample": 2},
        {"size": 64, "crop_size": 97, "resample": 1},
        {"size": [48, 80], "crop_size": [40, 90], "resample": 5},
        {"size": 96, "default_to_square": True, "crop_size": 96, "resample": 0},
        {"size": {"height": 70, "width": 50}, "do_center_crop": False, "resample": 4},
        {"do_resize": False, "crop_size": {"height": 63, "width": 101}},
        {"size": 32, "crop_size": 32, "do_rescale": False},
        {"size": 32, "crop_size": 32, "do_normalize": False},
        {"size": 32, "crop_size": 32, "do_rescale": False, "do_normalize": False},
        {"size": 32, "crop_size": 32, "rescale_factor": 0.00784313725490196, "image_mean": 1.0, "image_std": 1.0},
        {"do_center_crop": None, "size": [48, 48], "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.25, 0.125]},
    ]  # fmt: skip
    blip = [
        {},
        {"do_convert_rgb": True, "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": CLIP_MEAN,
         "image_std": CLIP_STD, "resample": 3, "rescale_factor": 0.00392156862745098,
         "size": {"height": 384, "width": 384}},
        {"size": 96},
        {"size": {"height": 30, "width": 60}, "resample": 2},
        {"size": 80, "do_center_crop": True, "crop_size": 64},
    ]  # fmt: skip
    vit = [
        {},
        {"do_normalize": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": 224},
        {"do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5],
         "image_processor_type": "ViTImageProcessor", "image_std": [0.5, 0.5, 0.5], "resample": 2,
         "rescale_factor": 0.00392156862745098, "size": {"height": 224, "width": 224}},
        {"size": 96, "resample": 0},
        {"size": {"height": 30, "width": 60}, "resample": 3, "image_mean": CLIP_MEAN, "image_std": CLIP_STD},
        {"size": 80, "do_center_crop": True, "crop_size": 64},
    ]  # fmt: skip
    shapes = [(1, 1), (50, 37), (37, 50), (131, 97), (96, 96), (301, 40), (640, 427)]
    cases = []
    for (kind, processor), configs in zip(PROCESSORS.items(), (clip, blip, vit), strict=True):
        for config in configs:
            ready = processor(**config)
            for width, height in shapes:
                image = Image.fromarray(synthetic(width, height, "photo"))
                values = np.asarray(ready(image).pixel_values[0], dtype=np.float32)
                cases.append({
                    "kind": kind, "config": config, "width": width, "height": height, "shape": list(values.shape),
                    "crc": zlib.crc32(values.astype("<f4").tobytes()), "samples": samples(values.ravel(), 4),
                })  # fmt: skip
    write("preprocess.json", cases)


def tiff(pixels, orientation):
    """An uncompressed TIFF with an EXIF orientation: the same bytes as those of tests/image.rs."""
    height, width, _ = pixels.shape
    entries = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, 134), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 140),
        (274, 3, 1, orientation), (277, 3, 1, 3), (278, 4, 1, height), (279, 4, 1, pixels.size),
    ]  # fmt: skip
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + directory + struct.pack("<I3H", 0, 8, 8, 8) + pixels.tobytes()


def pipeline():
    """(kind, width, height, orientation): pictures given as pixels where the orientation is 0, else as a TIFF."""
    kinds = ("photo", "noise", "extreme")
    edges = (1, 2, 3, 5, 17, 64, 223, 224, 225, 383, 384, 385, 640, 1000)
    shapes = [(width, height, 0) for width in edges for height in edges]
    shapes += [(1920, 1080, 0), (1080, 1920, 0), (4032, 3024, 0), (3024, 4032, 0)]
    shapes += [(8000, 1, 0), (1, 8000, 0), (8000, 37, 0), (37, 8000, 0), (8000, 6000, 0), (6000, 8000, 0)]
    turned = [(1, 1), (5, 3), (3, 5), (37, 1000), (1000, 37), (300, 200), (200, 300), (640, 480), (480, 640)]
    shapes += [(width, height, orientation) for width, height in turned for orientation in range(1, 9)]
    shapes += [(4032, 3024, 6), (3024, 4032, 5), (8000, 6000, 8)]
    for index, (width, height, orientation) in enumerate(shapes):
        # Noise that is shrunk a great deal is grey all over.
        kind = "photo" if width * height > 4_000_000 else kinds[index % 3]
        yield kind, width, height, orientation


def make_pipeline():
    # What normalising begins with: the resized and cropped pixels.
    ready = [processor(do_rescale=False, do_normalize=False) for processor in PROCESSORS.values()]
    cases = []
    for kind, width, height, orientation in pipeline():
        pixels = synthetic(width, height, kind)
        image = Image.fromarray(pixels)
        if orientation:
            image = ImageOps.exif_transpose(Image.open(io.BytesIO(tiff(pixels, orientation))))
        results = []
        for processor in ready:
            values = np.asarray(processor(image).pixel_values[0])
            flat = values.astype(np.uint8).ravel()
            assert (flat == values.ravel()).all()
            results.append([zlib.crc32(flat.tobytes()), *(v for _, v in samples(flat, 3))])
        cases.append([kind, width, height, orientation, results])
    write("pipeline.json", cases)


def write(name, cases):
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    make_decode()
    make_resize()
    make_preprocess()
    make_pipeline()
