"""Write the trained models in the hub's format into pkg/models (float16 safetensors).

usage: python export.py [clip] [blip] [matching]      (run names: WORK/runs/clip, WORK/runs/blip, WORK/runs/matching)
Exports the averaged (EMA) weights. A run of train_matching.py goes into the captioner's file, whose
other tensors stay as they are: `BlipForConditionalGeneration` and `BlipForImageTextRetrieval` read the same folder.
"""
import json
import sys

import torch
from safetensors.torch import load_file, save_file

from blip import clip_of
from blip import config as blip_config
from paths import CACHE, IMAGE, MODELS
from runs import load
from texts import label_texts
from tokenizers_own import clip_tokenizer
from vit import clip_state

MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def write(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def tokenizer_json(source, target):
    """Compact tokenizer.json (no indentation: half the size)."""
    target.write_text(json.dumps(json.loads(source.read_text()), ensure_ascii=False, separators=(",", ":")) + "\n")


def export_clip(run="clip", name="clip-tiny"):
    model, _ = clip_of(run)
    cfg = model.cfg
    out = MODELS / name
    out.mkdir(parents=True, exist_ok=True)
    save_file(clip_state(model), out / "model.safetensors", metadata={"format": "pt"})
    tok = clip_tokenizer()
    sot, eot = tok.token_to_id("<|startoftext|>"), tok.token_to_id("<|endoftext|>")
    v, t = cfg["vision"], cfg["text"]
    write(out / "config.json", {
        "architectures": ["CLIPModel"], "model_type": "clip", "initializer_factor": 1.0,
        "logit_scale_init_value": 2.6592, "projection_dim": cfg["proj"], "torch_dtype": "float16",
        "text_config": {
            "model_type": "clip_text_model", "vocab_size": t["vocab"], "max_position_embeddings": t["context"],
            "hidden_size": t["d"], "intermediate_size": t["hidden"], "num_hidden_layers": t["layers"],
            "num_attention_heads": t["heads"], "hidden_act": "gelu", "layer_norm_eps": 1e-5,
            "projection_dim": cfg["proj"], "attention_dropout": 0.0,
            "bos_token_id": sot, "eos_token_id": eot, "pad_token_id": eot},
        "vision_config": {
            "model_type": "clip_vision_model", "image_size": v["image"], "patch_size": v["patch"], "num_channels": 3,
            "hidden_size": v["d"], "intermediate_size": v["hidden"], "num_hidden_layers": v["layers"],
            "num_attention_heads": v["heads"], "hidden_act": "gelu", "layer_norm_eps": 1e-5,
            "projection_dim": cfg["proj"], "attention_dropout": 0.0}})
    write(out / "preprocessor_config.json", {
        "image_processor_type": "CLIPImageProcessor", "do_convert_rgb": True, "do_resize": True,
        "size": {"shortest_edge": IMAGE}, "resample": 3, "do_center_crop": True,
        "crop_size": {"height": IMAGE, "width": IMAGE}, "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "image_mean": MEAN, "image_std": STD})
    tokenizer_json(CACHE / "clip-tokenizer.json", out / "tokenizer.json")
    write(out / "tokenizer_config.json", {
        "tokenizer_class": "CLIPTokenizer", "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "do_lower_case": True,
        "model_max_length": t["context"]})
    write(out / "labels.json", label_texts())
    print(name, "from", run, sum(f.stat().st_size for f in out.iterdir()), "bytes")


def export_blip(run="blip", name="blip-tiny"):
    from transformers import BlipForConditionalGeneration
    state = load(run)
    model = BlipForConditionalGeneration(blip_config())
    model.load_state_dict(state["ema"])
    out = MODELS / name
    out.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(out)
    (out / "generation_config.json").unlink(missing_ok=True)
    cfg = json.loads((out / "config.json").read_text())
    cfg.pop("transformers_version", None)
    cfg["torch_dtype"] = cfg.pop("dtype", "float16")
    write(out / "config.json", cfg)
    write(out / "preprocessor_config.json", {
        "image_processor_type": "BlipImageProcessor", "processor_class": "BlipProcessor", "do_convert_rgb": True,
        "do_resize": True, "size": {"height": IMAGE, "width": IMAGE}, "resample": 3, "do_rescale": True,
        "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": MEAN, "image_std": STD})
    tokenizer_json(CACHE / "blip-tokenizer.json", out / "tokenizer.json")
    write(out / "tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer", "do_lower_case": True, "bos_token": "[DEC]", "cls_token": "[CLS]",
        "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]",
        "strip_accents": None, "tokenize_chinese_chars": True, "model_max_length": cfg["text_config"]["max_position_embeddings"]})
    print(name, "from", run, sum(f.stat().st_size for f in out.iterdir()), "bytes")


def export_matching(run="matching", name="blip-tiny"):
    """Add the matching heads of WORK/runs/<run> to the exported captioner whose tower they were trained on."""
    state, target = load(run), MODELS / name / "model.safetensors"
    heads = {k: x.half().contiguous() for k, x in state["ema"].items() if k != "log_scale"}
    kept = {k: x for k, x in load_file(target).items() if k.startswith(("vision_model.", "text_decoder."))}
    tower = load(state["source"].rsplit("-", 2)[0])["ema"]
    if any(not torch.equal(x, tower[k].half()) for k, x in kept.items()):
        raise SystemExit(f"{target} is not the captioner that the run {run} was trained on: export that first")
    save_file({**kept, **heads}, target, metadata={"format": "pt"})
    print(name, "with", run, target.stat().st_size, "bytes")


if __name__ == "__main__":
    runs = sys.argv[1:] or ["clip", "blip", "matching"]
    if any(r.startswith("clip") for r in runs):
        export_clip(next(r for r in runs if r.startswith("clip")))
    if any(r.startswith("blip") for r in runs):
        export_blip(next(r for r in runs if r.startswith("blip")))
    if any(r.startswith("matching") for r in runs):
        export_matching(next(r for r in runs if r.startswith("matching")))
