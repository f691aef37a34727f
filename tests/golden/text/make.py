"""Golden data for tests/text.rs: token ids and captions as transformers gives them.

    pip install -r tests/golden/requirements.txt && python tests/golden/text/make.py

Writes beside itself:
  clip-tokenizer.json, blip-tokenizer.json   two small tokenizers of the published kinds, trained where they are
                                             absent: trainers settle ties at random, so each run would give others
  clip.json, blip.json                       what they make of the strings below
  clip-hub.json, blip-hub.json               what the published ones make of them (only where ../shared/hub, or
                                             $OCELLI_SHARED/hub, is present; the tokenizers are not copied)
  corpus.json                                the tables of corpus.py, and the hash of its strings
  *-ids.bin                                  for each tokenizer, the hash of each of those strings' ids: 32 bits
"""

import json
import os
import random
import shutil
import struct
from pathlib import Path

from corpus import TABLES, Corpus, fnv1a
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertTokenizer, CLIPTokenizer

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
HUB = Path(os.environ.get("OCELLI_SHARED", ROOT.parent / "shared")) / "hub"
CONTEXT = 77
# As in the published code of BLIP.
TEXT_TOKENS = 35

CORPUS = """
a photo of a cat. a photo of a dog. a photo of two dogs and three cats. a picture of a red bus on the street.
a drawing of an owl above a tree. a bad photo of the airplane. it's a person's umbrella, isn't it? they're ours.
a close-up photo of a strawberry. the black and white photo of a chair. 24 hours, 365 days, 1999 and 2024.
a woman sitting on a bench with her dog in the park. a man riding a wave on top of a surfboard.
a group of people standing around a table with food. a small boat floating on the calm blue water near the shore.
a yellow taxi to the left of a green truck. a pizza below a clock. there is a teddy bear next to the window.
an elephant, a giraffe and a zebra at the zoo; some mountains in the background. café, naïve, jalapeño.
""".strip()

WORDS = "a photo of the cat dog sunflower grand piano joshua tree wrench cellphone water lilly saxophone".split()


