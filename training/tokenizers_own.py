"""The two small vocabularies, in the published pipelines (CLIP's BPE, BLIP's WordPiece).

Both are trained on the project's own sentences and written as tokenizer.json.
"""
import json

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from paths import CACHE, SEED
from scenes import layout, many, one
from texts import TEMPLATES, aliases, label_texts

CLIP_SPLIT = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
CLIP_VOCAB = 2048
BLIP_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def corpus():
    """Sentences that cover every word the models may meet or say."""
    rng = np.random.default_rng(SEED)
    names = label_texts()
    every = names + [a for v in aliases().values() for a in v]
    out = [t.format(n) for n in every for t in TEMPLATES] + [many(2, n) for n in every] + [one(n) for n in every]
    pick = lambda: (0, names[rng.integers(len(names))])
    return out + [layout(rng, pick)[1] for _ in range(6000)] + ["a photo of two three and the"] * 50


def clip_tokenizer():
    target = CACHE / "clip-tokenizer.json"
    if not target.exists():
        tok = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>", continuing_subword_prefix=""))
        tok.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
        tok.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(CLIP_SPLIT), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False)])
        tok.train_from_iterator(corpus(), trainers.BpeTrainer(
            vocab_size=CLIP_VOCAB, end_of_word_suffix="</w>", initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
        spec = json.loads(tok.to_str())
        # CLIP's order: 256 bytes, 256 bytes ending a word, merges, then the two special tokens, end-of-text last.
        letters = sorted(pre_tokenizers.ByteLevel.alphabet())
        merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in spec["model"]["merges"]]
        merges = merges[:CLIP_VOCAB - 514]
        tokens = letters + [c + "</w>" for c in letters] + ["".join(m) for m in merges]
        tokens = list(dict.fromkeys(tokens)) + ["<|startoftext|>", "<|endoftext|>"]
        vocab = {t: i for i, t in enumerate(tokens)}
        tok = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<|endoftext|>",
                                   end_of_word_suffix="</w>", continuing_subword_prefix="", fuse_unk=False))
        old = Tokenizer.from_str(json.dumps(spec))
        tok.normalizer, tok.pre_tokenizer = old.normalizer, old.pre_tokenizer
        tok.add_special_tokens(["<|startoftext|>", "<|endoftext|>"])
        sot, eot = vocab["<|startoftext|>"], vocab["<|endoftext|>"]
        tok.post_processor = processors.RobertaProcessing(
            ("<|endoftext|>", eot), ("<|startoftext|>", sot), trim_offsets=False, add_prefix_space=False)
        tok.decoder = decoders.ByteLevel()
        tok.save(str(target))
    return Tokenizer.from_file(str(target))


def blip_tokenizer():
    target = CACHE / "blip-tokenizer.json"
    if not target.exists():
        tok = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
        tok.normalizer = normalizers.BertNormalizer(lowercase=True)
        tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tok.train_from_iterator(corpus(), trainers.WordPieceTrainer(
            vocab_size=1300, special_tokens=BLIP_SPECIAL, continuing_subword_prefix="##"))
        tok.add_special_tokens(["[DEC]", "[ENC]"])
        cls, sep = tok.token_to_id("[CLS]"), tok.token_to_id("[SEP]")
        tok.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
        tok.decoder = decoders.WordPiece(prefix="##", cleanup=True)
        tok.save(str(target))
    return Tokenizer.from_file(str(target))


def encode(tok, texts, length, pad):
    """(B, T) int64, T = longest text but at most `length`, padded with `pad`."""
    import torch
    rows = [e.ids[:length - 1] + e.ids[-1:] if len(e.ids) > length else e.ids for e in tok.encode_batch(list(texts))]
    t = max(map(len, rows))
    return torch.tensor([r + [pad] * (t - len(r)) for r in rows])


if __name__ == "__main__":
    c, b = clip_tokenizer(), blip_tokenizer()
    s = "a photo of two apples to the left of an electric guitar on a green ground"
    print(c.get_vocab_size(), c.encode(s).tokens)
    print(b.get_vocab_size(), b.encode(s).tokens)
