"""The text tower's vocabulary: byte-level BPE in CLIP's published pipeline, trained on the names of things.

The order of ids is CLIP's: 256 bytes, 256 bytes that end a word, merges, then the two special tokens.
"""
import json

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SPLIT = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
VOCAB = 6000


def train(corpus, target):
    """Trains on the sentences `corpus` and writes tokenizer.json to `target`."""
    tok = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>", continuing_subword_prefix=""))
    tok.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tok.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=VOCAB + 600, end_of_word_suffix="</w>", show_progress=False,
                                                        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    spec = json.loads(tok.to_str())
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    base = letters + [c + "</w>" for c in letters]
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in spec["model"]["merges"]]
    merges = merges[:VOCAB - len(base) - 2]
    tokens = list(dict.fromkeys(base + ["".join(m) for m in merges])) + ["<|startoftext|>", "<|endoftext|>"]
    vocab = {t: i for i, t in enumerate(tokens)}
    own = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<|endoftext|>", end_of_word_suffix="</w>",
                               continuing_subword_prefix="", fuse_unk=False))
    own.normalizer, own.pre_tokenizer = tok.normalizer, tok.pre_tokenizer
    own.add_special_tokens(["<|startoftext|>", "<|endoftext|>"])
    start, end = vocab["<|startoftext|>"], vocab["<|endoftext|>"]
    own.post_processor = processors.RobertaProcessing(("<|endoftext|>", end), ("<|startoftext|>", start),
                                                      trim_offsets=False, add_prefix_space=False)
    own.decoder = decoders.ByteLevel()
    own.save(str(target))
    return own