def strings():
    """Some 300 texts that tokenizers get wrong, then some seeded ones."""
    random.seed(20240607)
    plain = [
        "", " ", "a", "cat", "a photo of a cat.", "A PHOTO OF A CAT!", "a photo of  two   cats", "  leading and trailing  ",
        "tabs\tand\nnew\r\nlines", "a picture of", "a picture of ", "photo,of;a:cat", "hello world!!!", "...", "?!?!",
        "it's", "IT'S", "they're", "we've", "I'm", "she'll", "he'd", "isn't", "can't've", "o'clock", "rock'n'roll",
        "'s", "' s", "''s", "'tis the season", "don\u2019t", "it\u2019s", "l'été", "cat's-eye", "mother-in-law",
        "1", "12", "123", "1234567890", "3.14", "1,000,000", "50%", "$5", "7up", "h2o", "mp3", "4k tv", "2024-06-07",
        "½ cup", "x² + y³", "Ⅷ", "①②③", "٣٤٥", "१२३", "千二百", "10€",
        "e-mail: someone@example.com", "https://example.com/a?b=c&d=e#f", "C:\\path\\file.txt", "#hashtag @name",
        "snake_case_name", "CamelCaseName", "a/b", "a|b", "<b>bold</b>", "&amp;", "{}", "[x]", "(y)", "~`^", "a+b=c",
        "__init__", "--flag", "*star*", "\"quoted\"", "«guillemets»", "“curly”", "em—dash", "en–dash", "ellipsis…",
    ]  # fmt: skip
    marks = [
        "café", "cafe\u0301", "naïve", "nai\u0308ve", "Å", "A\u030a", "\u212b", "ñ", "n\u0303", "ﬁ ligature", "ﬀ", "ß", "SS",
        "ẞ", "İstanbul", "ISTANBUL", "ıi", "Ǆ ǅ ǆ", "ÀÉÎÕÜ", "Żółć", "Tiếng Việt", "e\u0302\u0301", "\u1ec7", "e\u0323\u0302",
        "a\u0327\u0301", "a\u0301\u0327", "ö", "o\u0308", "Ω", "\u2126", "ς σ Σ", "ΌΔΟΣ", "ΟΔΥΣΣΕΥΣ", "ё", "е\u0308", "й", "и\u0306",
        "\u1100\u1161\u11a8", "각", "か\u3099", "が", "ﾊﾟ", "パ", "\u0344", "\u0958", "क\u093c", "\u0f73", "\U0001d15e", "\ufb1f",
    ]  # fmt: skip
    scripts = [
        "привет мир", "ПРИВЕТ МИР", "Γειά σου Κόσμε", "שלום עולם", "שָׁלוֹם", "مرحبا بالعالم", "مَرْحَبًا", "नमस्ते दुनिया", "हिन्दी",
        "สวัสดีชาวโลก", "ສະບາຍດີ", "မင်္ဂလာပါ", "ជំរាបសួរ", "გამარჯობა", "Բարեւ", "ሰላም", "ᏣᎳᎩ", "ꮳꮃꭹ", "你好世界", "我有3只猫", "一只猫 and a dog",
        "こんにちは世界", "カタカナ", "ﾊﾝｶｸ", "안녕하세요", "漢字かな交じり文", "㐀", "𠀀", "𠮷野家", "豈", "中cat文", "粵語", "ÆØÅ æøå", "Ðþ", "ǅ", "ƒ",
        "𝒽ℯ𝓁𝓁ℴ", "ｆｕｌｌｗｉｄｔｈ", "ＡＢＣ１２３", "Ⓐⓑ", "ªº", "ʰello", "ꙮ", "𐍈", "𓀀", "ⴰⵣⵓⵍ", "ᓀᐦᐃᔭᐍᐏᐣ", "߁߂߃", "𞤀𞤣𞤤𞤢𞤥", "𞤢", "Ა", "ა",
    ]  # fmt: skip
    emoji = [
        "😀", "a 🐱 cat", "🐱🐶", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "❤️", "❤", "☺️", "1️⃣", "✈", "★☆", "♫", "→⇒", "∑∞≠", "€£¥₿", "©®™", "°C",
        "🫠", "🪿", "🫩", "🧑‍🚀 in space", "love 💕 it!!", "🤷🏿‍♀️", "\U0001f9d1\u200d\U0001f384",
    ]  # fmt: skip
    controls = [
        "zero\u200bwidth", "non\u00a0breaking", "thin\u2009space", "ideographic\u3000space", "line\u2028separator", "para\u2029graph",
        "next\u0085line", "vertical\u000btab", "form\u000cfeed", "nul\u0000byte", "bell\u0007", "escape\u001b[0m", "del\u007f",
        "bom\ufeffinside", "\ufeffbom first", "soft\u00adhyphen", "rtl\u200fmark", "\u202eoverride\u202c", "replacement\ufffd",
        "private\ue000use", "noncharacter\uffff", "unassigned\u0378", "tag\U000e0061", "variation\ufe0e", "joiner\u200d", "\u180e",
        "mongolian\u180eseparator", "\u2060word joiner", "unit\u001fseparator", "\u001c\u001d\u001e", "c1\u0090control",
        "a\u0301\u0302\u0303\u0304\u0305\u0306\u0307", "\u0301alone", "lone\u0488", "ogham\u1680space",
    ]  # fmt: skip
    specials = [
        "<|startoftext|>", "<|endoftext|>", "a <|endoftext|> b", "a<|endoftext|>b", "<|STARTOFTEXT|>", "<|EndOfText|>", "<|startoftext|> cat",
        "<|endoftext", "</w>", "cat</w>", "[CLS]", "[SEP]", "a [SEP] b", "[MASK] cat", "[sep]", "[PAD][PAD]", "[UNK]", "[DEC]", "[ENC] dog",
        "##ing", "## ing", "#ing", "un ##believable",
    ]  # fmt: skip
    long = [
        "a" * 76, "a " * 74 + "a", "a " * 75 + "a", "a " * 76, "cat " * 100, "supercalifragilisticexpialidocious", "x" * 99, "x" * 100,
        "x" * 101, "x" * 300, "é" * 100, "é" * 101, "ab" * 200, "!" * 200, "1" * 100, "猫" * 90, "😀" * 40, "pneumonoultramicroscopicsilicovolcanoconiosis",
        "donaudampfschifffahrtsgesellschaftskapitän", " ".join(WORDS * 9), "a photo of a " + "very " * 80 + "long cat",
        "a,b.c;d:e!f?g" * 12, "it's " * 60, "\u0301" * 50, "-" * 75, "=" * 76, "abcdefghijklmnopqrstuvwxyz" * 10,
    ]  # fmt: skip
    seeded = []
    ranges = [(0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x4FF), (0x590, 0x6FF), (0x900, 0x97F), (0x1E00, 0x1FFF), (0x2000, 0x2BFF),
              (0x3040, 0x30FF), (0x4E00, 0x4EFF), (0xAC00, 0xACFF), (0xFB00, 0xFDFF), (0x1F300, 0x1F6FF)]  # fmt: skip
    for _ in range(30):
        seeded.append("".join(chr(random.randint(*random.choice(ranges))) for _ in range(random.randint(3, 18))))
    for _ in range(20):
        seeded.append(" ".join(random.choice(WORDS) for _ in range(random.randint(1, 12))) + random.choice(["", ".", "!", " "]))
    return plain + marks + scripts + emoji + controls + specials + long + seeded


