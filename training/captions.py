"""What the captioner learns to write: image components, the prompt of words, and the sentence, in batches.

A prompt is "golden retriever, dog : ": the word that the tagger is surest of, and its kind; ": " if it is sure of none; and
nothing for whoever asks without a tagger. Of a photograph that the tagger is sure of nothing in, not even of a broader word,
no more is said than "something on grass": whatever the decoder named there would be a guess. Drawings it names all the same.
Three sources, told apart by what is true in them:
scenes (everything is known), photographs (the label, and what `grounds.py` measures), and copying: a word of any kind before
the image of something else, so that the decoder believes words whose pictures it never saw, and takes only ground, number
and colour from the image.
"""
import json

import numpy as np
import torch

import words as W
from grounds import main_colour, natural_ground, plain_ground
from knowledge import drawing_kinds
from paths import CACHE
from photo_features import tokens as photo_tokens
from photos import Photos, labels
from scene_features import FOLDER, scenes
from sentences import OPPOSITE
from tower import MAP

GARMENTS = {"t-shirt", "shirt", "dress", "skirt", "pants", "shorts", "jacket", "hat", "shoe", "long sleeve shirt", "coat", "sweater", "hoodie",
            "kimono", "scarf", "jeans", "swimsuit", "glove", "sock", "backpack", "handbag"}
COPIED_COLOURS = GARMENTS | {"car", "bus", "truck", "taxi", "van", "bicycle", "scooter", "sports car", "umbrella", "balloon", "butterfly", "bird",
                             "fish", "book", "chair", "couch", "cup", "mug", "rose", "tulip", "flower", "kite", "motorcycle", "ball", "box", "bag"}


def thing(word, n=1, colour=""):
    """"a red car", "two apples"."""
    if colour and n == 1 and not word.startswith(colour):
        return W.a(f"{colour} {word}") if word not in W.MASS and not W.plural(word) else f"{colour} {word}"
    return W.several(n, word) if n > 1 else W.a(word)


def sentence(things, relation="", where="", colour="", kind=""):
    """Of things ((count, word), ...): "a red car, a kind of vehicle, on grass", "a dog to the left of two balls"."""
    said = [thing(w, n, colour if len(things) == 1 else "") for n, w in things]
    if relation:
        what = f"{said[0]} {relation} {said[1]}"
    else:
        what = said[0] if len(said) == 1 else ", ".join(said[:-1]) + " and " + said[-1]
    if kind and len(things) == 1 and things[0][0] == 1:
        what += f", a kind of {kind}" + ("," if where else "")
    return f"{what} {where}".strip()


def unsure(things, where):
    """Of things that nobody knows: "something on grass", "two things in the sky"."""
    n = sum(n for n, _ in things)
    return f"{'something' if n == 1 else W.several(n, 'thing')} {where}".strip()


def prompt(words):
    """"golden retriever, dog : ", ": " of no words, "" of None."""
    return "" if words is None else ", ".join(words) + " : " if words else ": "


def facts(part):
    """[(where, colour)] of the photographs of a part, "" where the pixels leave a doubt."""
    file = CACHE / f"photo-facts-{part}.json"
    if not file.exists():
        photos, names, out = Photos(part), labels(), []
        for i, y in enumerate(photos.y):
            image, label = photos[i], names[y]
            ground = plain_ground(image)
            where = f"on {W.a(ground + ' ground')}" if ground in ("white", "black", "grey", "blue", "green", "red") else ""
            where = natural_ground(image, label) or ("" if label in ("airplanes", "helicopter") and ground == "blue" else where)
            h, w = image.shape[:2]
            middle = image[int(h * .3):int(h * .7), int(w * .35):int(w * .65)].reshape(-1, 3)
            colour = main_colour(middle, 0.7) if W.spoken(label) in GARMENTS else ""
            out.append((where, colour))
        file.write_text(json.dumps(out))
    return [tuple(f) for f in json.loads(file.read_text())]


def flipped(x):
    """The components (81, ...) of the mirrored image, as a convolution nearly gives them."""
    return x.reshape(MAP, MAP, *x.shape[1:])[:, ::-1].reshape(x.shape)


