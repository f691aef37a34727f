"""How well texts match the drawings in tests/images, according to `transformers` with the built-in model.

Run from the repository root, with the packages of tests/golden/requirements.txt and PyTorch:

    python tests/golden/builtin/make_matching.py

Writes matching.json beside this file: for each picture and each text the cosine of the embeddings (image-text contrast)
and the two logits of image-text matching.
"""

import json

import torch
from make import HERE, MODELS, ROOT, on_white
from transformers import AutoTokenizer, BlipForImageTextRetrieval
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

TEXTS = [
    "a butterfly on a white ground",
    "a rocket",
    "a pizza on a white ground",
    "a kite and a lion",
    "nothing at all",
    "a very long text about a rocket " * 8,
]


def main():
    paths = sorted((ROOT / "tests" / "images" / "drawings").glob("*.png"))
    folder = MODELS / "blip-tiny"
    model = BlipForImageTextRetrieval.from_pretrained(folder, dtype=torch.float32).eval()
    tokens = AutoTokenizer.from_pretrained(folder)(
        TEXTS, padding=True, truncation=True, max_length=model.config.text_config.max_position_embeddings,
        return_tensors="pt", return_token_type_ids=False,
    )
    pixels = BlipImageProcessorPil.from_pretrained(folder)([on_white(path) for path in paths], return_tensors="pt")
    expected = []
    for path, picture in zip(paths, pixels["pixel_values"], strict=True):
        same = picture[None].expand(len(TEXTS), -1, -1, -1)
        with torch.inference_mode():
            cosines = model(pixel_values=picture[None], use_itm_head=False, **tokens).itm_score[0]
            logits = model(pixel_values=same, **tokens).itm_score
        expected.append({
            "image": path.relative_to(ROOT).as_posix(),
            "cosines": [round(cosine, 6) for cosine in cosines.tolist()],
            "logits": [[round(logit, 6) for logit in pair] for pair in logits.tolist()],
        })
    rows = ",\n".join(json.dumps(row) for row in expected)
    (HERE / "matching.json").write_text(f'{{"texts": {json.dumps(TEXTS)}, "pictures": [\n{rows}\n]}}\n')


if __name__ == "__main__":
    main()
