"""The captioner: image tokens, BLIP's text decoder over them, and BLIP's matching heads; the names are those of the shipped file.

`caption_state()` is what the export reads.
"""
import json
import math
import os

import torch
import torch.nn.functional as F
from transformers import BlipTextConfig
from transformers.models.blip.modeling_blip_text import BlipTextLMHeadModel, BlipTextModel

from caption_tokenizer import tokenizer
from paths import RUNS
from tower import COMPONENTS, FEATURES, MAP, basis

WIDTH = 192  # of the image tokens
HIDDEN, LAYERS, HEADS, PROJECTION = 128, 2, 4, 128
LENGTH = 32  # positions of texts
FOLDER = RUNS / "caption"


def config():
    """The configuration of the decoder and of the text encoder."""
    tok = tokenizer()
    ids = {name: tok.token_to_id(f"[{name}]") for name in ("PAD", "SEP", "DEC")}
    return BlipTextConfig(
        vocab_size=tok.get_vocab_size(), hidden_size=HIDDEN, encoder_hidden_size=WIDTH, intermediate_size=4 * HIDDEN,
        projection_dim=PROJECTION, num_hidden_layers=LAYERS, num_attention_heads=HEADS, max_position_embeddings=LENGTH,
        hidden_act="gelu", layer_norm_eps=1e-12, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        bos_token_id=ids["DEC"], eos_token_id=ids["SEP"], sep_token_id=ids["SEP"], pad_token_id=ids["PAD"],
        is_decoder=True, use_cache=True)


class ImageTokens(torch.nn.Module):
    """(B, 81, 256) components of the map's features -> (B, 81, WIDTH): LayerNorm(T x + t) + positions.

    `scale` (256,) evens out the components for training; `state` folds it and the basis into T (WIDTH, 1280).
    """

    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.ones(COMPONENTS))
        self.projection = torch.nn.Linear(COMPONENTS, WIDTH)
        self.norm = torch.nn.LayerNorm(WIDTH, eps=1e-5)
        self.position_embedding = torch.nn.Parameter(torch.randn(MAP * MAP, WIDTH) * 0.02)

    def forward(self, x):
        return self.norm(self.projection(x.float() * self.scale)) + self.position_embedding

    def state(self):
        """The tensors of the shipped file, for features (B, 81, 1280)."""
        mean, components = (torch.from_numpy(v).double() for v in basis())
        with torch.no_grad():
            t = (self.projection.weight * self.scale).double() @ components.T
            bias = self.projection.bias.double() - t @ mean
        assert t.shape == (WIDTH, FEATURES)
        return {"projection.weight": t.float(), "projection.bias": bias.float(), "norm.weight": self.norm.weight.detach(),
                "norm.bias": self.norm.bias.detach(), "position_embedding": self.position_embedding.detach()}


class Captioner(torch.nn.Module):
    """Image tokens and decoder. `decode` gives what `BlipTextLMHeadModel` gives, at the places asked for only."""

    def __init__(self):
        super().__init__()
        self.image_tokens = ImageTokens()
        self.text_decoder = BlipTextLMHeadModel(config())

    def seen(self, states):
        """Scores (n, vocabulary) of the words that the last layer writes when it looks at one place alone, of states (n, WIDTH)."""
        cross = self.text_decoder.bert.encoder.layer[-1].crossattention
        return self.text_decoder.cls(cross.output.dense(cross.self.value(states)))

    def decode(self, states, ids, mask, where):
        """Scores (n, vocabulary) of the words after the places `where` (B, T) bool of ids (B, T)."""
        seen = self.text_decoder.bert(input_ids=ids, attention_mask=mask, encoder_hidden_states=states,
                                      encoder_attention_mask=torch.ones(states.shape[:2], dtype=torch.long), is_decoder=True).last_hidden_state
        return self.text_decoder.cls(seen[where])

    @torch.inference_mode()
    def captions(self, states, prompts, length=20):
        """Greedy captions of states (B, 81, WIDTH); prompts: ids of each, beginning with [DEC]."""
        tok = tokenizer()
        end, out = tok.token_to_id("[SEP]"), [""] * len(prompts)
        for n in {len(p) for p in prompts}:  # prompts of one length together: no padding before the caption
            which = [k for k, p in enumerate(prompts) if len(p) == n]
            ids = torch.tensor([prompts[k] for k in which])
            done = torch.zeros(len(which), dtype=torch.bool)
            for _ in range(length):
                last = torch.zeros_like(ids, dtype=torch.bool)
                last[:, -1] = True
                ids = torch.cat([ids, self.decode(states[which], ids, torch.ones_like(ids), last).argmax(1, keepdim=True)], 1)
                done |= ids[:, -1] == end
                if done.all() or ids.shape[1] == LENGTH:
                    break
            for k, row in zip(which, ids[:, n:].tolist()):
                out[k] = tok.decode(row[:row.index(end)] if end in row else row)
        return out


