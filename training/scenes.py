"""Captioned scenes of one to three kinds of drawings: layout and sentence.

A scene is a list of (drawing, centre x, centre y, size) on a ground, with a
caption such as "two apples to the left of a dog on a green ground".
"""

GROUNDS = {
    "white": (255, 255, 255), "grey": (150, 150, 150), "black": (20, 20, 20), "red": (205, 55, 50),
    "orange": (240, 150, 60), "yellow": (245, 220, 90), "green": (90, 170, 90), "blue": (75, 125, 205),
    "purple": (140, 90, 175), "pink": (245, 170, 195), "brown": (140, 95, 60),
}
NUMBERS = {2: "two", 3: "three"}
PLURALS = {
    "shelf": "shelves", "wolf": "wolves", "leaf": "leaves", "mouse": "mice", "goose": "geese", "foot": "feet",
    "tooth": "teeth", "man": "men", "woman": "women", "knife": "knives", "scarf": "scarves", "ox": "oxen",
    "fly": "flies", "baby": "babies", "cherry": "cherries", "penguin": "penguins",
}
NO_PLURAL = {"fish", "deer", "sheep", "bison", "squid", "shrimp", "scissors", "glasses", "dna", "rice", "corn",
             "ice", "bacon", "bread", "butter", "meat", "salt", "beer", "milk", "honey", "coffee", "whiskey",
             "spaghetti", "sushi", "popcorn", "infinity", "thumbs up", "thumbs down", "no entry", "no smoking"}


def one(name):
    """"a dog", "an apple", "carrots"."""
    if name.endswith("s") and not name.endswith(("ss", "us", "bus")) or name in NO_PLURAL:
        return name
    return ("an " if name[0] in "aeiou" and not name.startswith(("uni", "uk")) else "a ") + name


def many(n, name):
    """"two apples"."""
    last = name.split(" ")[-1]
    if last in PLURALS:
        plural = name[:len(name) - len(last)] + PLURALS[last]
    elif name in NO_PLURAL or last in NO_PLURAL or (last.endswith("s") and not last.endswith(("ss", "us"))):
        plural = name
    elif last.endswith(("s", "x", "ch", "sh")):
        plural = name + "es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        plural = name[:-1] + "ies"
    else:
        plural = name + "s"
    return f"{NUMBERS[n]} {plural}"


def layout(rng, pick, single=0.4):
    """Random scene -> (places, caption, names, colour of the ground).

    `pick()` -> (drawing index, name). places: [(drawing index, x, y, size)] in
    units of the image side. `single`: share of scenes with one thing alone.
    """
    j = lambda s: rng.uniform(-s, s)
    kind = rng.random()
    ground = list(GROUNDS)[rng.integers(len(GROUNDS))]
    if kind < single:
        a, na = pick()
        size = rng.uniform(0.45, 1.0)
        places, what, names = [(a, 0.5 + j(0.5 - size / 2.2), 0.5 + j(0.5 - size / 2.2), size)], one(na), [na]
    elif kind < single + 0.15:
        a, na = pick()
        n = int(rng.integers(2, 4))
        size = rng.uniform(0.34, 0.46) if n == 2 else rng.uniform(0.28, 0.34)
        xs = [0.27, 0.73] if n == 2 else [0.18, 0.5, 0.82]
        y = rng.uniform(0.35, 0.65)
        places = [(a, x + j(0.02), y + j(0.1), size) for x in xs]
        what, names = many(n, na), [na]
    elif kind < single + 0.9 * (1 - single):
        (a, na), (b, nb) = pick(), pick()
        while nb == na:
            b, nb = pick()
        horizontal = rng.random() < 0.55
        s1, s2 = rng.uniform(0.38, 0.5, 2)
        p, q = 0.27 + j(0.03), 0.73 + j(0.03)
        u, v = 0.5 + j(0.12), 0.5 + j(0.12)
        places = [(a, p, u, s1), (b, q, v, s2)] if horizontal else [(a, u, p, s1), (b, v, q, s2)]
        if rng.random() < 0.5:
            what = f"{one(na)} {'to the left of' if horizontal else 'above'} {one(nb)}"
        else:
            what = f"{one(nb)} {'to the right of' if horizontal else 'below'} {one(na)}"
        names = [na, nb]
    else:
        things = [pick() for _ in range(3)]
        while len({n for _, n in things}) < 3:
            things = [pick() for _ in range(3)]
        s = rng.uniform(0.3, 0.36)
        y = rng.uniform(0.35, 0.65)
        places = [(i, x + j(0.02), y + j(0.12), s) for (i, _), x in zip(things, (0.18, 0.5, 0.82))]
        names = [n for _, n in things]
        what = f"{one(names[0])}, {one(names[1])} and {one(names[2])}"
    return places, f"{what} on a {ground} ground".replace("a orange", "an orange"), names, GROUNDS[ground]