def halves(a, b, horizontal):
    """The left (upper) part of one image's places and the right (lower) part of another's."""
    a, b = (x.reshape(MAP, MAP, *x.shape[1:]) for x in (a, b))
    out = a.copy()
    if horizontal:
        out[:, 5:] = b[:, 5:]
    else:
        out[5:] = b[5:]
    return out.reshape(MAP * MAP, *a.shape[2:])


class Scenes:
    """Scenes, mixed and mirrored in their components; the last 256 are held out."""

    def __init__(self, chunks=None):
        self.x, self.m, self.patches = scenes(chunks)
        self.n = len(self.m) - 256
        self.tags = {k.key: k.tags for k in drawing_kinds()}
        self.said = json.loads((FOLDER / "words.json").read_text())
        self.pairs = {}
        for k, m in enumerate(self.m[:self.n]):
            if len(m["things"]) == 2 and m["relation"]:
                self.pairs.setdefault((m["where"], "left" in m["relation"] or "right" in m["relation"]), []).append(k)

    def first(self, k):
        """The names on the left (above) and on the right (below)."""
        m = self.m[k]
        names = [t[1] for t in m["things"]]
        return names if m["relation"] in ("to the left of", "above") else names[::-1]

    def draw(self, rng, k=None, change=True):
        """Components, patch labels, things, relation, where, colour, whether cut out of a photograph, and the tagger's words.

        These are None where the scene was put together of two.
        """
        k = int(rng.integers(self.n)) if k is None else k
        m, x, who, said = self.m[k], self.x[k], self.patches[k], self.said[k]
        things, relation = [tuple(t) for t in m["things"]], m["relation"]
        if change and relation:
            horizontal = "left" in relation or "right" in relation
            if rng.random() < 0.75:
                other = self.pairs[m["where"], horizontal]
                b = other[rng.integers(len(other))]
                pair = [self.first(k)[0], self.first(b)[1]]
                if pair[0] != pair[1]:
                    x, who, said = halves(x, self.x[b], horizontal), halves(who, self.patches[b], horizontal), None
                    things, relation = [(1, n) for n in pair], "to the left of" if horizontal else "above"
            if rng.random() < 0.5:
                things, relation = things[::-1], OPPOSITE[relation]
        if change and rng.random() < 0.5:
            x, who = flipped(x), flipped(who)
            if "left" in relation or "right" in relation:
                relation = OPPOSITE[relation]
            elif len(things) == 3:
                things = things[::-1]
        return x, who, things, relation, m["where"], m["colour"], m["photo"], said

    def words(self, things, rng):
        """What the tagger may say of a scene; in the shares in which it says so of scenes of several things."""
        tag = lambda n: (self.tags.get(n) or [W.spoken(n)])[0]
        kind = rng.choice(["unasked", "none", "wrong", "broader", "right"], p=[0.06, 0.16, 0.23, 0.25, 0.30])
        if kind == "unasked":
            return None
        if kind == "none":
            return []
        name = tag(things[rng.integers(len(things))][1])
        if kind == "wrong":
            name = W.prompted()[rng.integers(len(W.prompted()))]
        elif kind == "broader" and W.broader(name):
            return [W.broader(name)[rng.integers(len(W.broader(name)))]]
        return [name, W.kind(name)] if W.kind(name) and rng.random() < 0.9 else [name]


