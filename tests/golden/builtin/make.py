"""What the built-in models say of the drawings in tests/images, according to `transformers`.

Run from the repository root, with the packages of tests/golden/requirements.txt and PyTorch:

    python tests/golden/builtin/make.py

Writes expected.json beside this file. For each picture: the softmax over all labels of the built-in
label list (template "a photo of a {}."), the token ids and text of the greedy caption, the ids after a prompt, the ids
where repetition is punished, and the ids and scores of the best three of three beams. The weights are stored as f16 and computed in f32 on
both sides.
"""

import json
from pathlib import Path

import torch
from PIL import Image
from transformers import AutoTokenizer, BlipForConditionalGeneration, CLIPModel
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
MODELS = ROOT / "tests" / "golden" / "trained"
TEMPLATE = "a photo of a {}."
MAX_NEW_TOKENS = 30
# The same are in tests/tasks.rs.
SEP = 3
PROMPT = "two small"
PENALISED = {"repetition_penalty": 1.3, "no_repeat_ngram_size": 2, "min_new_tokens": 12}


def on_white(path):
    """The picture as RGB, transparency over white."""
    image = Image.open(path).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def cut(ids, end):
    """Without what the reference fills shorter captions up with."""
    return ids[: ids.index(end) + 1] if end in ids else ids


def main():
    torch.manual_seed(0)
    paths = sorted((ROOT / "tests" / "images" / "drawings").glob("*.png"))
    pictures = [on_white(path) for path in paths]
    labels = json.loads((MODELS / "clip-tiny" / "labels.json").read_text())

    folder = MODELS / "clip-tiny"
    clip = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokens = AutoTokenizer.from_pretrained(folder)(
        [TEMPLATE.format(label) for label in labels], padding=True, truncation=True, return_tensors="pt",
        max_length=clip.config.text_config.max_position_embeddings,
    )
    pixels = CLIPImageProcessorPil.from_pretrained(folder)(pictures, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        scores = clip(pixel_values=pixels, **tokens).logits_per_image.softmax(-1)

    folder = MODELS / "blip-tiny"
    blip = BlipForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    words = AutoTokenizer.from_pretrained(folder)
    prompt = words(PROMPT, return_tensors="pt")["input_ids"]
    assert prompt[0, -1] == SEP == blip.config.text_config.sep_token_id and (prompt > 4).sum() == 2
    pixels = BlipImageProcessorPil.from_pretrained(folder)(pictures, return_tensors="pt")["pixel_values"]
    expected = []
    for index, path in enumerate(paths):
        def write(**settings):
            with torch.inference_mode():
                return blip.generate(
                    pixel_values=pixels[index : index + 1], do_sample=False, max_new_tokens=MAX_NEW_TOKENS,
                    output_scores=True, return_dict_in_generate=True, **settings,
                )

        ids = write().sequences[0].tolist()
        beams = write(num_beams=3, num_return_sequences=3)
        expected.append({
            "image": path.relative_to(ROOT).as_posix(),
            "scores": [round(score, 7) for score in scores[index].tolist()],
            "ids": ids,
            "caption": words.decode(ids, skip_special_tokens=True),
            "prompted": cut(write(input_ids=prompt.clone(), num_beams=3).sequences[0].tolist(), SEP),
            "penalised": write(**PENALISED).sequences[0].tolist(),
            "beams": [cut(row, SEP) for row in beams.sequences.tolist()],
            "beam_scores": [round(score, 6) for score in beams.sequences_scores.tolist()],
        })
    rows = ",\n".join(json.dumps(row) for row in expected)
    (HERE / "expected.json").write_text(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    main()
