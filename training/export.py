"""Writes the built-in model into pkg/models/ocelli, in the hub's layout.

usage: python export.py [--head head2] [--text text] [--out FOLDER]

First everything in float32 under WORK/export (what the reference of `reference.py` reads), then, through `ocelli-convert
--dtype int8`, the weights that ship.
"""
import argparse
import json
import os
import subprocess
from pathlib import Path

import torch
from safetensors.torch import save_file

import knowledge as K
from captioner import caption_state
from image_head import folded
from paths import CACHE, IMAGE, MODELS, REPO, RESIZE, RUNS, WORK
from runs import load
from tower import FEATURES, MAP, network
from tower_names import timm_state
from train_text import config as text_config


def write(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def tokenizer_json(source, target):
    """Compact tokenizer.json (no indentation: half the size)."""
    target.write_text(json.dumps(json.loads(Path(source).read_text()), ensure_ascii=False, separators=(",", ":")) + "\n")


def tagger_state(head_run, text_run, scale):
    """Tower, image head and text tower."""
    f = torch.load(RUNS / head_run / "head.pt", weights_only=False)
    state = {f"vision_model.{n}": t for n, t in timm_state(network()).items()}
    state.update(folded(f["head"]))
    state.update({n: t for n, t in load(text_run)["ema"].items() if not n.endswith("position_ids")})
    state["logit_scale"] = torch.tensor(float(scale)).log()
    return state, f


def configuration(state, tok, own, decoder, image_text):
    t = text_config(tok.get_vocab_size(), tok.token_to_id("<|startoftext|>"), tok.token_to_id("<|endoftext|>"))
    out = {
        "architectures": ["OcelliModel"], "model_type": "ocelli", "projection_dim": t.projection_dim, "torch_dtype": "int8",
        "vision_config": {"model_type": "efficientnet_lite", "architecture": "tf_efficientnet_lite2", "image_size": IMAGE,
                          "num_classes": len(state["vision_model.classifier.bias"]), "hidden_size": FEATURES},
        "text_config": {
            "model_type": "clip_text_model", "vocab_size": t.vocab_size, "max_position_embeddings": t.max_position_embeddings,
            "hidden_size": t.hidden_size, "intermediate_size": t.intermediate_size, "num_hidden_layers": t.num_hidden_layers,
            "num_attention_heads": t.num_attention_heads, "hidden_act": t.hidden_act, "layer_norm_eps": t.layer_norm_eps,
            "projection_dim": t.projection_dim, "bos_token_id": t.bos_token_id, "eos_token_id": t.eos_token_id,
            "pad_token_id": t.pad_token_id},
        "ocelli": own, "decoder_config": decoder, "image_text_hidden_size": image_text}
    return out


def known_tags(f):
    """The vocabulary's tags that a picture the model learnt from shows, in the vocabulary's order."""
    known = {key for (group, key, _), k in zip(f["concepts"], f["known"]) if group == "tag" and k}
    return [t for t in K.vocabulary() if t in known]


def words(known):
    """words.json: what the captioner may be prompted with, among the tags that the tagger knows."""
    from words import THRESHOLD, entries
    return {"templates": ["a photo of a {}."], "temperature": 1.0, "threshold": THRESHOLD, "also": 0.3, "most": 1,
            "words": [e for e in entries() if e["word"] in known]}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--head", default="head2")
    ap.add_argument("--text", default="text")
    ap.add_argument("--out", type=Path, default=MODELS / "ocelli")
    args = ap.parse_args()
    from train_text import tokenizer
    tok = tokenizer(None)
    own = json.loads((RUNS / args.head / "calibration.json").read_text())
    state, f = tagger_state(args.head, args.text, own.pop("logit_scale"))
    args.out.mkdir(parents=True, exist_ok=True)
    more, decoder, source = caption_state()
    # The output layer is the table of words: one of them is enough.
    table, output = "text_decoder.bert.embeddings.word_embeddings.weight", "text_decoder.cls.predictions.decoder.weight"
    state.update({n: t for n, t in more.items() if n != output or not torch.equal(t, more[table])})
    image_text = state["vision_proj.weight"].shape[0]
    assert state["image_tokens.position_embedding"].shape[0] == MAP * MAP
    tokenizer_json(source, args.out / "decoder_tokenizer.json")
    (args.out / "words.json").write_text(json.dumps(words(set(known_tags(f))), ensure_ascii=False, separators=(",", ":")) + "\n")
    state = {n: t.detach().float().contiguous().clone() for n, t in state.items()}
    exact = WORK / "export" / args.out.name
    exact.mkdir(parents=True, exist_ok=True)
    save_file(state, exact / "model.safetensors", metadata={"format": "pt"})
    tokenizer_json(CACHE / "text-tokenizer.json", args.out / "tokenizer.json")
    write(args.out / "config.json", configuration(state, tok, own, decoder, image_text))
    write(args.out / "preprocessor_config.json", {
        "image_processor_type": "CLIPImageProcessor", "do_convert_rgb": True, "do_resize": True,
        "size": {"shortest_edge": RESIZE}, "resample": 3, "do_center_crop": True,
        "crop_size": {"height": IMAGE, "width": IMAGE}, "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "image_mean": [127 / 255] * 3, "image_std": [128 / 255] * 3})
    (args.out / "labels.json").write_text(json.dumps(known_tags(f), ensure_ascii=False, indent=1) + "\n")
    converter = os.environ.get("OCELLI_CONVERT")
    run = [converter] if converter else ["cargo", "run", "--release", "--quiet", "--bin", "ocelli-convert", "--"]
    convert = [*run, str(exact / "model.safetensors"),
               "--dtype", "int8", "-o", str(args.out / "model.safetensors")]
    subprocess.run(convert, cwd=REPO, check=True)


if __name__ == "__main__":
    main()
