"""WordNet 3.0's nouns (Debian package `wordnet-base`), read from its own files.

Layout of data.noun and index.noun: wndb(5WN).
"""
import functools
import os
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(os.environ.get("OCELLI_WORDNET", "/usr/share/wordnet"))


class Synset(NamedTuple):
    lemmas: tuple  # words for it, the usual one first, spaces for underscores
    gloss: str  # its definition, without examples
    hypernyms: tuple  # ids of what it is a kind (or an instance) of
    lexfile: int  # lexicographer file: 5 animals, 6 artefacts, 13 food, 20 plants, ...
    instance: bool  # a proper name


@functools.cache
def synsets():
    """{id such as "n02084071": Synset}"""
    out = {}
    with open(FOLDER / "data.noun", encoding="latin1") as f:
        for line in f:
            if line.startswith(" "):
                continue
            head, gloss = line.split("|", 1)
            p = head.split()
            count = int(p[3], 16)
            lemmas = tuple(p[4 + 2 * i].replace("_", " ") for i in range(count))
            at = 4 + 2 * count
            pointers = [p[at + 1 + 4 * i:at + 5 + 4 * i] for i in range(int(p[at]))]
            up = [(s, o) for s, o, pos, _ in pointers if s in ("@", "@i") and pos == "n"]
            gloss = gloss.strip().split('; "')[0].split(";")[0].strip().strip('"')
            out["n" + p[0]] = Synset(lemmas, gloss, tuple("n" + o for _, o in up), int(p[1]), any(s == "@i" for s, _ in up))
    return out


@functools.cache
def senses():
    """{word in lower case: ids of its synsets, the commonest first}"""
    out = {}
    with open(FOLDER / "index.noun", encoding="latin1") as f:
        for line in f:
            if line.startswith(" "):
                continue
            p = line.split()
            out[p[0].replace("_", " ")] = tuple("n" + o for o in p[-int(p[2]):])
    return out


@functools.cache
def ancestors(synset):
    """The ids of a synset and of everything that it is a kind of."""
    out = {synset}
    for up in synsets()[synset].hypernyms:
        out |= ancestors(up)
    return frozenset(out)
