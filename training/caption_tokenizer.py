"""The captioner's vocabulary: WordPiece, as BERT's, of the words that sentences need; written as tokenizer.json."""
import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from paths import CACHE, SEED
from scenes import GROUNDS, many
from words import a, every_name, several

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = 3800
FILE = CACHE / "caption-tokenizer.json"


def corpus():
    """Texts that hold every word, common ones often."""
    rng = np.random.default_rng(SEED)
    names = every_name()
    out = [n for n in names for _ in range(2)] + [a(n) for n in names] + [several(2, n) for n in names] + [many(3, n) for n in names]
    small = [f"on a {g} ground" for g in GROUNDS] + ["on grass", "in water", "on water", "in the sky", "a kind of", "to the left of", "something",
             "to the right of", "above", "below", "and", "two", "three", "a photo of a", "a picture of an", "an image of the", "a drawing of a"]
    return out + [small[i] for i in rng.integers(len(small), size=3000)] + list("abcdefghijklmnopqrstuvwxyz0123456789") * 3


def tokenizer():
    if not FILE.exists():
        tok = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
        tok.normalizer = normalizers.BertNormalizer(lowercase=True)
        tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tok.train_from_iterator(corpus(), trainers.WordPieceTrainer(
            vocab_size=VOCABULARY, special_tokens=SPECIAL, continuing_subword_prefix="##"))
        tok.add_special_tokens(["[DEC]", "[ENC]"])
        tok.add_tokens([c for c in ":,.-'" if tok.token_to_id(c) is None])
        cls, sep = tok.token_to_id("[CLS]"), tok.token_to_id("[SEP]")
        tok.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
        tok.decoder = decoders.WordPiece(prefix="##", cleanup=True)
        tok.save(str(FILE))
    return Tokenizer.from_file(str(FILE))


if __name__ == "__main__":
    t = tokenizer()
    known = [n for n in every_name() if "[UNK]" in t.encode(n).tokens]
    print(t.get_vocab_size(), "tokens; cannot be written:", known)
    print(t.encode("golden retriever, dog : a golden retriever, a kind of dog, on grass").tokens)
