"""Makes the golden tokenizers of SigLIP's kinds beside this file: small ones that are trained here, and the reference's ids.

Run it with the packages of ../requirements.txt, sentencepiece and protobuf: python tests/golden/text/make_siglip.py

`siglip` is a SentencePiece unigram, read by `transformers`' SiglipTokenizer from its .model and by us from the tokenizer.json
that `tokenizers` makes of it; `siglip2` is a BPE with byte fallback as Gemma's, read by Siglip2Tokenizer. `xlm-roberta` is a
unigram between <s> and </s>, read by `tokenizers` itself, with the white space cleaned as `open_clip` does.
"""

import json
import pathlib
import sys
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers.implementations import SentencePieceUnigramTokenizer
from transformers import SiglipTokenizer
from transformers.models.siglip2.tokenization_siglip2 import Siglip2Tokenizer

HERE = pathlib.Path(__file__).parent
# Where `tokenizers` looks for it.
sys.modules["sentencepiece_model_pb2"] = sentencepiece_model_pb2
CONTEXT = 16
WORDS = "a photo of cat dog house red bicycle in the street woman reads book under tree two boats on lake snow mountain it's".split()
TEXTS = [
    "a photo of a cat", "A Photo of a CAT.", "two  dogs,   in the snow!", "it's the woman's book", "", " ", "...", "house-boat & tree",
    "Straße ÉCOLE naïve", "猫の写真", "a photo of a cat a photo of a cat a photo of a cat a photo of a cat a photo", "reads\tunder\nthe tree",
    "<pad> cat", "red🚲bicycle", "50% of 12 boats",
]


def corpus():
    return [" ".join(WORDS[(i * k + j) % len(WORDS)] for j in range(7)) for i in range(40) for k in (1, 3, 5)]


def write(name, tokenizer, rows):
    tokenizer.save(str(HERE / f"{name}.tokenizer.json"), pretty=False)
    cases = [{"text": text, "ids": ids} for text, ids in zip(TEXTS, rows, strict=True)]
    (HERE / f"{name}.ids.json").write_text(json.dumps({"context": CONTEXT, "cases": cases}, ensure_ascii=False, indent=0) + "\n")


def siglip():
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/spiece"
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus()), model_prefix=model, vocab_size=90, model_type="unigram", pad_id=0, eos_id=1, unk_id=2,
            bos_id=-1, hard_vocab_limit=False, minloglevel=2,
        )
        reference = SiglipTokenizer(f"{model}.model")
        rows = reference(TEXTS, padding="max_length", max_length=CONTEXT, truncation=True)["input_ids"]
        ours = SentencePieceUnigramTokenizer.from_spm(f"{model}.model")
    # The table of characters that the file brings would be most of it, and is nearly this.
    ours._tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    write("siglip", ours, rows)


def siglip2():
    base = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    base.normalizer = normalizers.Replace(" ", "▁")
    base.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *(f"<0x{byte:02X}>" for byte in range(256))]
    base.train_from_iterator(corpus(), trainers.BpeTrainer(vocab_size=360, special_tokens=special, show_progress=False))
    saved = json.loads(base.to_str())
    merges = [tuple(pair) for pair in saved["model"]["merges"]]
    reference = Siglip2Tokenizer(vocab=saved["model"]["vocab"], merges=merges)
    rows = []
    for text in TEXTS:
        ids = reference(text, add_special_tokens=False)["input_ids"][: CONTEXT - 1] + [1]
        rows.append(ids + [0] * (CONTEXT - len(ids)))
    base.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    write("siglip2", base, rows)


def xlm_roberta():
    ours = SentencePieceUnigramTokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    ours.train_from_iterator(corpus(), vocab_size=90, special_tokens=special, unk_token="<unk>", show_progress=False)
    ours._tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    rows = []
    for text in TEXTS:
        ids = ours.encode(" ".join(text.split())).ids
        rows.append(ids if len(ids) <= CONTEXT else [*ids[: CONTEXT - 1], 2])
    write("xlm-roberta", ours, rows)


if __name__ == "__main__":
    siglip()
    siglip2()
    xlm_roberta()
