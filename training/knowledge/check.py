"""Checks the tables of this folder against the vocabulary, and writes unknown.txt and drawn.txt.

usage: python knowledge/check.py

A tag is *known* where a kind of picture shows it or something that implies it: an ImageNet kind or a photograph's label,
or else a drawing alone (those are in drawn.txt). The others go into unknown.txt; the page does not ask them of the
built-in tagger. The program stops with a sentence at the first mistake, and prints the counts. It needs nothing but Python's standard library; where
the photographs are at hand (see README.md), their labels and the pictures of hints.tsv are compared as well.
"""
import csv
import os
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
TRAINING = HERE.parent
VOCABULARY = TRAINING.parent / "pkg/vocabulary/everyday.tsv"
DATA = Path(os.environ.get("OCELLI_TRAINING_DATA", TRAINING.parent.parent / "shared/data"))
KINDS = ("name", "hint", "synonyms", "tags")
LEAST_KNOWN = 1200


def demand(condition, sentence):
    if not condition:
        sys.exit(f"check.py: {sentence}")


def table(path, columns):
    """Rows of a table as dicts. Lines that begin with # are comments; the first other line names the columns."""
    lines = [line for line in path.read_text(encoding="utf8").splitlines() if line and not line.startswith("#")]
    demand(lines and lines[0] == "\t".join(columns), f"{path.name} does not begin with the columns {', '.join(columns)}.")
    rows = []
    for line in lines[1:]:
        cells = line.split("\t")
        demand(len(cells) == len(columns), f"{path.name}: {cells[0]} has {len(cells)} columns, not {len(columns)}.")
        demand(all(c == c.strip() for c in cells), f"{path.name}: {cells[0]} has spaces around a cell.")
        rows.append(dict(zip(columns, cells)))
    return rows


def split(cell):
    return tuple(cell.split(",")) if cell else ()


def unique(values, what):
    twice = [v for v, n in Counter(values).items() if n > 1]
    demand(not twice, f"{what} twice: {', '.join(twice)}.")


def closures(parents):
    """{tag: the tag and all that it implies}; stops at a circle."""
    done = {}

    def visit(tag, trail):
        demand(tag in parents, f"{tag} is no tag of the vocabulary, but a parent of {trail[-1] if trail else '?'}.")
        demand(tag not in trail, f"the parents of {tag} lead round in a circle.")
        if tag not in done:
            done[tag] = {tag}.union(*(visit(p, (*trail, tag)) for p in parents[tag]))
        return done[tag]

    for tag in parents:
        visit(tag, ())
    return done


def check_kinds(name, key, rows, tags):
    unique([r[key] for r in rows], f"{name} has")
    for r in rows:
        for t in split(r["tags"]):
            demand(t in tags, f"{name}: {r[key]} has {t}, which is no tag of the vocabulary.")
        unique(split(r["tags"]), f"{name}: {r[key]} has")
        for t in split(r["tags"]):
            above = [u for u in split(r["tags"]) if u != t and t in tags[u]]
            demand(not above, f"{name}: {r[key]} has {t} beside {', '.join(above)}, which implies it.")
        synonyms = split(r.get("synonyms", ""))
        unique(synonyms, f"{name}: {r[key]} has")
        demand(r.get("name") not in synonyms, f"{name}: {r[key]} is its own synonym.")


def check_hints(path):
    rows = table(path, ("word", "hint", "picture"))
    words = Counter(r["word"] for r in rows)
    demand(len(words) >= 40, f"hints.tsv has {len(words)} words, fewer than 40.")
    demand(set(words.values()) == {2}, "hints.tsv: each word has two senses.")
    unique([(r["word"], r["hint"]) for r in rows], "hints.tsv has a sense")
    icons = {line.split("\t")[0] for line in (TRAINING / "drawings.txt").read_text(encoding="utf8").splitlines()}
    for r in rows:
        place = r["picture"]
        if place.startswith("drawing:"):
            demand(place.split(":")[2] in icons, f"hints.tsv: {place} is not in drawings.txt.")
        elif DATA.is_dir():
            demand((DATA / place).is_file(), f"hints.tsv: there is no {place}.")
    return len(words)


def write(name, what, tags):
    head = f"# Tags of the vocabulary that {what}. Written by check.py.\n"
    (HERE / name).write_text(head + "".join(f"{t}\n" for t in tags), encoding="utf8")


def main():
    vocabulary = table(VOCABULARY, ("tag", "hint", "ja", "parents"))
    unique([r["tag"] for r in vocabulary], "the vocabulary has")
    tags = closures({r["tag"]: split(r["parents"]) for r in vocabulary})
    classes = table(HERE / "imagenet.tsv", ("wnid", *KINDS))
    photos = table(HERE / "photos.tsv", ("label", *KINDS))
    drawings = table(HERE / "drawings.tsv", ("name", "tags"))
    demand(len(classes) == 1000, f"imagenet.tsv has {len(classes)} kinds.")
    unique([r["name"] for r in classes], "imagenet.tsv has the name")
    check_kinds("imagenet.tsv", "wnid", classes, tags)
    check_kinds("photos.tsv", "label", photos, tags)
    check_kinds("drawings.tsv", "name", drawings, tags)
    demand(all(r["tags"] for r in classes + photos), "a kind of photograph has no tag.")
    lines = (TRAINING / "drawings.txt").read_text(encoding="utf8").splitlines()
    names = {line.split("\t")[1] for line in lines if line and not line.startswith("#")}
    demand(names == {r["name"] for r in drawings}, "drawings.tsv and drawings.txt differ in their names.")
    if (DATA / "photos.csv").is_file():
        with open(DATA / "photos.csv", encoding="utf8", newline="") as f:
            labels = {r["label"] for r in csv.DictReader(f)}
        demand(labels == {r["label"] for r in photos}, "photos.tsv and photos.csv differ in their labels.")
    heldout = [l for l in (HERE / "heldout.txt").read_text().splitlines() if l and not l.startswith("#")]
    unique(heldout, "heldout.txt has")
    demand(len(heldout) == 200 and set(heldout) <= {r["wnid"] for r in classes}, "heldout.txt is not 200 of the kinds.")

    def shown(rows):
        return set().union(*(tags[t] for r in rows for t in split(r["tags"])))

    by_class, by_photo, by_drawing = shown(classes), shown(photos), shown(drawings)
    pictured = by_class | by_photo
    known = pictured | by_drawing
    unknown = [r["tag"] for r in vocabulary if r["tag"] not in known]
    demand(len(known) >= LEAST_KNOWN, f"only {len(known)} tags are known.")
    drawn = [r["tag"] for r in vocabulary if r["tag"] in known - pictured]
    write("unknown.txt", "no picture in training shows: the page does not ask them of the built-in tagger", unknown)
    write("drawn.txt", "drawings show in training, but no photograph", drawn)
    print(f"tags {len(tags)}: known {len(known)}, unknown {len(unknown)}")
    print(f"  shown by ImageNet's kinds {len(by_class)}, by photographs' labels {len(by_photo)}, by either {len(pictured)}")
    print(f"  by drawings alone {len(drawn)}")
    print(f"ambiguous words {check_hints(HERE / 'hints.tsv')}, kinds held out {len(heldout)}")


if __name__ == "__main__":
    main()
