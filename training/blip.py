"""The BLIP captioner: configuration, start weights from the CLIP image tower, captions of the training images.

The model is transformers' own `BlipForConditionalGeneration`, so that the export
is a plain `state_dict` in half precision.
"""
import torch

from paths import IMAGE
from runs import load
from tokenizers_own import blip_tokenizer
from vit import TAP, Clip

D, HEADS, HIDDEN, LAYERS = 192, 3, 576, TAP
MAX_WORDS = 32


def config():
    from transformers import BlipConfig
    tok = blip_tokenizer()
    ids = {name: tok.token_to_id(f"[{name}]") for name in ("PAD", "CLS", "SEP", "DEC", "ENC")}
    text = dict(vocab_size=tok.get_vocab_size(), hidden_size=128, encoder_hidden_size=D, intermediate_size=512,
                projection_dim=128, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=MAX_WORDS,
                hidden_act="gelu", layer_norm_eps=1e-12, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
                bos_token_id=ids["DEC"], eos_token_id=ids["SEP"], sep_token_id=ids["SEP"], pad_token_id=ids["PAD"],
                is_decoder=True, use_cache=True)
    vision = dict(hidden_size=D, intermediate_size=HIDDEN, projection_dim=128, num_hidden_layers=LAYERS,
                  num_attention_heads=HEADS, image_size=IMAGE, patch_size=16, hidden_act="gelu", layer_norm_eps=1e-5)
    return BlipConfig(text_config=text, vision_config=vision, projection_dim=128, image_text_hidden_size=128)


def clip_of(run):
    """The averaged CLIP model of WORK/runs/<run>, and its training-only tensors by name."""
    state = load(run)
    clip = Clip(state["config"])
    own = clip.state_dict()
    clip.load_state_dict({k: v for k, v in state["ema"].items() if k in own})
    return clip, {k: v for k, v in state["ema"].items() if k not in own}


def vision_from_clip(tower, clip: Clip, images):
    """Copy the CLIP image tower's first layers into `tower`, a BlipVisionModel.

    CLIP normalises the embedded patches before the first block and BLIP does not:
    the normalisation, with the mean spread of the learned embeddings, is folded
    into patch matrix, bias, class vector and positions. `images` (B, 3, S, S), normalised, give that spread.
    """
    v, out = clip.vision, tower.state_dict()
    g, b = v.pre.weight, v.pre.bias
    centre = lambda x: x - x.mean(-1, keepdim=True)
    w = v.patch_embed.weight  # (D, 768)
    b_, s_ = images.shape[0], images.shape[2] // 16
    patches = images.view(b_, 3, s_, 16, s_, 16).permute(0, 2, 4, 1, 3, 5).reshape(b_, s_ * s_, 768)
    spread = (patches @ w.T + v.pos[1:]).std(-1).mean()
    cls = centre(v.cls + v.pos[0])
    pos = centre(v.pos) * g / spread
    out["embeddings.patch_embedding.weight"] = ((w - w.mean(0)) * (g / spread)[:, None]).view(D, 3, 16, 16)
    out["embeddings.patch_embedding.bias"] = b.clone()
    pos[0] = 0
    out["embeddings.position_embedding"] = pos[None]
    out["embeddings.class_embedding"] = (cls / cls.std() * g + b)[None, None]
    for i in range(LAYERS):
        blk, p = v.blocks[i], f"encoder.layers.{i}."
        for name, m in (("self_attn.qkv", blk.qkv), ("self_attn.projection", blk.out), ("layer_norm1", blk.ln1),
                        ("layer_norm2", blk.ln2), ("mlp.fc1", blk.fc1), ("mlp.fc2", blk.fc2)):
            out[p + name + ".weight"], out[p + name + ".bias"] = m.weight, m.bias
    out["post_layernorm.weight"], out["post_layernorm.bias"] = clip.patch_norm.weight, clip.patch_norm.bias
    tower.load_state_dict({k: x.detach().clone() for k, x in out.items()})


def caption_ids(tok, captions):
    """(B, T) ids "[DEC] words [SEP]" padded with 0, and labels with the padding at -100."""
    dec, sep, pad = (tok.token_to_id(t) for t in ("[DEC]", "[SEP]", "[PAD]"))
    rows = [[dec] + e.ids[1:-1][:MAX_WORDS - 2] + [sep] for e in tok.encode_batch(list(captions))]
    t = max(map(len, rows))
    ids = torch.tensor([r + [pad] * (t - len(r)) for r in rows])
    return ids, ids.masked_fill(ids == pad, -100)
