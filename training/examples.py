"""Write the small drawings that tests use: tests/images/drawings/<style>-<name>.png, 128 px on white.

usage: python examples.py   (after render_drawings.mjs)
"""
from PIL import Image

from drawings import TRAIN_STYLES, UNSEEN_STYLE, load
from measured import on_ground, pil
from paths import REPO

NAMES = ["pizza", "rocket", "butterfly"]


def main():
    out = REPO / "tests" / "images" / "drawings"
    out.mkdir(parents=True, exist_ok=True)
    for style in TRAIN_STYLES + [UNSEEN_STYLE]:
        px, _, _, names = load([style])
        for name in NAMES:
            image = on_ground(pil(px[names.index(name)]), Image.new("RGB", (128, 128), "white"))
            target = out / f"{style}-{name}.png"
            image.save(target, optimize=True)
            if target.stat().st_size > 9900:  # shaded drawings: 128 colours are enough
                image.quantize(128).save(target, optimize=True)
            print(target.name, target.stat().st_size)


if __name__ == "__main__":
    main()
