"""Lists the tensors of published models at their size: what the reference's class has, without a single weight.

Run it with the packages of ../requirements.txt and open-clip-torch:

    python tests/golden/names/make.py

It writes `names.json`: for each model its config.json, and its tensors as `[name, shape, count]`. Where `count` is not 1, `{}` in the
name stands for the numbers 0 to `count` - 1, of layers that are alike.
"""

import json
import pathlib
import re

import torch
from open_clip import get_model_config
from open_clip.hf_model import HFTextEncoder
from open_clip.model import CLIP, CLIPTextCfg, CustomTextCLIP
from transformers import (
    BlipConfig, BlipForConditionalGeneration, BlipForImageTextRetrieval, BlipForQuestionAnswering, CLIPConfig, CLIPModel, CLIPTextConfig,
    CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection, Dinov2Config, Dinov2Model, SiglipConfig, SiglipModel,
    PreTrainedModel, ViTConfig, ViTForImageClassification, XLMRobertaConfig,
)
from transformers.core_model_loading import revert_weight_conversion

HERE = pathlib.Path(__file__).parent
LAYER = re.compile(r"(?<=\.)(layers?|resblocks)\.(\d+)(?=\.)")
XLM_ROBERTA = {"vocab_size": 250_002, "max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}


def saved(model):
    """The tensors as the class is published, whatever its modules are called by now."""
    state = model.state_dict()
    return revert_weight_conversion(model, state) if isinstance(model, PreTrainedModel) else state


def rows(model):
    """Names and shapes; those of layers that are alike, once."""
    found = {}
    for name, tensor in saved(model).items():
        pattern = LAYER.sub(r"\1.{}", name, count=1)
        found.setdefault((pattern, tuple(tensor.shape)), []).append(name)
    out = []
    for (pattern, shape), names in found.items():
        if names == [pattern.replace("{}", str(i)) for i in range(len(names))] and "{}" in pattern:
            out.append([pattern, list(shape), len(names)])
        else:
            out += [[name, list(shape), 1] for name in names]
    return out


def xlm_roberta():
    model_cfg = get_model_config("xlm-roberta-base-ViT-B-32")
    text = model_cfg["text_cfg"]
    plain_text = {"context_length": 77, "vocab_size": 100, "width": 32, "heads": 2, "layers": 1}
    model = CustomTextCLIP(**{**model_cfg, "text_cfg": plain_text})
    config = XLMRobertaConfig(**XLM_ROBERTA)
    given = CLIPTextCfg(**text)
    model.text = HFTextEncoder("", model_cfg["embed_dim"], config=config, pooler_type=given.hf_pooler_type, proj_type=given.hf_proj_type)
    return {"model_cfg": model_cfg}, model


def models():
    for config_class, model_class in (
        (CLIPConfig, CLIPModel), (CLIPVisionConfig, CLIPVisionModelWithProjection), (CLIPTextConfig, CLIPTextModelWithProjection),
        (SiglipConfig, SiglipModel), (Dinov2Config, Dinov2Model), (BlipConfig, BlipForConditionalGeneration),
        (BlipConfig, BlipForImageTextRetrieval), (BlipConfig, BlipForQuestionAnswering),
    ):
        config = config_class()
        yield model_class.__name__, {"model_type": config.model_type}, model_class(config)
    names = {str(i): f"class {i}" for i in range(1000)}
    yield "ViTForImageClassification", {"model_type": "vit", "id2label": names}, ViTForImageClassification(ViTConfig(id2label=names))
    for name in ("ViT-B-32", "RN50"):
        model_cfg = get_model_config(name)
        yield f"open_clip {name}", {"model_cfg": model_cfg}, CLIP(**model_cfg)
    yield "open_clip xlm-roberta-base-ViT-B-32", *xlm_roberta()


def main():
    out = {}
    with torch.device("meta"):
        for name, config, model in models():
            out[name] = {"config": config, "tensors": rows(model)}
            print(name, len(out[name]["tensors"]), len(model.state_dict()))
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in out.items()]
    (HERE / "names.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
