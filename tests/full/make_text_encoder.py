"""Makes the text tower of CLIP L/14 at its true size, with seeded weights, and what `transformers` makes of two prompts.

Run it with the packages of ../golden/requirements.txt and open-clip-torch, whose vocabulary it takes:

    python tests/full/make_text_encoder.py [--out target/full]

Writes `<out>/text_encoder/{config.json, tokenizer.json, model.safetensors, expected.safetensors, prompts.json}`.
"""

import argparse
import json
import pathlib

import torch
from safetensors.torch import save_file
from stand_in import clip_tokenizer, clip_vocabulary
from tokenizers import Tokenizer
from transformers import CLIPTextConfig, CLIPTextModel

CONFIG = {
    "model_type": "clip_text_model", "architectures": ["CLIPTextModel"], "hidden_act": "quick_gelu", "hidden_size": 768,
    "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12, "max_position_embeddings": 77, "vocab_size": 49408,
    "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "projection_dim": 768,
}  # fmt: skip
PROMPTS = ["a photo of a red bus", "a castle on a hill at dusk, oil painting, highly detailed, by the sea, 4k"]


def seed(model):
    """Numbers as large as a trained tower's, so that layers change their inputs as much as there."""
    generator = torch.Generator().manual_seed(14)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "norm" in name:
                parameter.copy_(0.2 * noise + (1.0 if name.endswith("weight") else 0.0))
            elif parameter.ndim == 1:
                parameter.copy_(0.1 * noise)
            else:
                parameter.copy_(noise * (0.5 if "embedding" in name else 1 / parameter.shape[1] ** 0.5))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("target/full"))
    folder = parser.parse_args().out / "text_encoder"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
    tokenizer = json.dumps(clip_tokenizer(*clip_vocabulary()))
    (folder / "tokenizer.json").write_text(tokenizer)
    model = CLIPTextModel(CLIPTextConfig(**CONFIG)).eval()
    seed(model)
    state = {f"text_model.{name}": value.detach().half().clone() for name, value in model.state_dict().items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    model.half().float()
    words = Tokenizer.from_str(tokenizer)
    start, end = words.token_to_id("<|startoftext|>"), words.token_to_id("<|endoftext|>")
    rows = [[start, *words.encode(prompt, add_special_tokens=False).ids, end] for prompt in PROMPTS]
    ids = torch.tensor([row + [end] * (77 - len(row)) for row in rows])
    with torch.no_grad():
        out = model(ids, output_hidden_states=True)
    expected = {}
    for i in range(len(PROMPTS)):
        expected |= {f"{i}.last": out.last_hidden_state[i], f"{i}.penultimate": out.hidden_states[-2][i], f"{i}.pooled": out.pooler_output[i]}
    save_file({name: value.contiguous() for name, value in expected.items()}, folder / "expected.safetensors")
    (folder / "prompts.json").write_text(json.dumps(PROMPTS) + "\n")


if __name__ == "__main__":
    main()
