"""What is known about the kinds of things that the image tower can tell apart: names, tags, and what implies what.

*Rows* are kinds of pictures: the 1,000 ImageNet classes (the tower's own), the photographs' 159 labels, the drawings'
596 names. *Concepts* are things that texts name: those rows, the vocabulary's tags, and WordNet's hypernyms of the
classes. `truth()` says which concepts are right for which rows. The tables are in `knowledge/`, by hand.
"""
import csv
import functools
from typing import NamedTuple

import numpy as np

from paths import KNOWLEDGE, REPO
from texts import aliases, icons
from wordnet import ancestors, senses, synsets

CLASSES = 1000
VAGUE = {"entity", "physical entity", "object", "whole", "artifact", "abstraction", "matter", "organism", "living thing",
         "instrumentality", "chordate", "vertebrate", "placental", "substance", "causal agent", "thing", "physical object",
         "unit", "container", "covering", "implement", "device", "solid", "foodstuff", "commodity", "consumer goods",
         "structure", "domestic animal", "working dog", "object", "group", "attribute", "psychological feature"}


class Tag(NamedTuple):
    tag: str
    hint: str
    ja: str
    parents: tuple


class Kind(NamedTuple):
    """A row of imagenet.tsv, photos.tsv or drawings.tsv."""
    key: str  # wnid, photo label, or drawing's name
    name: str
    hint: str
    synonyms: tuple
    tags: tuple  # vocabulary tags that it is, the most specific ones


class Concept(NamedTuple):
    group: str  # class, photo, drawing, tag or hypernym
    key: str
    texts: tuple  # (text, weight), without template, lower case


def _split(cell):
    return tuple(c.strip() for c in cell.split(",") if c.strip())


@functools.cache
def vocabulary():
    """{tag: Tag} of the package's vocabulary, in its order."""
    out = {}
    for line in (REPO / "pkg/vocabulary/everyday.tsv").read_text(encoding="utf8").splitlines():
        if line and not line.startswith("#") and not line.startswith("tag\t"):
            tag, hint, ja, parents = line.split("\t")
            out[tag] = Tag(tag, hint, ja, _split(parents))
    return out


@functools.cache
def closure(tag):
    """A tag and everything that it implies."""
    out = {tag}
    for parent in vocabulary()[tag].parents:
        out |= closure(parent)
    return frozenset(out)


def _kinds(name):
    with open(KNOWLEDGE / name, encoding="utf8", newline="") as f:
        lines = [line for line in f if not line.startswith("#")]
    rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    head, rows = rows[0], rows[1:]
    key = head[0]
    get = lambda row, column: dict(zip(head, row)).get(column, "")
    return [Kind(get(r, key), get(r, "name") or get(r, key), get(r, "hint"), _split(get(r, "synonyms")), _split(get(r, "tags")))
            for r in rows]


@functools.cache
def classes():
    """The 1,000 ImageNet classes, in the classifier's order."""
    out = _kinds("imagenet.tsv")
    assert len(out) == CLASSES
    return out


@functools.cache
def photo_kinds():
    """The photographs' labels, sorted."""
    return sorted(_kinds("photos.tsv"), key=lambda k: k.key)


@functools.cache
def drawing_kinds():
    """The drawings' names, sorted."""
    known = {k.key: k for k in _kinds("drawings.tsv")}
    return [known[name] for name in sorted(set(icons().values()))]


def rows():
    """Every kind of picture: classes, then photographs' labels, then drawings' names."""
    return classes() + photo_kinds() + drawing_kinds()


def implied(kind):
    """All tags that are right for pictures of a kind."""
    return frozenset().union(*(closure(t) for t in kind.tags)) if kind.tags else frozenset()


def hinted(name, hint):
    """"bat, a type of animal": as the tagger writes a label with a hint."""
    return f"{name}, {hint}" if hint else name


def type_of(synset):
    """Hints from WordNet: "a type of dog" for each not too vague hypernym, the nearest first (at most five)."""
    out, level, seen = [], [synset], set()
    while level and len(out) < 5:
        level = [h for s in level for h in synsets()[s].hypernyms if h not in seen]
        seen |= set(level)
        out += [f"a type of {synsets()[h].lemmas[0].lower()}" for h in level if synsets()[h].lemmas[0] not in VAGUE]
    return out


def _weighted(groups):
    """((text, weight), ...) of lists of texts with one weight each; a text counts once, with its largest weight."""
    out = {}
    for texts, weight in groups:
        for t in texts:
            t = t.strip().lower()
            if t:
                out[t] = max(out.get(t, 0), weight)
    return tuple(out.items())


def ambiguous(name):
    """Whether WordNet knows the word in several senses of visible things."""
    return len([s for s in senses().get(name.lower(), ()) if synsets()[s].lexfile in (5, 6, 13, 20, 8, 17, 18)]) > 1


