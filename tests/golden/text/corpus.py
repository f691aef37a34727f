"""Strings that need not be stored: tests/golden/text/corpus.rs makes the same ones from the same tables.

make.py writes the tables below to corpus.json. The code points of a range need not all be assigned: what a
tokenizer makes of the others is a question too.
"""

SEED = 20240607
COUNT = 10_500

SCRIPTS = {
    "latin": [(0x41, 0x5A), (0x61, 0x7A), (0xC0, 0xFF)],
    "latin extended": [(0x100, 0x24F), (0x1E00, 0x1EFF), (0xA722, 0xA7FF)],
    "phonetic": [(0x250, 0x2FF), (0x1D00, 0x1DBF)],
    "greek": [(0x370, 0x3FF), (0x1F00, 0x1FFF)],
    "cyrillic": [(0x400, 0x52F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F)],
    "armenian": [(0x531, 0x58F)],
    "hebrew": [(0x591, 0x5F4)],
    "arabic": [(0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF)],
    "syriac": [(0x700, 0x74F)],
    "thaana": [(0x780, 0x7B1)],
    "nko": [(0x7C0, 0x7FF)],
    "devanagari": [(0x900, 0x97F)],
    "bengali": [(0x980, 0x9FE)],
    "gurmukhi": [(0xA01, 0xA76)],
    "gujarati": [(0xA81, 0xAFF)],
    "oriya": [(0xB01, 0xB77)],
    "tamil": [(0xB82, 0xBFA)],
    "telugu": [(0xC00, 0xC7F)],
    "kannada": [(0xC80, 0xCF3)],
    "malayalam": [(0xD00, 0xD7F)],
    "sinhala": [(0xD81, 0xDF4)],
    "thai": [(0xE01, 0xE5B)],
    "lao": [(0xE81, 0xEDF)],
    "tibetan": [(0xF00, 0xFDA)],
    "myanmar": [(0x1000, 0x109F)],
    "georgian": [(0x10A0, 0x10FF), (0x1C90, 0x1CBF), (0x2D00, 0x2D2D)],
    "ethiopic": [(0x1200, 0x139F)],
    "cherokee": [(0x13A0, 0x13FD), (0xAB70, 0xABBF)],
    "canadian syllabics": [(0x1400, 0x167F)],
    "runic": [(0x1680, 0x16F8)],
    "khmer": [(0x1780, 0x17F9)],
    "mongolian": [(0x1800, 0x18AA)],
    "balinese": [(0x1B00, 0x1B7E)],
    "glagolitic": [(0x2C00, 0x2C5F), (0x1E000, 0x1E02A)],
    "coptic": [(0x2C80, 0x2CFF)],
    "tifinagh": [(0x2D30, 0x2D7F)],
    "hiragana": [(0x3041, 0x309F)],
    "katakana": [(0x30A0, 0x30FF), (0x31F0, 0x31FF)],
    "bopomofo": [(0x3105, 0x312F)],
    "han": [(0x4E00, 0x9FFF)],
    "han extended": [(0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0xF900, 0xFAD9), (0x2F800, 0x2FA1D)],
    "hangul": [(0xAC00, 0xD7A3)],
    "hangul jamo": [(0x1100, 0x11FF), (0x3131, 0x318E)],
    "yi": [(0xA000, 0xA48C)],
    "presentation forms": [(0xFB00, 0xFDFF), (0xFE70, 0xFEFC)],
    "full width": [(0xFF01, 0xFFEE)],
    "gothic": [(0x10330, 0x1034A)],
    "deseret": [(0x10400, 0x1044F)],
    "cuneiform": [(0x12000, 0x12399)],
    "hieroglyphs": [(0x13000, 0x1342F)],
    "mathematical": [(0x1D400, 0x1D7FF), (0x2100, 0x214F)],
    "adlam": [(0x1E900, 0x1E95F)],
}
EMOJI = [
    (0x1F300, 0x1F5FF), (0x1F600, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1F9FF), (0x1FA70, 0x1FAFF), (0x2600, 0x27BF),
    (0x1F1E6, 0x1F1FF), (0x23, 0x23), (0x30, 0x39), (0x2190, 0x21FF), (0x2B05, 0x2B55), (0x1F000, 0x1F0FF),
]  # fmt: skip
# Skin tones, variation selectors, the key cap, the joiner.
EMOJI_TAILS = [(0x1F3FB, 0x1F3FF), (0xFE0E, 0xFE0F), (0xFE0F, 0xFE0F), (0x20E3, 0x20E3), (0x200D, 0x200D)]
MARKS = [
    (0x300, 0x36F), (0x300, 0x30C), (0x483, 0x489), (0x591, 0x5BD), (0x64B, 0x65F), (0x93C, 0x94D), (0xE47, 0xE4E),
    (0x1AB0, 0x1ACE), (0x1DC0, 0x1DFF), (0x20D0, 0x20F0), (0x3099, 0x309A), (0xFE20, 0xFE2F), (0x1D165, 0x1D172),
]  # fmt: skip
# Controls, format characters, private use, tags, what is no character.
CONTROLS = [
    (0x0, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x61C, 0x61C), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E),
    (0x2060, 0x206F), (0xFDD0, 0xFDEF), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFF), (0xE000, 0xF8FF), (0xE0001, 0xE007F),
    (0xE0100, 0xE01EF), (0x1FFFE, 0x1FFFF), (0x10FFFE, 0x10FFFF),
]  # fmt: skip
SPACES = [
    (0x20, 0x20), (0x9, 0xD), (0x1C, 0x1F), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
    (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
]  # fmt: skip
PUNCTUATION = [
    (0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E), (0xA1, 0xBF), (0x2010, 0x2027), (0x2030, 0x205E), (0x20A0, 0x20C1),
    (0x2200, 0x22FF), (0x2500, 0x257F), (0x2E00, 0x2E5D), (0x3001, 0x303F), (0xFE30, 0xFE6B),
]  # fmt: skip
DIGITS = [
    (0x30, 0x39), (0x30, 0x39), (0x30, 0x39), (0xB2, 0xB3), (0xBC, 0xBE), (0x660, 0x669), (0x6F0, 0x6F9), (0x966, 0x96F),
    (0xE50, 0xE59), (0x2070, 0x2089), (0x2150, 0x2188), (0x2460, 0x249B), (0x3220, 0x3229), (0xFF10, 0xFF19), (0x1D7CE, 0x1D7FF),
]  # fmt: skip
WORDS = """
a the of in on with and photo picture drawing cat dog bus street red umbrella airplane strawberry mountains elephant person
sunflower saxophone grand piano joshua tree wrench cellphone water lilly pneumonoultramicroscopicsilicovolcanoconiosis
antidisestablishmentarianism unbelievable internationalization McDonald iPhone eBay NASA USA COVID-19 rock'n'roll mother-in-law
o'clock e-mail someone@example.com https://example.com/a?b=c&d=e#f snake_case_name CamelCaseName #hashtag @name 3.14 1,000,000
50% $5 2024-06-07 café CAFÉ naïve jalapeño façade Übergröße STRASSE straße Ångström Żółć ÇÖZÜM İstanbul ışık Tiếng Việt
donaudampfschifffahrtsgesellschaftskapitän ΟΔΥΣΣΕΥΣ Οδυσσεύς привет МИР ёлка שלום שָׁלוֹם مرحبا مَرْحَبًا नमस्ते हिन्दी สวัสดี ສະບາຍດີ မင်္ဂလာပါ
გამარჯობა Բարեւ ሰላም ᏣᎳᎩ 你好世界 漢字かな交じり文 こんにちは カタカナ ﾊﾝｶｸ 안녕하세요 粵語 𠮷野家 ﬁ ﬀ Ǆ ǅ ß ẞ ﷺ
""".split()
# Parts of words that never were: they lead byte pairs and word pieces to tokens that real words seldom show.
SYLLABLES = """
a al an ar as at ba be ber bi ble bo bra bu ca cal car ce cha che chi cle co com con cor cra cu da de den der di do dra du e el en
er es ex fa fe fi fla fo for fra fu ga ge gen gi gla go gra gu ha hea her hi ho hu i ic il im in ing ion is ism ist it ive ja je jo
ju ka ke ki kno ko la le les li lo lu ly ma man mar me men mi mo mu my na ne ness ni no nu o ob of on or ou ough out pa pe per pha
phi pi pla po pre pro qua que ra re ri ro ru ry sa se sha she shi si sion so sta ste sto str su ta te ter th the ti tion to tra tri
tu ty u ul un up ur us va ve ver vi vo wa we wh wi wo x y ya yo z ze zi zo
""".split()
ENDINGS = ["'s", "'S", "'t", "n't", "'re", "'VE", "'m", "'ll", "'d", "\u2019s", "'", "''", "'x", "s'", "ing", "-", "."]
SPECIALS = [
    "<|startoftext|>", "<|endoftext|>", "<|STARTOFTEXT|>", "<|endoftext", "</w>", "[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]",
    "[DEC]", "[ENC]", "[sep]", "##ing", "##",
]  # fmt: skip

TABLES = {
    "seed": SEED, "count": COUNT, "scripts": [[name, ranges] for name, ranges in SCRIPTS.items()], "emoji": EMOJI,
    "emoji_tails": EMOJI_TAILS, "marks": MARKS, "controls": CONTROLS, "spaces": SPACES, "punctuation": PUNCTUATION,
    "digits": DIGITS, "words": WORDS, "syllables": SYLLABLES,
    "endings": ENDINGS, "specials": SPECIALS,
}  # fmt: skip


class Corpus:
    def __init__(self):
        self.state = SEED

    def below(self, limit):
        """xorshift32."""
        self.state ^= self.state << 13 & 0xFFFFFFFF
        self.state ^= self.state >> 17
        self.state ^= self.state << 5 & 0xFFFFFFFF
        return self.state % limit

    def pick(self, table):
        return table[self.below(len(table))]

    def one_of(self, ranges):
        first, last = self.pick(ranges)
        return chr(first + self.below(last - first + 1))

    def run(self, ranges, longest):
        return "".join(self.one_of(ranges) for _ in range(1 + self.below(longest)))

    def script(self):
        return self.pick(TABLES["scripts"])[1]

    def strings(self):
        return [self.string() for _ in range(COUNT)]

    def string(self):
        text = self.separator() if self.below(8) == 0 else ""
        for _ in range(1 + self.below(6)):
            text += self.piece() + self.separator()
        return text

    def separator(self):
        kind = self.below(5)
        if kind < 3:
            return " "
        return "" if kind == 3 else self.run(SPACES, 3)

    def piece(self):
        kind = self.below(19)
        if kind < 3:
            return self.pick(WORDS)
        if kind == 3:
            return self.mixed_case()
        if kind == 4:
            return self.pick(WORDS) + self.pick(ENDINGS)
        if kind < 8:
            return self.run(self.script(), 12)
        if kind > 15:
            return self.coined(4)
        if kind == 8:
            return self.run(DIGITS, 8)
        if kind == 9:
            return self.run(PUNCTUATION, 6)
        if kind == 10:
            return self.one_of(PUNCTUATION) * (1 + self.below(9))
        if kind == 11:
            return self.emoji()
        if kind == 12:
            return self.accented()
        if kind == 13:
            return self.run(CONTROLS, 3)
        if kind == 14:
            return self.any()
        return self.long() if self.below(2) == 0 else self.pick(SPECIALS)

    def mixed_case(self):
        """A word with the case of some of its ASCII letters changed."""
        word = ""
        for letter in self.pick(WORDS):
            flip = self.below(2) == 1 and letter.isascii() and letter.isalpha()
            word += chr(ord(letter) ^ 0x20) if flip else letter
        return word

    def coined(self, longest):
        return "".join(self.pick(SYLLABLES) for _ in range(1 + self.below(longest)))

    def emoji(self):
        text = ""
        for _ in range(1 + self.below(4)):
            text += self.one_of(EMOJI)
            for _ in range(self.below(3)):
                text += self.one_of(EMOJI_TAILS)
        return text

    def accented(self):
        """Letters with marks above, below and out of order."""
        script, text = self.script(), ""
        for _ in range(1 + self.below(4)):
            text += self.one_of(script) + self.run(MARKS, 4)
        return text

    def any(self):
        """Any characters at all: every scalar value."""
        text = ""
        for _ in range(1 + self.below(4)):
            code = self.below(0x110000 - 0x800)
            text += chr(code if code < 0xD800 else code + 0x800)
        return text

    def long(self):
        """A word that no dictionary holds: a run of one script, syllables, a word again and again, or one letter."""
        kind, length = self.below(4), 40 + self.below(360)
        if kind == 0:
            return self.run(self.script(), length)
        if kind == 3:
            return self.coined(length // 2)
        if kind == 1:
            return self.pick(WORDS) * (1 + length // 10)
        return self.one_of(self.script()) * length


def fnv1a(data):
    """32 bits, as http://www.isthe.com/chongo/tech/comp/fnv/ defines them."""
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value
