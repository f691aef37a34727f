"""Runs made of the shipped weights, where no checkpoint is left: head2, text, captioner and caption.

usage: python restore.py basis (before photo_features.py: a basis in which the shipped image tokens lose nothing)
       python restore.py (after photo_features.py and drawing_features.py; leaves what is there as it is)
The weights are those of the int8 file. There are no optimisers and no concepts' vectors: calibrate.py, scene_words.py, export.py
and `train_captioner.py --start captioner` can use these runs; to go on training the text tower, train the head anew.
"""
import json
import shutil
import sys

import torch
from safetensors.torch import load_file

import knowledge as K
from captioner import WIDTH, Captioner, Matcher, keep
from image_head import Data, unfolded
from paths import CACHE, MODELS, RUNS
from photo_features import for_basis
from texts import label_texts
from tower import Encoder, basis, make_basis

FOLDER = MODELS / "ocelli"


def shipped():
    """The tensors in float32."""
    raw = load_file(FOLDER / "model.safetensors")
    out = {}
    for name, t in raw.items():
        if not name.endswith("_scale"):
            scale = raw.get(f"{name}_scale")
            out[name] = t.float() if scale is None else t.float() * scale.float().reshape(-1, *[1] * (t.dim() - 1))
    return out


def save(run, file, value):
    (RUNS / run).mkdir(parents=True, exist_ok=True)
    if not (RUNS / run / file).exists():
        torch.save(value, RUNS / run / file)


def captioner(state):
    """A captioner whose image tokens look at the basis; the mean that training subtracts goes back into the bias."""
    model = Captioner()
    mean, components = (torch.from_numpy(v) for v in basis())
    part = lambda prefix: {n[len(prefix):]: t for n, t in state.items() if n.startswith(prefix)}
    tokens = part("image_tokens.")
    full = tokens.pop("projection.weight")
    tokens["projection.bias"] = tokens["projection.bias"] + full @ mean
    tokens["projection.weight"], tokens["scale"] = full @ components, model.image_tokens.scale
    lost = (full - full @ components @ components.T).norm() / full.norm()
    assert lost < 0.05, f"the basis is not that of the shipped weights: {lost:.3f} of them is lost; see `restore.py basis`"
    model.image_tokens.load_state_dict(tokens)
    missing = model.text_decoder.load_state_dict(part("text_decoder."), strict=False)
    assert not missing.unexpected_keys and all("decoder" in n or "position_ids" in n for n in missing.missing_keys), missing
    model.text_decoder.tie_weights()
    return model


def main():
    state = shipped()
    if "basis" in sys.argv[1:]:
        CACHE.mkdir(parents=True, exist_ok=True)
        make_basis(Encoder(), for_basis(), state["image_tokens.projection.weight"].double().numpy())
        return
    for name, target in (("tokenizer.json", "text-tokenizer.json"), ("decoder_tokenizer.json", "caption-tokenizer.json")):
        if not (CACHE / target).exists():
            shutil.copy(FOLDER / name, CACHE / target)
    text = {n: t for n, t in state.items() if n.startswith(("text_model.", "text_projection."))}
    save("text", "last.pt", {"ema": text})
    known = set(json.loads((FOLDER / "labels.json").read_text()))
    things = K.concepts()
    seen = torch.tensor([c.group != "tag" or c.key in known for c in things])
    concepts = [(c.group, c.key, c.texts) for c in things]
    save("head2", "head.pt", {"head": unfolded(state, Data()).state_dict(), "without": [], "known": seen, "concepts": concepts})
    model = captioner(state)
    whole = torch.nn.ModuleDict({"captioner": model, "head": torch.nn.Linear(WIDTH, len(label_texts()) + 1)})
    save("captioner", "last.pt", {"ema": whole.state_dict()})
    if not (RUNS / "caption" / "caption.pt").exists():
        matcher, parts = Matcher(), ("text_encoder.", "itm_head.", "vision_proj.", "text_proj.")
        missing = matcher.load_state_dict({n: t for n, t in state.items() if n.startswith(parts)}, strict=False)
        assert not missing.unexpected_keys, missing
        keep(model, matcher)


if __name__ == "__main__":
    main()
