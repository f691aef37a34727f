"""Writes the models of ../full/make.py and make_towers.py in the peers' formats: ONNX in f32 and in int8.

Run it from the repository's root with the packages of requirements.txt installed, after both of them:

    python tests/bench/export.py [--full target/full] [--out target/bench/models]

It writes `clip-image`, `clip-text`, `blip-image`, `siglip`, `rn50`, `lite0`, `xlm_roberta` (one tower each, `.onnx` and `.q8.onnx`), and the folder
`clip` in the layout that transformers.js loads: the whole model, quantised, as `onnx/model_quantized.onnx`. Of the
convolutional towers there is `.qdq.onnx` as well: static int8, one scale for each row of the weights, calibrated on pictures.
Of `clip-image` and `blip-image` there is `.f16.onnx` for GPUs.

The int8 files are made by ONNX Runtime's `quantize_dynamic` with its default settings (weights unsigned 8
bits, one scale a tensor), as the published `model_quantized.onnx` files are. What is there already is kept.
"""

import argparse
import json
import pathlib
import shutil
import sys
import tempfile

import numpy
import onnx
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16
from safetensors.torch import load_file
from transformers import BlipForConditionalGeneration, CLIPModel, SiglipVisionModel

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests/full"), str(ROOT / "training"), str(ROOT / "tests/golden/models")]
import make_towers  # noqa: E402
from ocelli_model import OcelliModel  # noqa: E402

CLIP = "openai/clip-vit-base-patch32/resolve/refs/pr/15"
BLIP = "Salesforce/blip-image-captioning-base/resolve/main"


class ClipImage(torch.nn.Module):
    """Pixels to image embeddings."""

    def __init__(self, model):
        super().__init__()
        self.vision_model, self.visual_projection = model.vision_model, model.visual_projection

    def forward(self, pixel_values):
        return self.visual_projection(self.vision_model(pixel_values=pixel_values).pooler_output)


class ClipText(torch.nn.Module):
    """Token ids to text embeddings."""

    def __init__(self, model):
        super().__init__()
        self.text_model, self.text_projection = model.text_model, model.text_projection

    def forward(self, input_ids, attention_mask):
        states = self.text_model(input_ids=input_ids, attention_mask=attention_mask)
        return self.text_projection(states.pooler_output)


