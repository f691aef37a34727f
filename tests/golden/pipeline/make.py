"""Makes the models beside this file: small seeded ones in the layout that transformers.js reads, so that the same script runs
against both packages.

Run it with the packages of ../requirements.txt, onnx and onnxscript: python tests/golden/pipeline/make.py. Then
`npm run test:peers -- --write` writes what transformers.js answers, `answers.json`.

The files are exported as Optimum does it, with its names of inputs and outputs. Both packages read `onnx/`, but for DINOv2, of
which ocelli reads `model.safetensors`. Tokenizers know single letters. `states.safetensors` has the hidden states that the
reference computes for two models of ../models: `last_hidden_state` of `SiglipVisionModel` and `Dinov2Model`.
"""

import json
import shutil
import sys
import warnings
from pathlib import Path

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel, Dinov2Config, Dinov2Model, SiglipModel, ViTConfig, ViTForImageClassification

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "models"))
from make import load, pixels  # noqa: E402
from seeded import randomise  # noqa: E402

warnings.filterwarnings("ignore")
OPSET = 17
TEXTS = {0: "text_batch_size", 1: "sequence_length"}
IMAGES = {0: "image_batch_size"}
AXES = {"input_ids": TEXTS, "attention_mask": TEXTS, "pixel_values": IMAGES}
TOWER = {"hidden_size": 24, "num_attention_heads": 3, "intermediate_size": 32, "num_hidden_layers": 2}
SIZE = 24
VISION = {**TOWER, "image_size": SIZE, "patch_size": 8}
MEAN, STD = [0.48, 0.46, 0.41], [0.27, 0.26, 0.28]
START, END, LETTERS = 6, 7, "abcdefghijklmnopqrstuvwxyz"


def fresh(name):
    shutil.rmtree(HERE / name, ignore_errors=True)
    (HERE / name / "onnx").mkdir(parents=True)
    return HERE / name


def write(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n")


def export(folder, file, module, inputs, outputs):
    """`module` as a graph, whose tensors keep the names of its modules."""
    torch.onnx.export(module, tuple(inputs.values()), folder / "onnx" / file, input_names=list(inputs), output_names=outputs,
                      opset_version=OPSET, dynamo=False, do_constant_folding=True,
                      dynamic_axes={name: AXES[name] for name in inputs})


def traced(model, forward):
    """`model`, which gives what `forward` takes out of it."""
    own, model.forward = model.forward, None
    model.forward = lambda *given: forward(own, *given)
    return model


def pictures(folder, kind, crop):
    """How pictures are prepared: those of the model's own size are not resized."""
    size = {"shortest_edge": SIZE} if crop else {"height": SIZE, "width": SIZE}
    cropped = {"do_center_crop": True, "crop_size": {"height": SIZE, "width": SIZE}} if crop else {}
    write(folder / "preprocessor_config.json", {
        "image_processor_type": kind, "do_resize": True, "size": size, "resample": 3, **cropped, "do_rescale": True,
        "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": MEAN, "image_std": STD, "do_convert_rgb": True})


def tokenizer(folder, length):
    """CLIP's tokenizer of single letters."""
    start, end = "<|startoftext|>", "<|endoftext|>"
    vocab = {start: START, end: END}
    for i, letter in enumerate(LETTERS):
        vocab |= {letter: 8 + 2 * i, letter + "</w>": 9 + 2 * i}
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    write(folder / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": id, "content": text, **special} for text, id in ((start, START), (end, END))],
        "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {"type": "RobertaProcessing", "sep": [end, END], "cls": [start, START], "trim_offsets": False,
                           "add_prefix_space": False},
        "decoder": None,
        "model": {"type": "BPE", "dropout": None, "unk_token": end, "continuing_subword_prefix": "", "end_of_word_suffix": "</w>",
                  "fuse_unk": False, "vocab": vocab, "merges": []}})
    write(folder / "tokenizer_config.json", {
        "tokenizer_class": "CLIPTokenizer", "model_max_length": length, "pad_token": end, "bos_token": start, "eos_token": end,
        "unk_token": end})


