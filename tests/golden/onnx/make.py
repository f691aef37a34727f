"""Makes the ONNX files beside this file, of the golden models in ../models, and what these models give with the numbers that
the files have.

Run it with the packages of ../requirements.txt, onnx, onnxruntime, onnxscript and onnxslim: python tests/golden/onnx/make.py

The files are exported as Optimum does it (PyTorch's exporter by tracing, constants folded) and made small as the published
ones are: half precision and dynamic quantisation by onnxruntime, folding by onnxslim. `expected.safetensors` has what the
reference computes once its parameters are the dequantised ones; which tensor of a file is which parameter is found by their
numbers, never by a name.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxslim
import torch
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16
from safetensors.torch import save_file
from transformers import CLIPModel, SiglipModel, ViTForImageClassification

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "models"))
from make import pixels  # noqa: E402

warnings.filterwarnings("ignore")
EXPECTED = {}
OPSET = 17
TEXTS = {0: "text_batch_size", 1: "sequence_length"}
AXES = {"input_ids": TEXTS, "attention_mask": TEXTS, "pixel_values": {0: "image_batch_size"}}


def load(kind, name):
    return kind.from_pretrained(HERE.parent / "models" / name, torch_dtype=torch.float32, attn_implementation="eager").eval()


def export(model, forward, inputs, file):
    """`model` as a graph of what `forward` gives. Its modules keep their names, so it is the model that is traced."""
    own, model.forward = model.forward, None
    model.forward = lambda *given: forward(own, *given)
    torch.onnx.export(model, tuple(inputs.values()), HERE / file, input_names=list(inputs), opset_version=OPSET,
                      dynamic_axes={name: AXES[name] for name in inputs}, dynamo=False, do_constant_folding=True)
    model.forward = own


def tensors(file):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(HERE / file).graph.initializer}


def dequantised(file):
    """Every quantised tensor of a file in numbers, as onnxruntime computes with it: both ways round, if it is a matrix."""
    all_of = tensors(file)
    for name, values in all_of.items():
        if not name.endswith("_quantized"):
            continue
        base = name.removesuffix("_quantized")
        scale, zero = all_of[base + "_scale"], all_of[base + "_zero_point"].astype(np.float32)
        # Channels are the last dimension of a matrix that is multiplied with, and the first of a convolution's weights.
        if scale.ndim == 1 and values.ndim == 4:
            scale, zero = scale.reshape(-1, 1, 1, 1), zero.reshape(-1, 1, 1, 1)
        real = torch.tensor((values.astype(np.float32) - zero) * scale)
        off = float(scale.max())
        yield from ((way, off) for way in ([real, real.T.contiguous()] if real.ndim == 2 else [real]))


def take_over(model, file):
    """Gives the parameters of `model` the numbers that they have in `file`."""
    found = list(dequantised(file))
    count = 0
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim < 2:
                continue
            # SigLIP's pooling has a matrix for queries, keys and values, which the graph has in two parts.
            width = parameter.shape[-1]
            parts = [parameter[:width], parameter[width:]] if name.endswith("in_proj_weight") else [parameter]
            for part in parts:
                for values, off in found:
                    if values.shape == part.shape and (values - part).abs().max() <= off:
                        part.copy_(values)
                        count += 1
                        break
    quantised = sum(name.endswith("_quantized") for name in tensors(file))
    assert count == quantised, f"{file}: {count} parameters for {quantised} tensors"


def expect(file, **results):
    for key, value in results.items():
        EXPECTED[f"{file}/{key}"] = value.detach().contiguous()


def quantise(source, file, **options):
    quantize_dynamic(HERE / source, HERE / file, **options)


def half(source, file):
    onnx.save(convert_float_to_float16(onnx.load(HERE / source)), HERE / file)


def of_clip(model, file, size, ids):
    with torch.no_grad():
        image = model.visual_projection(model.vision_model(pixels(size)).pooler_output)
        text = model.text_projection(model.text_model(ids).pooler_output)
    expect(file, image_features=image, text_features=text)


def clip():
    name = "clip-gelu-eos-7"
    model = load(CLIPModel, name)
    size, ids = model.config.vision_config.image_size, torch.tensor([[1, 5, 17, 33, 7]])

    def forward(own, ids, pixel_values, mask):
        out = own(input_ids=ids, pixel_values=pixel_values, attention_mask=mask)
        return out.logits_per_image, out.logits_per_text, out.text_embeds, out.image_embeds

    inputs = {"input_ids": ids, "pixel_values": pixels(size)[:1], "attention_mask": torch.ones_like(ids)}
    export(model, forward, inputs, "clip.onnx")
    of_clip(model, "clip.onnx", size, ids)
    onnxslim.slim(str(HERE / "clip.onnx"), str(HERE / "clip-slim.onnx"))
    of_clip(model, "clip-slim.onnx", size, ids)
    half("clip.onnx", "clip-fp16.onnx")
    of_clip(load(CLIPModel, name).half().float(), "clip-fp16.onnx", size, ids)
    for file, options in {
        "clip-uint8.onnx": {"weight_type": QuantType.QUInt8},
        "clip-int8.onnx": {"weight_type": QuantType.QInt8, "per_channel": True, "reduce_range": True},
    }.items():
        quantise("clip.onnx", file, **options)
        other = load(CLIPModel, name)
        take_over(other, file)
        of_clip(other, file, size, ids)


def siglip():
    model = load(SiglipModel, "siglip")
    size = model.config.vision_config.image_size
    ids = torch.tensor([[5, 17, 33, 99, 1, 1, 1, 1]])

    def forward(own, ids, pixel_values):
        out = own(input_ids=ids, pixel_values=pixel_values)
        return out.logits_per_image, out.text_embeds, out.image_embeds

    def compare(model, file):
        with torch.no_grad():
            expect(file, image_features=model.vision_model(pixels(size)).pooler_output,
                   text_features=model.text_model(ids).pooler_output, logit_scale=model.logit_scale.exp().reshape(1),
                   logit_bias=model.logit_bias.reshape(1))

    export(model, forward, {"input_ids": ids, "pixel_values": pixels(size)[:1]}, "siglip.onnx")
    compare(model, "siglip.onnx")
    quantise("siglip.onnx", "siglip-int8.onnx", weight_type=QuantType.QInt8)
    other = load(SiglipModel, "siglip")
    take_over(other, "siglip-int8.onnx")
    compare(other, "siglip-int8.onnx")


def vit():
    model = load(ViTForImageClassification, "vit-labels")
    images = pixels(model.config.image_size)
    export(model, lambda own, given: own(pixel_values=given).logits, {"pixel_values": images[:1]}, "vit.onnx")
    quantise("vit.onnx", "vit-uint8.onnx", weight_type=QuantType.QUInt8)
    other = load(ViTForImageClassification, "vit-labels")
    take_over(other, "vit-uint8.onnx")
    with torch.no_grad():
        expect("vit.onnx", logits=model(images).logits)
        expect("vit-uint8.onnx", logits=other(images).logits)


clip()
siglip()
vit()
save_file(EXPECTED, HERE / "expected.safetensors")
for path in sorted(HERE.glob("*.onnx")):
    print(path.name, path.stat().st_size)
