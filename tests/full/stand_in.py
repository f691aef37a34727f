"""Configurations and tokenizers of CLIP B/32 and BLIP base, where the published files are not at hand.

Their configurations are facts; CLIP's vocabulary comes with the package open-clip-torch (PyPI); BLIP's, which is BERT's, is stood
in for by a WordPiece vocabulary of the same size and the same special tokens, made of CLIP's words: with random weights its words
mean nothing anyway.
"""

import gzip
import importlib.util
import json
import pathlib

MEAN = [0.48145466, 0.4578275, 0.40821073]
STD = [0.26862954, 0.26130258, 0.27577711]


def clip_vocabulary():
    """CLIP's tokens in the order of their ids, and its merges (Radford et al. 2021, `simple_tokenizer.py`)."""
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise SystemExit("CLIP's vocabulary comes with open-clip-torch: pip install open-clip-torch")
    text = gzip.open(pathlib.Path(spec.origin).parent / "bpe_simple_vocab_16e6.txt.gz").read().decode()
    merges = text.split("\n")[1 : 49152 - 256 - 2 + 1]
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]
    tokens = letters + [letter + "</w>" for letter in letters] + ["".join(merge.split()) for merge in merges]
    return [*tokens, "<|startoftext|>", "<|endoftext|>"], merges


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value) + "\n")


def special(token, index):
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip"), False)
    return {"id": index, "content": token, **flags, "normalized": False, "special": True}


def clip_tokenizer(tokens, merges):
    start, end = len(tokens) - 2, len(tokens) - 1
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [special(tokens[start], start), special(tokens[end], end)],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "NFC"},
                {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
                {"type": "Lowercase"},
            ],
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Removed", "invert": True},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True},
            ],
        },
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": [tokens[end], end],
            "cls": [tokens[start], start],
            "trim_offsets": False,
            "add_prefix_space": False,
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": tokens[end],
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>",
            "fuse_unk": False,
            "vocab": {token: index for index, token in enumerate(tokens)},
            "merges": merges,
        },
    }


def word_piece_tokenizer(clip_tokens, size=30522):
    """Special tokens where BERT has them, then letters, words and the pieces that go on with them."""
    vocabulary = ["[PAD]", *(f"[unused{i}]" for i in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(byte) for byte in range(33, 127) if not chr(byte).isupper()]
    pieces = [*letters, *(f"##{letter}" for letter in letters)]
    for token in clip_tokens:
        word = token.removesuffix("</w>")
        if word.isascii() and word.isalnum() and word.islower():
            pieces.append(word if token.endswith("</w>") else f"##{word}")
    vocabulary += list(dict.fromkeys(pieces))[: size - len(vocabulary)]
    assert len(vocabulary) == size, len(vocabulary)
    index = {token: i for i, token in enumerate(vocabulary)}
    cls, sep = ({"SpecialToken": {"id": name, "type_id": 0}} for name in ("[CLS]", "[SEP]"))
    text = {"Sequence": {"id": "A", "type_id": 0}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [special(name, index[name]) for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [cls, text, sep],
            "pair": [cls, text, sep, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
            "special_tokens": {
                name: {"id": name, "ids": [index[name]], "tokens": [name]} for name in ("[CLS]", "[SEP]")
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": index,
        },
    }


def make_hub(folder):
    """The files that `make.py` reads, in the folders of the published ones."""
    tokens, merges = clip_vocabulary()
    text = {"hidden_act": "quick_gelu", "hidden_size": 512, "intermediate_size": 2048, "num_attention_heads": 8, "num_hidden_layers": 12}
    vision = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12}
    clip = {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": 512,
        "logit_scale_init_value": 2.6592,
        "text_config": text | {"model_type": "clip_text_model", "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1,
                               "max_position_embeddings": 77, "vocab_size": len(tokens), "projection_dim": 512},
        "vision_config": vision | {"model_type": "clip_vision_model", "hidden_act": "quick_gelu", "image_size": 224,
                                   "patch_size": 32, "projection_dim": 512},
    }  # fmt: skip
    usual = {"image_mean": MEAN, "image_std": STD, "resample": 3, "do_resize": True, "do_normalize": True}
    square = {"size": 224, "crop_size": 224, "do_center_crop": True, "feature_extractor_type": "CLIPFeatureExtractor"}
    tokenizer = clip_tokenizer(tokens, merges)
    write(folder / "clip-vit-base-patch32", config=clip, preprocessor_config=usual | square)
    write(folder / "TinyCLIP-ViT-8M-16-Text-3M-YFCC15M", tokenizer=tokenizer, config=clip)
    blip = {
        "architectures": ["BlipForConditionalGeneration"],
        "model_type": "blip",
        "projection_dim": 512,
        "image_text_hidden_size": 256,
        "text_config": {"model_type": "blip_text_model", "bos_token_id": 30522, "eos_token_id": 2, "sep_token_id": 102,
                        "pad_token_id": 0, "vocab_size": 30524, "is_decoder": True, "hidden_size": 768,
                        "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12,
                        "max_position_embeddings": 512, "hidden_act": "gelu", "layer_norm_eps": 1e-12},
        "vision_config": vision | {"model_type": "blip_vision_model", "hidden_act": "gelu", "image_size": 384,
                                   "patch_size": 16, "layer_norm_eps": 1e-5},
    }  # fmt: skip
    large = {"size": {"height": 384, "width": 384}, "do_rescale": True, "image_processor_type": "BlipImageProcessor"}
    write(folder / "blip-image-captioning-base", config=blip, preprocessor_config=usual | large,
          tokenizer=word_piece_tokenizer(tokens))  # fmt: skip