class ClipBoth(torch.nn.Module):
    """What transformers.js expects of a zero-shot classifier."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, pixel_values, attention_mask):
        both = self.model(input_ids=input_ids, pixel_values=pixel_values, attention_mask=attention_mask)
        return both.logits_per_image, both.logits_per_text, both.text_embeds, both.image_embeds


class BlipImage(torch.nn.Module):
    """Pixels to the states that the decoder sees."""

    def __init__(self, model):
        super().__init__()
        self.vision_model = model.vision_model

    def forward(self, pixel_values):
        return self.vision_model(pixel_values=pixel_values).last_hidden_state


class RN50(torch.nn.Module):
    """Pixels to image embeddings, by open_clip."""

    def __init__(self, folder):
        super().__init__()
        config = json.loads((folder / "config.json").read_text())["model_cfg"]
        model = make_towers.CLIP(**config)
        model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
        self.visual = model.visual

    def forward(self, pixel_values):
        return self.visual(pixel_values)


class Siglip(torch.nn.Module):
    """Pixels to image embeddings, by transformers."""

    def __init__(self, folder):
        super().__init__()
        self.vision = SiglipVisionModel.from_pretrained(folder, attn_implementation="eager")

    def forward(self, pixel_values):
        return self.vision(pixel_values=pixel_values).pooler_output


class XlmRoberta(torch.nn.Module):
    """Token ids to text embeddings, by open_clip. All ids are of words: there is no padding to leave out."""

    def __init__(self, folder):
        super().__init__()
        state = load_file(folder / "model.safetensors")
        self.encoder = make_towers.xlm_roberta_encoder({name[5:]: x.float() for name, x in state.items() if name.startswith("text.")})

    def forward(self, input_ids, attention_mask):
        states = self.encoder.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).float()
        return self.encoder.proj((states * mask).sum(1) / mask.sum(1))


class Lite0(torch.nn.Module):
    """Pixels to image embeddings, by the reference of the built-in model."""

    def __init__(self, folder):
        super().__init__()
        self.model = OcelliModel(json.loads((folder / "config.json").read_text()))
        self.model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)

    def forward(self, pixel_values):
        return self.model.image_embeddings(self.model.maps(pixel_values))


class Pictures(CalibrationDataReader):
    """Square cut-outs of the full-size check's pictures, and of noise."""

    def __init__(self, folder, size):
        whole = make_towers.pixels(sorted(folder.glob("*.png")), 2 * size)
        cuts = [whole[:, :, y:y + size, x:x + size] for y in (0, size // 2, size) for x in (0, size // 2, size)]
        every = torch.cat([*cuts, torch.rand(4, 3, size, size) * 2 - 1]).numpy().astype(numpy.float32)
        self.left = iter([{"pixel_values": image[None]} for image in every])

    def get_next(self):
        return next(self.left, None)


def export(module, inputs, path, outputs, dynamic):
    """Exports `module` to `path` as one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "model.onnx"
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            str(file),
            input_names=list(inputs),
            output_names=outputs,
            dynamic_axes=dynamic,
            opset_version=17,
            dynamo=False,
        )
        onnx.save_model(onnx.load(str(file)), str(path))


def quantise(source, path):
    quantize_dynamic(str(source), str(path), weight_type=QuantType.QUInt8)


def both(name, out, module, inputs, outputs, dynamic):
    plain, small = out / f"{name}.onnx", out / f"{name}.q8.onnx"
    if not plain.exists():
        print("exporting", name)
        export(module, inputs, plain, outputs, dynamic)
    if not small.exists():
        quantise(plain, small)


def half(name, out):
    """The f16 form of an exported model, for GPUs. Inputs and outputs stay f32."""
    path = out / f"{name}.f16.onnx"
    if not path.exists():
        onnx.save_model(convert_float_to_float16(onnx.load(str(out / f"{name}.onnx")), keep_io_types=True), str(path))


def clip(full, out):
    model = CLIPModel.from_pretrained(full / CLIP, attn_implementation="eager").eval()
    size = model.config.vision_config.image_size
    pixels = {"pixel_values": torch.zeros(1, 3, size, size)}
    both("clip-image", out, ClipImage(model), pixels, ["image_embeds"], {"pixel_values": {0: "batch"}})
    half("clip-image", out)
    texts = {"input_ids": torch.tensor([[49406, 320, 49407]] * 2), "attention_mask": torch.ones(2, 3, dtype=torch.long)}
    axes = {name: {0: "batch", 1: "length"} for name in texts}
    both("clip-text", out, ClipText(model), texts, ["text_embeds"], axes)

    folder = out / "clip"
    if not (folder / "onnx/model_quantized.onnx").exists():
        print("exporting the whole of CLIP")
        inputs = {"input_ids": texts["input_ids"], **pixels, "attention_mask": texts["attention_mask"]}
        names = ["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"]
        export(ClipBoth(model), inputs, out / "clip.onnx", names, {**axes, "pixel_values": {0: "images"}})
        (folder / "onnx").mkdir(parents=True, exist_ok=True)
        quantise(out / "clip.onnx", folder / "onnx/model_quantized.onnx")
        for file in ("config.json", "preprocessor_config.json", "tokenizer.json"):
            shutil.copy(full / CLIP / file, folder)
        # The one key that transformers.js asks for beyond what the tokenizer itself says.
        (folder / "tokenizer_config.json").write_text(
            json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": "<|endoftext|>"})
        )


def blip(full, out):
    model = BlipForConditionalGeneration.from_pretrained(full / BLIP, attn_implementation="eager").eval()
    size = model.config.vision_config.image_size
    both("blip-image", out, BlipImage(model), {"pixel_values": torch.zeros(1, 3, size, size)}, ["states"], None)
    half("blip-image", out)


def towers(full, out):
    for name, module in (("rn50", RN50), ("siglip", Siglip), ("lite0", Lite0)):
        plain, folded = out / f"{name}.onnx", out / f"{name}.folded.onnx"
        if not plain.exists():
            print("exporting", name)
            pixels = {"pixel_values": torch.zeros(1, 3, 224, 224)}
            export(module(full / "towers" / name).eval(), pixels, plain, ["image_embeds"], None)
        if not (out / f"{name}.q8.onnx").exists() or not (out / f"{name}.qdq.onnx").exists():
            # Batch norms go into the convolutions before anything is rounded.
            quant_pre_process(str(plain), str(folded), skip_symbolic_shape=True)
            quantise(folded, out / f"{name}.q8.onnx")
            quantize_static(str(folded), str(out / f"{name}.qdq.onnx"), Pictures(full / "images", 224), quant_format=QuantFormat.QDQ,
                            per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
            folded.unlink()


def xlm_roberta(full, out):
    texts = {"input_ids": torch.tensor([[0, 4, 2]] * 2), "attention_mask": torch.ones(2, 3, dtype=torch.long)}
    axes = {name: {0: "batch", 1: "length"} for name in texts}
    both("xlm_roberta", out, XlmRoberta(full / "towers/xlm_roberta"), texts, ["text_embeds"], axes)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", type=pathlib.Path, default=ROOT / "target" / "full")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "target" / "bench" / "models")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    clip(options.full, options.out)
    blip(options.full, options.out)
    towers(options.full, options.out)
    xlm_roberta(options.full, options.out)


if __name__ == "__main__":
    main()
