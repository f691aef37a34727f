"""What the sentences of scenes say, and wrong sentences of the same scene.

A `Scene` is the meaning of a sentence of `scenes.layout`. `exchanged` changes one part of it,
which gives the hard negatives of matching: a sentence that is wrong in one thing only.
"""
import re
from itertools import permutations
from typing import NamedTuple

from scenes import GROUNDS, many, one

OPPOSITE = {"to the left of": "to the right of", "to the right of": "to the left of", "above": "below", "below": "above"}
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