def clip(seed):
    folder, length = fresh("clip"), 24
    config = {"model_type": "clip", "projection_dim": 16, "vision_config": VISION,
              "text_config": {**TOWER, "vocab_size": 62, "max_position_embeddings": length, "bos_token_id": START,
                              "eos_token_id": END, "pad_token_id": END}}
    write(folder / "config.json", config)
    pictures(folder, "CLIPImageProcessor", True)
    tokenizer(folder, length)

    def model():
        made = CLIPModel._from_config(CLIPConfig.from_pretrained(folder), attn_implementation="eager").eval()
        randomise(made, seed, 1.5)
        return made

    ids = torch.tensor([[START, 9, 17, END]])
    images = {"pixel_values": pixels(SIZE)[:1]}
    texts = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def both(own, ids, images, mask):
        out = own(input_ids=ids, pixel_values=images, attention_mask=mask)
        return out.logits_per_image, out.logits_per_text, out.text_embeds, out.image_embeds

    export(folder, "model.onnx", traced(model(), both), {"input_ids": ids, **images, "attention_mask": texts["attention_mask"]},
           ["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"])
    vision, text = model(), model()
    export(folder, "vision_model.onnx",
           traced(vision, lambda own, given: vision.visual_projection(vision.vision_model(given).pooler_output)), images,
           ["image_embeds"])
    export(folder, "text_model.onnx",
           traced(text, lambda own, ids, mask: text.text_projection(text.text_model(ids, mask).pooler_output)), texts,
           ["text_embeds"])


def vit(seed):
    folder = fresh("vit")
    labels = ["cat", "dog", "hen", "sea, ocean", "tree", "bus", "cup"]
    config = {"model_type": "vit", "id2label": {str(i): label for i, label in enumerate(labels)}, **VISION}
    write(folder / "config.json", config)
    pictures(folder, "ViTImageProcessor", False)
    model = ViTForImageClassification._from_config(ViTConfig.from_pretrained(folder), attn_implementation="eager").eval()
    randomise(model, seed, 1.5)
    export(folder, "model.onnx", traced(model, lambda own, given: own(pixel_values=given).logits),
           {"pixel_values": pixels(SIZE)[:1]}, ["logits"])


def dinov2(seed):
    folder = fresh("dinov2")
    config = {"model_type": "dinov2", "mlp_ratio": 2, **{k: v for k, v in VISION.items() if k != "intermediate_size"}}
    write(folder / "config.json", config)
    pictures(folder, "BitImageProcessor", True)
    model = Dinov2Model._from_config(Dinov2Config.from_pretrained(folder), attn_implementation="eager").eval()
    randomise(model, seed, 1.5)
    model.save_pretrained(folder)
    write(folder / "config.json", config)

    def forward(own, given):
        out = own(pixel_values=given)
        return out.last_hidden_state, out.pooler_output

    export(folder, "model.onnx", traced(model, forward), {"pixel_values": pixels(SIZE)[:1]}, ["last_hidden_state", "pooler_output"])


def states():
    """Those of golden models that are there."""
    found = {}
    with torch.no_grad():
        model = load(SiglipModel, HERE.parent / "models/siglip")
        found["siglip"] = model.vision_model(pixels(model.config.vision_config.image_size)).last_hidden_state
        model = load(Dinov2Model, HERE.parent / "models/dinov2")
        found["dinov2"] = model(pixels(model.config.image_size)).last_hidden_state
    save_file({name: value.contiguous() for name, value in found.items()}, HERE / "states.safetensors")


def drawings():
    """Two pictures of the models' own size."""
    y, x = numpy.mgrid[:SIZE, :SIZE]
    one = numpy.stack([x * 10, y * 10, (x * y) % 256], -1)
    two = numpy.stack([255 - x * y % 256, (x - 12) ** 2, 255 - y * 10], -1)
    for name, pixels_of in (("one", one), ("two", two)):
        Image.fromarray(pixels_of.astype(numpy.uint8)).save(HERE / f"{name}.png", optimize=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    drawings()
    clip(71)
    vit(72)
    dinov2(73)
    states()
    for path in sorted(path for path in HERE.rglob("*") if path.is_file()):
        print(path.relative_to(HERE), path.stat().st_size)