class Matcher(torch.nn.Module):
    """The parts of `BlipForImageTextRetrieval` beside the tower, and the temperature of training."""

    def __init__(self):
        super().__init__()
        self.text_encoder = BlipTextModel(config(), add_pooling_layer=False)
        self.itm_head = torch.nn.Linear(HIDDEN, 2)
        self.vision_proj, self.text_proj = torch.nn.Linear(WIDTH, PROJECTION), torch.nn.Linear(HIDDEN, PROJECTION)
        for m in (self.vision_proj, self.text_proj):
            torch.nn.init.normal_(m.weight, std=m.in_features ** -0.5)
        self.log_scale = torch.nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def start_from(self, decoder):
        """Take the decoder's embeddings and layers: all shapes agree."""
        self.text_encoder.load_state_dict(decoder.bert.state_dict())


def image_vectors(model, states):
    return F.normalize(model.vision_proj(states.float().mean(1)), dim=-1)


def text_vectors(model, ids):
    seen = model.text_encoder(input_ids=ids, attention_mask=(ids > 0).long()).last_hidden_state
    return F.normalize(model.text_proj(seen[:, 0]).float(), dim=-1)


def matched(model, states, ids):
    """(N, 2) scores of N pairs: does not match, matches."""
    seen = model.text_encoder(input_ids=ids, attention_mask=(ids > 0).long(), encoder_hidden_states=states.float(),
                              encoder_attention_mask=torch.ones(states.shape[:2], dtype=torch.long)).last_hidden_state
    return model.itm_head(seen[:, 0]).float()


def keep(captioner=None, matcher=None):
    """Puts the parts given into runs/caption: caption.pt, decoder_config.json and decoder_tokenizer.json; other parts stay."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    state = torch.load(FOLDER / "caption.pt") if (FOLDER / "caption.pt").exists() else {}
    if captioner is not None:
        state |= {f"image_tokens.{k}": v for k, v in captioner.image_tokens.state().items()}
        state |= {f"text_decoder.{k}": v for k, v in captioner.text_decoder.state_dict().items()}
    if matcher is not None:
        state |= {k: v for k, v in matcher.state_dict().items() if k != "log_scale"}
    temporary = FOLDER / f"caption-{os.getpid()}.tmp"
    torch.save({k: v.detach().clone().contiguous() for k, v in state.items()}, temporary)
    temporary.rename(FOLDER / "caption.pt")
    kept = {k: v for k, v in config().to_dict().items() if k in (
        "vocab_size", "hidden_size", "encoder_hidden_size", "intermediate_size", "projection_dim", "num_hidden_layers",
        "num_attention_heads", "max_position_embeddings", "hidden_act", "layer_norm_eps", "bos_token_id", "eos_token_id",
        "sep_token_id", "pad_token_id", "is_decoder", "use_cache", "model_type")}
    (FOLDER / "decoder_config.json").write_text(json.dumps(kept, indent=2) + "\n")
    (FOLDER / "decoder_tokenizer.json").write_text(json.dumps(json.loads(tokenizer().to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")


def caption_state():
    """(state dict, decoder_config, path of decoder_tokenizer.json) of the finished captioner; see PLAN's tensor names in the model card."""
    return (torch.load(FOLDER / "caption.pt"), json.loads((FOLDER / "decoder_config.json").read_text()), FOLDER / "decoder_tokenizer.json")