@functools.cache
def concepts():
    """All concepts. Where several have the same text, its vector becomes their weighted mean."""
    out = []
    taken = {k.name.lower() for k in classes()}
    for k in classes():
        s = synsets()[k.key]
        # Its own name, other names that are nobody's own, and both with hints and definition.
        others = [n for n in k.synonyms if n.lower() not in taken]
        hints = ([k.hint] if k.hint else []) + type_of(k.key)
        own = [k.name] if not (k.hint or ambiguous(k.name)) else []
        out.append(Concept("class", k.key, _weighted([
            ([hinted(k.name, h) for h in hints], 4), (own, 8), ([k.name], 2), (others, 4), ([hinted(k.name, s.gloss[:60])], 2),
            ([hinted(n, h) for n in others for h in hints[:2]], 2)])))
    other = aliases()
    for k in photo_kinds():
        out.append(Concept("photo", k.key, _weighted([
            ([k.key], 24), ([k.name] if k.name != k.key else [], 4), (other.get(k.key, []), 3), (k.synonyms, 3),
            ([hinted(k.name, k.hint)] if k.hint else [], 6)])))
    for k in drawing_kinds():
        if k.key not in vocabulary():
            out.append(Concept("drawing", k.key, _weighted([([k.key], 8), (k.synonyms, 3)])))
    for t in vocabulary().values():
        hints = [t.hint] if t.hint else [f"a type of {p}" for p in t.parents[:1]]
        out.append(Concept("tag", t.tag, _weighted([([hinted(t.tag, t.hint)], 8), ([t.tag], 6 if not t.hint else 3), ([hinted(t.tag, h) for h in hints], 4)])))
    below = {}
    for i, k in enumerate(classes()):
        for a in ancestors(k.key):
            below.setdefault(a, []).append(i)
    own = {k.key for k in classes()}
    tags = {t.lower() for t in vocabulary()}
    for s, members in below.items():
        if s in own or not 2 <= len(members) < 500:
            continue
        w = synsets()[s]
        lemmas = [l for l in w.lemmas if l.lower() not in tags]
        out.append(Concept("hypernym", s, _weighted([(lemmas, 1), ([hinted(w.lemmas[0], w.gloss[:60])], 1), ([hinted(w.lemmas[0], h) for h in type_of(s)[:2]], 1)])))
    return out


@functools.cache
def truth():
    """(rows, concepts) int8: 1 right, 0 wrong, -1 not known or neither."""
    kinds, things = rows(), concepts()
    implied_by = [implied(k) for k in kinds]
    direct = [frozenset(k.tags) for k in kinds]
    class_ancestors = [ancestors(k.key) for k in classes()]
    y = np.full((len(kinds), len(things)), -1, np.int8)
    by_key = {k.key: i for i, k in list(enumerate(kinds))[:CLASSES]}
    photos = {k.key: k for k in photo_kinds()}
    drawn = {k.key: k for k in drawing_kinds()}
    known = frozenset().union(*implied_by)
    for j, c in enumerate(things):
        for r, k in enumerate(kinds):
            if c.group == "hypernym":
                if r < CLASSES:
                    y[r, j] = c.key in class_ancestors[r]
            elif c.group == "tag":
                if c.key in implied_by[r]:
                    y[r, j] = 1
                elif c.key in known:
                    finer = bool(closure(c.key) & direct[r])  # the tag is finer than the row: it may be right
                    y[r, j] = -1 if finer or not k.tags else 0
            elif c.group == "class":
                i = by_key[c.key]
                if r < CLASSES:
                    y[r, j] = r == i
                else:
                    y[r, j] = -1 if (implied_by[i] & direct[r]) or not k.tags else 0
            else:
                kind, start = (photos[c.key], CLASSES) if c.group == "photo" else (drawn[c.key], CLASSES + len(photos))
                same = kind.key == k.key and r >= CLASSES and (r >= CLASSES + len(photos)) == (c.group == "drawing")
                if same:
                    y[r, j] = 1
                elif kind.tags and k.tags:
                    equal = kind.name in kind.tags or kind.key in kind.tags
                    below_it = bool(frozenset(kind.tags) & implied_by[r])
                    above_it = bool(implied(kind) & direct[r])
                    if r < CLASSES:
                        y[r, j] = 1 if below_it and equal else -1 if below_it or above_it else 0
                    elif c.group == "photo" and r < CLASSES + len(photos):
                        y[r, j] = 0  # the labels of the photographs exclude each other
                    else:
                        y[r, j] = -1 if below_it or above_it else 0
    return y


if __name__ == "__main__":
    from collections import Counter
    y = truth()
    things = concepts()
    print(Counter(c.group for c in things), "texts", len({t for c in things for t, _ in c.texts}))
    tags = np.array([c.group == "tag" for c in things])
    print("tags that something shows", int((y[:, tags] == 1).any(0).sum()), "that a class or photograph shows", int((y[:1159, tags] == 1).any(0).sum()))
    for group in ("class", "photo", "drawing", "tag", "hypernym"):
        w = np.array([c.group == group for c in things])
        print(group, {v: int((y[:, w] == v).sum()) for v in (1, 0, -1)})
