"""Makes the maps beside this file: which parts of an image made an answer, according to PyTorch.

Run it with the packages of ../requirements.txt and PyTorch: python tests/golden/inside/make_maps.py

expected.safetensors has maps of the golden models in ../models, for the images of their make.py; builtin.json those of
the models that come with the package, for drawings in tests/images. Attention is computed by the reference in its eager
form, gradients by autograd; the rules are written down below as their papers and published code have them.
"""

import json
import sys
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import (
    AutoTokenizer,
    BlipForConditionalGeneration,
    BlipForImageTextRetrieval,
    CLIPModel,
    ViTForImageClassification,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.append(str(HERE.parent / "models"))
from make import IMAGES, load, pixels  # noqa: E402

CLIPS = ["clip-quick-gelu-eos-2", "clip-gelu-eos-7", "clip-config-dict", "clip-silu-relu"]
BLIPS = ["blip-tied", "blip-untied", "blip-two-tables"]
VITS = ["vit-labels", "vit-no-bias"]
ITMS = ["blip-itm-gelu", "blip-itm-deep"]
# Texts of the golden matchers: 97 begins and 5 ends them. The same are in tests/inside.rs.
MATCHED = [[97, 12, 40, 33, 5], [97, 60, 5]]
MODELS = ROOT / "tests" / "golden" / "trained"
DRAWINGS = ["noto-rocket", "fluent-emoji-pizza", "openmoji-butterfly", "twemoji-pizza"]
TEXTS = ["a photo of a pizza.", "a rocket"]
# The last one loses its end.
MATCHES = ["a pizza on a white ground", "a rocket", "a very long text about a rocket " * 8]
# What the captioner says of the first drawing, and what nobody would: capitals, punctuation, words in several pieces,
# a character of two UTF-16 units.
CAPTIONS = [None, "A rocket, seen from below: 🚀 skyward!"]


def rollout(attentions):
    """Abnar and Zuidema 2020: the class token's row of the product over the layers, without its own column."""
    product = None
    for attention in attentions:
        matrix = 0.5 * attention.mean(0) + 0.5 * torch.eye(attention.shape[-1])
        matrix = matrix / matrix.sum(-1, keepdim=True)
        product = matrix if product is None else matrix @ product
    return product[0, 1:]


def relevance(logit, attentions):
    """Chefer, Gur and Wolf 2021, as their notebook for CLIP has it, over all layers."""
    relevant = torch.eye(attentions[0].shape[-1])
    for attention, gradient in zip(attentions, torch.autograd.grad(logit, attentions)):
        cam = (gradient * attention).clamp(min=0)[0].mean(0).detach()
        relevant = relevant + cam @ relevant
    return relevant[0, 1:]


def clip_logit(model, image, ids):
    """The logit of one image and one text, and the attention probabilities of the vision tower."""
    vision = model.vision_model(image, output_attentions=True)
    image = model.visual_projection(vision.pooler_output)
    text = model.text_projection(model.text_model(ids).pooler_output)
    cosine = (image / image.norm(dim=-1, keepdim=True) * (text / text.norm(dim=-1, keepdim=True))).sum()
    return cosine * model.logit_scale.exp(), vision.attentions


def vision_rollout(tower, image):
    with torch.no_grad():
        return rollout([attention[0] for attention in tower(image, output_attentions=True).attentions])


def token_maps(model, states, ids):
    """For each of `ids`, which follow the first token, the mean over heads and layers of the cross-attention of the
    position that predicts it: the one before it. The class column is left out."""
    ids = torch.tensor([[model.config.text_config.bos_token_id, *ids]])
    with torch.no_grad():
        outputs = model.text_decoder(
            input_ids=ids, encoder_hidden_states=states, output_attentions=True, return_dict=True
        )
    layers = torch.stack([attention[0] for attention in outputs.cross_attentions])
    assert layers.shape[0] == model.config.text_config.num_hidden_layers
    return layers.mean((0, 1))[:-1, 1:]


def match_cam(model, image, ids):
    """Grad-CAM of image-text matching, as `compute_gradcam` of salesforce/LAVIS has it
    (lavis/models/blip_models/blip_image_text_matching.py): its average over the tokens between the first and the last.

    The examples of LAVIS ask for `block_num=7` of twelve layers. Of fewer it is the one at the same part of the way, but not
    the last: there, nothing but the first token has a gradient."""
    states = model.vision_model(image).last_hidden_state
    text = model.text_encoder(ids, encoder_hidden_states=states, output_attentions=True)
    layers = model.config.text_config.num_hidden_layers
    attention = text.cross_attentions[max(min(layers * 7 // 12, layers - 2), 0)]
    match = model.itm_head(text.last_hidden_state[:, 0])[0, 1]
    assert torch.allclose(match, model(ids, image).itm_score[0, 1], atol=1e-5)
    gradient = torch.autograd.grad(match, attention)[0]
    cams = (attention[:, :, :, 1:] * gradient[:, :, :, 1:].clamp(min=0))[0].mean(0).detach()
    tokens = ids.shape[1] - 2
    return cams[1 : tokens + 1].sum(0) / tokens


def on_white(path):
    """The picture as RGB, transparency over white."""
    image = Image.open(path).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def golden():
    maps = {}
    for name in CLIPS:
        folder = HERE.parent / "models" / name
        model = load(CLIPModel, folder)
        images = pixels(model.config.vision_config.image_size)
        for i in range(IMAGES):
            maps[f"{name}/rollout/{i}"] = vision_rollout(model.vision_model, images[i : i + 1])
        # Texts as the golden model has them; the second is the shortest.
        ids = expected_ids(folder)
        for i in range(2):
            for text in range(2):
                logit, attentions = clip_logit(model, images[i : i + 1], ids[text])
                maps[f"{name}/relevance/{i}/{text}"] = relevance(logit, attentions)
    for name in BLIPS:
        model = load(BlipForConditionalGeneration, HERE.parent / "models" / name)
        images = pixels(model.config.vision_config.image_size)
        for i in range(2):
            image = images[i : i + 1]
            maps[f"{name}/rollout/{i}"] = vision_rollout(model.vision_model, image)
            with torch.no_grad():
                states = model.vision_model(image).last_hidden_state
            maps[f"{name}/tokens/{i}"] = token_maps(model, states, [7, 60, 3, 3, 41, 12, 88])
    for name in VITS:
        model = load(ViTForImageClassification, HERE.parent / "models" / name)
        images = pixels(model.config.image_size)
        for i in range(IMAGES):
            maps[f"{name}/rollout/{i}"] = vision_rollout(model.vit, images[i : i + 1])
    for name in ITMS:
        model = load(BlipForImageTextRetrieval, HERE.parent / "models" / name)
        images = pixels(model.config.vision_config.image_size)
        for i in range(2):
            for j, ids in enumerate(MATCHED):
                maps[f"{name}/match/{i}/{j}"] = match_cam(model, images[i : i + 1], torch.tensor([ids]))
    # Of one layer there is nothing to see; tests/inside.rs expects zeros.
    model = load(BlipForImageTextRetrieval, HERE.parent / "models" / "blip-itm-defaults")
    images = pixels(model.config.vision_config.image_size)
    assert match_cam(model, images[:1], torch.tensor(MATCHED[:1])).abs().max() == 0
    save_file({key: value.contiguous() for key, value in maps.items()}, HERE / "expected.safetensors")
    print(len(maps), "maps of golden models")


def expected_ids(folder):
    from safetensors.torch import load_file

    expected = load_file(folder / "expected.safetensors")
    return [row[:length][None] for row, length in zip(expected["ids"], expected["lengths"])]


def utf16(text, place):
    return len(text[:place].encode("utf-16-le")) // 2


def word_maps(model, tokenizer, states, caption):
    """The tokenizer's words of a caption, and of each the mean over its pieces."""
    pieces = tokenizer(caption, add_special_tokens=False, return_offsets_mapping=True)
    maps = token_maps(model, states, pieces.input_ids)
    words = []
    for index in sorted(set(pieces.word_ids())):
        own = [i for i, word in enumerate(pieces.word_ids()) if word == index]
        start, end = pieces.offset_mapping[own[0]][0], pieces.offset_mapping[own[-1]][1]
        words.append({
            "word": caption[start:end],
            "start": utf16(caption, start),
            "end": utf16(caption, end),
            "pieces": len(own),
            "values": plain(maps[own].mean(0)),
        })
    return words


def plain(values):
    return [float(f"{value:.5g}") for value in values.flatten().tolist()]


def builtin():
    folder = MODELS / "clip-tiny"
    clip = load(CLIPModel, folder)
    clip_tokenizer, clip_processor = AutoTokenizer.from_pretrained(folder), CLIPImageProcessorPil.from_pretrained(folder)
    folder = MODELS / "blip-tiny"
    blip = load(BlipForConditionalGeneration, folder)
    matcher = load(BlipForImageTextRetrieval, folder)
    blip_tokenizer, blip_processor = AutoTokenizer.from_pretrained(folder), BlipImageProcessorPil.from_pretrained(folder)
    entries = []
    for drawing in DRAWINGS:
        path = ROOT / "tests" / "images" / "drawings" / f"{drawing}.png"
        picture = on_white(path)
        image = clip_processor([picture], return_tensors="pt")["pixel_values"]
        entry = {"image": path.relative_to(ROOT).as_posix(), "rollout": plain(vision_rollout(clip.vision_model, image))}
        entry["texts"] = []
        for text in TEXTS:
            logit, attentions = clip_logit(clip, image, clip_tokenizer([text], return_tensors="pt").input_ids)
            entry["texts"].append({"text": text, "values": plain(relevance(logit, attentions))})
        image = blip_processor([picture], return_tensors="pt")["pixel_values"]
        entry["captioner_rollout"] = plain(vision_rollout(blip.vision_model, image))
        with torch.no_grad():
            states = blip.vision_model(image).last_hidden_state
            written = blip.generate(pixel_values=image, do_sample=False, num_beams=1, max_new_tokens=30)[0]
        entry["captions"] = []
        for caption in CAPTIONS if drawing == DRAWINGS[0] else CAPTIONS[:1]:
            given = caption or blip_tokenizer.decode(written, skip_special_tokens=True)
            words = word_maps(blip, blip_tokenizer, states, given)
            entry["captions"].append({"given": caption is not None, "caption": given, "words": words})
            print(drawing, [(word["word"], word["pieces"]) for word in words])
        entry["matches"] = []
        for text in MATCHES:
            ids = blip_tokenizer(
                [text], truncation=True, max_length=matcher.config.text_config.max_position_embeddings, return_tensors="pt"
            ).input_ids
            entry["matches"].append({"text": text, "values": plain(match_cam(matcher, image, ids))})
        entries.append(entry)
    rows = ",\n".join(json.dumps(entry) for entry in entries)
    (HERE / "builtin.json").write_text(f"[\n{rows}\n]\n")


def main():
    torch.set_num_threads(1)
    golden()
    builtin()


if __name__ == "__main__":
    main()