class Mixture:
    """Batches of all three sources."""

    def __init__(self, chunks=None):
        self.scenes = Scenes(chunks)
        self.x, self.facts = photo_tokens("train"), facts("train")
        y, names = Photos("train").y, labels()
        self.labels = [names[k] for k in y]
        count = np.bincount(y, minlength=len(names)).clip(1)
        weight = np.array([(3.0 if w else 1.0) for w, _ in self.facts]) * (count ** -0.5)[y]
        self.p = np.cumsum(weight / weight.sum())
        self.kinds = {n: k for n, k in W.imagenet().items()}
        self.names, self.others = list(self.kinds), list(W.every_name())
        self.cut = [k for k in range(self.scenes.n) if self.scenes.m[k]["photo"] and len(self.scenes.m[k]["things"]) == 1]

    def word(self, rng):
        """(word, kind) of anything."""
        r = rng.random()
        if r < 0.75:
            word = W.prompted()[rng.integers(len(W.prompted()))]
            return word, W.kind(word)
        if r < 0.95:
            word = self.names[rng.integers(len(self.names))]
            return word, self.kinds[word]
        return self.others[rng.integers(len(self.others))], ""

    def photo(self, rng):
        i = min(int(np.searchsorted(self.p, rng.random())), len(self.p) - 1)
        x = flipped(self.x[i]) if rng.random() < 0.5 else self.x[i]
        return x, self.labels[i], *self.facts[i]

    def scene(self, rng):
        x, who, things, relation, where, colour, photo, said = self.scenes.draw(rng)
        words = self.scenes.words(things, rng) if said is None or rng.random() < 0.25 else said
        things = [(n, W.spoken(w) if photo else w) for n, w in things]
        if words == [] and photo:
            return x, who, prompt(words), unsure(things, where)
        kind = ""
        if words and len(things) == 1 and len(words) > 1 and things[0][1] == words[0]:
            kind = words[1]
        return x, who, prompt(words), sentence(things, relation, where, colour, kind)

    def photograph(self, rng):
        x, label, where, colour = self.photo(rng)
        word, r = W.spoken(label), rng.random()
        near = W.broader(word)
        if r < 0.08:
            return x, prompt(None), sentence([(1, word)], "", where, colour)
        if r < 0.35:  # the tagger is sure of nothing
            return x, prompt([]), unsure([(1, word)], where)
        if r < 0.48 and near:
            word = near[rng.integers(len(near))]
            return x, prompt([word]), sentence([(1, word)], "", where, colour if word in GARMENTS else "")
        if r < 0.6:
            word = (other := W.accepted(label))[rng.integers(len(other))]
        kind = W.kind(word) if rng.random() < 0.8 else ""
        return x, prompt([word, *([kind] if kind else [])]), sentence([(1, word)], "", where, colour, kind)

    def copying(self, rng):
        r, n = rng.random(), 1
        if r < 0.5:
            x, _, where, colour = self.photo(rng)
        elif r < 0.85:
            x, _, things, _, where, colour, *_ = self.scenes.draw(rng, self.cut[rng.integers(len(self.cut))])
            n = things[0][0]
        else:
            x, where, colour = np.zeros_like(self.x[0]), "", ""
        word, kind = self.word(rng)
        if colour and word not in COPIED_COLOURS:
            if rng.random() < 0.5:
                word = (c := sorted(COPIED_COLOURS))[rng.integers(len(c))]
                kind = W.kind(word)
            else:
                colour = ""
        if n == 1 and rng.random() < 0.06:
            second = self.word(rng)[0]
            return x, prompt([word, second]), sentence([(1, word), (1, second)], "", where)
        kind = kind if rng.random() < 0.75 else ""
        return x, prompt([word, *([kind] if kind else [])]), sentence([(n, word)], "", where, colour, kind)

    def batch(self, rng, n_scene, n_photo, n_copy):
        """Components (B, 81, 256), patch labels of the scenes (n_scene, 81), prompts and sentences."""
        rows = [self.scene(rng) for _ in range(n_scene)]
        who = np.stack([r[1] for r in rows])
        rows = [(r[0], *r[2:]) for r in rows] + [self.photograph(rng) for _ in range(n_photo)] + [self.copying(rng) for _ in range(n_copy)]
        return torch.from_numpy(np.stack([r[0] for r in rows])), torch.from_numpy(who).long(), [r[1] for r in rows], [r[2] for r in rows]


def encode(tok, prompts, said):
    """ids (B, T), mask, and where (B, T): the places whose next word is learned; targets in their order."""
    dec, sep = tok.token_to_id("[DEC]"), tok.token_to_id("[SEP]")
    heads = [[dec, *e.ids] for e in tok.encode_batch(list(prompts), add_special_tokens=False)]
    tails = [[*e.ids, sep] for e in tok.encode_batch(list(said), add_special_tokens=False)]
    rows = [(h + t[:-1])[:32] for h, t in zip(heads, tails)]
    width = max(map(len, rows))
    ids, mask, where = (torch.zeros(len(rows), width, dtype=d) for d in (torch.long, torch.long, torch.bool))
    targets = []
    for k, (h, t) in enumerate(zip(heads, tails)):
        n = len(rows[k])
        ids[k, :n], mask[k, :n], where[k, len(h) - 1:n] = torch.tensor(rows[k]), 1, True
        targets += t[:n - len(h) + 1]
    return ids, mask, where, torch.tensor(targets)
