"""Small TIFF files of kinds that decoders tend to leave aside, and Pillow's reading of each as RGB over white.

    python tests/golden/image/make_tiff.py        (Pillow 12 or later)

Each picture has 13 x 9 pixels, so that no row of bits ends with a byte.
"""

import io
import struct
from pathlib import Path

from PIL import Image, TiffImagePlugin

FOLDER = Path(__file__).parent / "tiff"
WIDTH, HEIGHT = 13, 9


def colours() -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT))
    image.putdata([(17 * x, 25 * y, (13 * x + 31 * y) % 256) for y in range(HEIGHT) for x in range(WIDTH)])
    return image


def numbers(mode: str, low: float, high: float) -> Image.Image:
    image = Image.new(mode, (WIDTH, HEIGHT))
    count = WIDTH * HEIGHT
    image.putdata([type(low)(low + (high - low) * i / count) for i in range(count)])
    return image


def write(name: str, image: Image.Image, **options: object) -> None:
    image.save(FOLDER / f"{name}.tiff", "TIFF", **options)


def raw(name: str, data: bytes, order: str = "<", **tags: object) -> None:
    """A file of one strip without compression; `tags` by number, each a list of shorts, or (type, values)."""
    entries = {256: [WIDTH], 257: [HEIGHT], 259: [1], 277: [1], 278: [HEIGHT]}
    entries |= {int(tag[1:]): values for tag, values in tags.items()}
    names = sorted([*entries, 273, 279])
    start = 8 + 2 + 12 * len(names) + 4
    behind = b""
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(names))
    packed = {tag: struct.pack(f"{order}{len(values)}H", *values) for tag, values in entries.items()}
    extra = sum(len(values) for values in packed.values() if len(values) > 4)
    for tag in names:
        if tag in (273, 279):
            number = start + extra if tag == 273 else len(data)
            out += struct.pack(order + "HHII", tag, 4, 1, number)
            continue
        values = packed[tag]
        out += struct.pack(order + "HHI", tag, 3, len(entries[tag]))
        if len(values) > 4:
            out += struct.pack(order + "I", start + len(behind))
            behind += values
        else:
            out += values.ljust(4, b"\0")
    (FOLDER / f"{name}.tiff").write_bytes(out + struct.pack(order + "I", 0) + behind + data)


def bits(samples: list[int], width: int, reverse: bool = False) -> bytes:
    """Samples of few bits, each row beginning with a byte."""
    out = bytearray()
    for y in range(HEIGHT):
        row = "".join(f"{sample:0{width}b}" for sample in samples[y * WIDTH : (y + 1) * WIDTH])
        row = row.ljust(-(-len(row) // 8) * 8, "0")
        for at in range(0, len(row), 8):
            byte = row[at : at + 8]
            out.append(int(byte[::-1] if reverse else byte, 2))
    return bytes(out)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    rgb = colours()
    grey = rgb.convert("L")
    alpha = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    count = WIDTH * HEIGHT

    write("palette", rgb.quantize(20))
    write("palette-lzw", rgb.quantize(20), compression="tiff_lzw")
    write("lab", Image.merge("LAB", rgb.split()))
    write("ycbcr", rgb.convert("YCbCr"))
    write("ycbcr-deflate", rgb.convert("YCbCr"), compression="tiff_adobe_deflate")
    write("float", numbers("F", -60.0, 320.0))
    write("float-lzw", numbers("F", -60.0, 320.0), compression="tiff_lzw")
    write("int32", numbers("I", -100, 400))
    write("grey-alpha", Image.merge("LA", (grey, alpha)))
    write("grey-alpha-zstd", Image.merge("LA", (grey, alpha)), compression="zstd")
    write("zstd", rgb, compression="zstd")
    write("zstd-predictor", rgb, compression="zstd", tiffinfo={317: 2})
    write("group3", grey.convert("1"), compression="group3")
    write("group4", grey.convert("1"), compression="group4")
    strips = TiffImagePlugin.ImageFileDirectory_v2()
    strips[278] = 4
    write("zstd-strips", rgb, compression="zstd", tiffinfo=strips)
    write("lzma", rgb, compression="lzma")
    write("lzma-predictor", rgb, compression="lzma", tiffinfo={317: 2})
    # Rows of one colour among those of a fax: nothing is easier to lose.
    page = Image.new("1", (70, 23), 1)
    page.paste(0, (3, 4, 66, 7))
    page.paste(0, (0, 9, 11, 10))
    page.paste(0, (20, 11, 70, 12))
    page.paste(0, (0, 14, 70, 15))
    page.paste(grey.convert("1"), (40, 13))
    page.paste(0, (0, 22, 70, 23))
    write("run-lengths", page, compression="tiff_ccitt")
    write("group3-page", page, compression="group3")
    write("group3-two-dimensions", page, compression="group3", tiffinfo={292: 1})
    write("group3-filled", page, compression="group3", tiffinfo={292: 5})
    write("group3-strips", page, compression="group3", tiffinfo=strips)
    write("run-lengths-strips", page, compression="tiff_ccitt", tiffinfo=strips)

    four, two, one = [[i * 7 % size for i in range(count)] for size in (16, 4, 2)]
    raw("grey-4", bits(four, 4), _258=[4], _262=[1])
    raw("grey-4-white-is-zero", bits(four, 4), ">", _258=[4], _262=[0])
    raw("grey-2", bits(two, 2), _258=[2], _262=[1])
    raw("grey-2-reversed", bits(two, 2, reverse=True), _258=[2], _262=[1], _266=[2])
    raw("bits-reversed", bits(one, 1, reverse=True), _258=[1], _262=[0], _266=[2])
    for width, samples in ((4, four), (2, two), (1, one)):
        size = 1 << width
        colour_map = [(i * 4001 + channel * 9973) % 65536 for channel in range(3) for i in range(size)]
        for order in "<>":
            name = f"palette-{width}-{'little' if order == '<' else 'big'}"
            raw(name, bits(samples, width), order, _258=[width], _262=[3], _320=colour_map)
    raw("grey-extra", bytes(i % 256 for i in range(2 * count)), _258=[8, 8], _262=[1], _277=[2], _338=[0])
    raw("grey-premultiplied", bytes(v for i in range(count) for v in (i, 2 * i)), _258=[8, 8], _262=[1], _277=[2], _338=[1])
    raw("int16", struct.pack(f"<{count}h", *(5 * i - 200 for i in range(count))), _258=[16], _262=[1], _339=[2])
    raw("cmyk-extra", bytes(i * 3 % 256 for i in range(5 * count)), _258=[8] * 5, _262=[5], _277=[5], _338=[0])

    for path in sorted(FOLDER.glob("*.tiff")):
        image = Image.open(io.BytesIO(path.read_bytes()))
        if image.mode in ("LA", "La", "PA", "RGBA"):
            image = image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
            ground = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(ground, image)
        image.convert("RGB").save(path.with_suffix(".png"), optimize=True)


if __name__ == "__main__":
    main()