def train_clip():
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix="</w>", unk_token="<|endoftext|>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    pattern = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ])  # fmt: skip
    tokenizer.decoder = decoders.ByteLevel()
    # As CLIP: the alphabet, the alphabet at the end of a word, merges; the special tokens last.
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=760, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False)
    tokenizer.train_from_iterator(CORPUS.splitlines(), trainer)
    file = json.loads(tokenizer.to_str())
    vocab = list(sorted(file["model"]["vocab"], key=file["model"]["vocab"].get))
    vocab += [token + "</w>" for token in alphabet if token + "</w>" not in vocab]
    start, end = len(vocab), len(vocab) + 1
    file["model"]["vocab"] = {token: index for index, token in enumerate([*vocab, "<|startoftext|>", "<|endoftext|>"])}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "special": True}
    file["added_tokens"] = [
        {"id": start, "content": "<|startoftext|>", **flags, "normalized": True},
        {"id": end, "content": "<|endoftext|>", **flags, "normalized": False},
    ]
    roberta = processors.RobertaProcessing(("<|endoftext|>", end), ("<|startoftext|>", start), False, False)
    tokenizer.post_processor = roberta
    file["post_processor"] = json.loads(tokenizer.to_str())["post_processor"]
    return file


def train_blip():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=600, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(CORPUS.splitlines(), trainer)
    tokenizer.add_special_tokens(["[DEC]", "[ENC]"])
    cls, sep = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)]
    )
    return json.loads(tokenizer.to_str())


def clip_cases(folder):
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    return [[text, tokenizer(text, truncation=True, max_length=CONTEXT)["input_ids"]] for text in strings()]


CAPTIONS = [
    "a woman sitting on a bench, with her dog!", "it's a person's umbrella, isn't it?", "they're ours; we've 3 cats.", "don't do not do that",
    "a close-up photo of a strawberry - $5.00 (50 %)", "the \" quoted \" word", "rock ' n ' roll", "i'm here . you 're there , he 's not n't",
    "café naïve jalapeño", "a b c . . . ! ?", "cat", "", "1, 2, 3 ...", "supercalifragilistic", "3 / 4", "o'clock", "a 'm 've 're", " ' ",
]  # fmt: skip


def blip_cases(folder):
    tokenizer = BertTokenizer.from_pretrained(folder)
    encode = [[text, tokenizer(text, add_special_tokens=False)["input_ids"]] for text in strings()]
    random.seed(7)
    rows = [tokenizer(text)["input_ids"] for text in CAPTIONS]
    rows += [[random.randrange(len(tokenizer)) for _ in range(random.randint(1, 25))] for _ in range(60)]
    rows += [[], [0, 0], list(range(12)), [len(tokenizer) - 1, len(tokenizer) - 2, 5, 5]]
    decode = [[row, tokenizer.decode(row, skip_special_tokens=True)] for row in rows]
    # Whole texts, cut as for a matcher.
    whole = [[text, tokenizer(text, truncation=True, max_length=TEXT_TOKENS)["input_ids"]] for text in strings()[::5]]
    assert sum(len(ids) == TEXT_TOKENS for _, ids in whole) > 3
    return {"encode": encode, "decode": decode, "whole": whole, "vocab_size": len(tokenizer)}


def clip_hashes(folder):
    """Not truncated, so that the ends of long strings count."""
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    return hashes(lambda text: tokenizer(text)["input_ids"])


def blip_hashes(folder):
    tokenizer = BertTokenizer.from_pretrained(folder)
    return hashes(lambda text: tokenizer(text, add_special_tokens=False)["input_ids"])


def hashes(encode):
    def of(ids):
        return fnv1a(struct.pack(f"<{len(ids)}I", *ids))

    return b"".join(struct.pack("<I", of(encode(text))) for text in Corpus().strings())


def corpus():
    # No UTF-8 holds the byte 255, so that the strings' borders count.
    data = b"".join(text.encode() + b"\xff" for text in Corpus().strings())
    return {"hash": fnv1a(data), **TABLES}


def dump(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def folder_of(name, train):
    """A small tokenizer, in the folder that `from_pretrained` wants."""
    import tempfile

    path = HERE / f"{name}-tokenizer.json"
    if not path.exists():
        dump(path.name, train())
    folder = Path(tempfile.mkdtemp(prefix=name))
    shutil.copy(path, folder / "tokenizer.json")
    return folder


if __name__ == "__main__":
    dump("corpus.json", corpus())
    sources = [("", folder_of("clip", train_clip), folder_of("blip", train_blip))]
    if HUB.is_dir():
        sources.append(("-hub", HUB / "TinyCLIP-ViT-8M-16-Text-3M-YFCC15M", HUB / "blip-image-captioning-base"))
    else:
        print(f"{HUB} is not here: the files of the published tokenizers are left as they are")
    for suffix, clip, blip in sources:
        dump(f"clip{suffix}.json", clip_cases(clip))
        dump(f"blip{suffix}.json", blip_cases(blip))
        (HERE / f"clip{suffix}-ids.bin").write_bytes(clip_hashes(clip))
        (HERE / f"blip{suffix}-ids.bin").write_bytes(blip_hashes(blip))
