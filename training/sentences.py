"""What the sentences of scenes say, true and wrong sentences of the same scene, and sentences of labels.

A `Scene` is the meaning of a sentence of `scenes.layout`. `exchanged` changes one part of it,
which gives the hard negatives of matching: a sentence that is wrong in one thing only.
"""
import re
from itertools import permutations
from typing import NamedTuple

from scenes import GROUNDS, many, one
from texts import aliases, article, label_texts

OPPOSITE = {"to the left of": "to the right of", "to the right of": "to the left of", "above": "below", "below": "above"}
PHOTO = ["a photo of a {}", "a photo of a {}", "a photo of a {}", "a picture of a {}", "an image of a {}", "{}", "a {}", "a photo of the {}"]
DRAWN = ["a drawing of a {}", "an icon of a {}", "a picture of a {}", "an image of a {}", "{}", "a {}", "a photo of a {}"]
GROUND_NAMES = list(GROUNDS)


class Scene(NamedTuple):
    """things: ((count, name), ...) in the order said; relation: a key of OPPOSITE, or "" (one kind, or a list of three)."""
    things: tuple
    relation: str
    ground: str


def said(n, name):
    """"an apple", "two apples"."""
    return one(name) if n == 1 else many(n, name)


def sentence(scene, ground=True):
    """The sentence of a scene, as `scenes.layout` writes it."""
    parts = [said(*t) for t in scene.things]
    if scene.relation:
        what = f"{parts[0]} {scene.relation} {parts[1]}"
    else:
        what = parts[0] if len(parts) == 1 else f"{parts[0]}, {parts[1]} and {parts[2]}"
    return f"{what} on {one(scene.ground)} ground" if ground else what


def parse(caption, names):
    """The scene that a caption of `scenes.layout` with the things `names`, in any order, tells of."""
    ground = re.fullmatch(r".* on an? (\w+) ground", caption).group(1)
    if len(names) == 1:
        possible = [Scene(((n, names[0]),), "", ground) for n in (1, 2, 3)]
    else:
        relations = OPPOSITE if len(names) == 2 else [""]
        possible = [Scene(tuple((1, name) for name in order), r, ground) for order in permutations(names) for r in relations]
    return next(s for s in possible if sentence(s) == caption)


def turned(scene):
    """The same scene told from its other thing: "a dog to the right of an apple" for "an apple to the left of a dog"."""
    return scene._replace(things=scene.things[::-1], relation=OPPOSITE[scene.relation]) if scene.relation else scene


def exchanged(scene, part, rng, other):
    """The scene with its "thing", "ground", "relation" or "number" changed, or None where it has no such part.

    `other(name)` gives the name that takes a thing's place.
    """
    things = list(scene.things)
    if part == "thing":
        k = int(rng.integers(len(things)))
        new = other(things[k][1])
        if new in [name for _, name in things]:
            return None
        things[k] = (things[k][0], new)
        return scene._replace(things=tuple(things))
    if part == "ground":
        rest = [g for g in GROUND_NAMES if g != scene.ground]
        return scene._replace(ground=rest[rng.integers(len(rest))])
    if part == "relation" and scene.relation:
        return scene._replace(relation=OPPOSITE[scene.relation])
    if part == "number" and len(things) == 1:
        n, name = things[0]
        rest = [k for k in (1, 2, 3) if k != n and (k > 1 or one(name) != name)]  # "scissors" may be any number of them
        if n > 1 or one(name) != name:
            return scene._replace(things=((rest[rng.integers(len(rest))], name),))
    return None


class Words:
    """Varied sentences of labels and scenes. Names are indices into `label_texts()`."""

    def __init__(self):
        self.names, self.alias = label_texts(), aliases()
        self.index = {name: i for i, name in enumerate(self.names)}

    def name(self, name, rng, share):
        other = self.alias.get(name)
        return other[rng.integers(len(other))] if other and rng.random() < share else name

    def label(self, k, rng, templates=PHOTO):
        """A sentence of one label."""
        name = self.name(self.names[k], rng, 0.25)
        if rng.random() < 0.3:
            return f"a photo of {one(name)}" if templates is PHOTO else one(name)
        text = templates[rng.integers(len(templates))].format(name)
        return article(text) if rng.random() < 0.5 else text

    def scene(self, scene, rng):
        """(a true sentence of a scene, whether it tells the ground)."""
        r = rng.random()
        if len(scene.things) == 1 and scene.things[0][0] == 1 and r < 0.25:
            return self.label(self.index[scene.things[0][1]], rng, DRAWN), False
        if rng.random() < 0.5:
            scene = turned(scene)
        scene = scene._replace(things=tuple((n, self.name(name, rng, 0.1)) for n, name in scene.things))
        return sentence(scene, ground=r < 0.85), r < 0.85
