"""The words that the captioner may be prompted with and what sentences make of them.

`entries()` is what `words.json` in the model's folder holds: the tags of the package's vocabulary that the tagger knows and
that name a thing one can see, each with its hint, its broader words (the nearest first), and, where it is worth saying, its kind.
usage: python words.py TARGET (writes words.json)
"""
import functools
import json
import sys
from pathlib import Path

from knowledge import classes, photo_kinds
from paths import KNOWLEDGE, REPO
from scenes import NO_PLURAL, PLURALS, many
from texts import aliases, label_texts

THRESHOLD = 0.4  # from where on the tagger's word stands in the prompt; the captioner learns to live with wrong ones
# Sections of the vocabulary that name no thing of its own: a sentence such as "swimming" would be an action.
NO_THINGS = ("Light, colour and view", "Activities", "Sports", "Materials, textures and patterns", "Sky and weather", "Events")
STILL_THINGS = {"fireworks", "christmas tree", "jack-o'-lantern", "firecracker", "fire", "campfire", "soap bubble", "snowflake", "sun", "moon",
                "full moon", "crescent moon", "star", "planet", "saturn", "rainbow", "lightning", "tornado", "cloud", "birthday party", "wedding"}
NEVER = {"selfie", "portrait", "group photo", "sunbathing", "traffic jam", "handshake", "demonstration", "sports equipment"}
# Broader words that say too little to be told: nobody says "a dog, a kind of mammal".
TOO_BROAD = {"animal", "mammal", "food", "clothing", "plant", "vehicle", "building", "furniture", "tool", "person", "landscape", "tableware",
             "toy", "sport", "drink", "aircraft", "sky", "dessert", "computer", "room", "smile", "child", "road", "water", "leaf", "field",
             "stuffed animal", "city", "grass", "sand", "snow", "night", "face", "christmas", "halloween", "drawing", "painting", "reptile",
             "container", "appliance", "dairy product", "electronic device", "sports equipment", "symbol", "roof", "hand", "seafood", "meat", "egg", "store", "sign", "jewelry", "box", "forest", "bag", "weapon"}
MASS = {"food", "fruit", "seafood", "water", "snow", "ice", "sand", "grass", "fog", "rain", "lightning", "fire", "smoke", "hair", "fur", "bread",
        "toast", "meat", "bacon", "butter", "honey", "pasta", "spaghetti", "ramen", "udon", "soup", "curry", "rice", "sushi", "sashimi",
        "tempura", "tofu", "salad", "salt", "popcorn", "shaved ice", "chocolate", "coffee", "tea", "green tea", "bubble tea", "juice", "milk",
        "beer", "wine", "soap", "toilet paper", "furniture", "tableware", "clothing", "jewelry", "cosmetics", "broccoli", "garlic", "ginger", "corn",
        "asparagus", "celery", "lettuce", "cabbage", "ice cream", "cheese", "yogurt", "yoghurt", "soyghurt", "oatghurt", "sour cream", "sour milk",
        "soy milk", "oat milk", "cardboard", "paper", "autumn foliage", "bamboo", "coral", "seaweed", "moss", "text", "handwriting",
        "sheet music", "source code", "graffiti", "pottery", "calligraphy", "origami", "stained glass", "land", "guacamole", "bamboo forest",
        "espresso", "red wine", "mashed potato", "meat loaf", "hay", "wool", "velvet", "chain mail", "toilet tissue", "miso soup", "seafood",
        "baseball", "roast chicken", "fried chicken", "fried shrimp", "barbecue", "money", "lipstick", "sunscreen", "litter", "garbage"}
THE = {"sky", "sun", "moon", "ocean", "earth", "full moon", "crescent moon", "starry sky"}
MANY = {"people", "noodles", "french fries", "stairs", "scissors", "sunglasses", "glasses", "jeans", "pants", "shorts", "fireworks", "headphones",
        "binoculars", "dinosaurs", "carrots", "grapes", "leggings", "pajamas", "tights", "pliers", "handcuffs", "cosmetics"}
PERSONAL = ("uni", "uk", "eu", "one", "us", "ute")
# What to say for photographs' labels whose own name is no plain word.
SPOKEN = {"satsumas": "tangerine", "paper": "sheet of paper", "snoopy": "cartoon dog", "garfield": "cartoon cat", "bonsai": "bonsai tree",
          "yin yang": "yin-yang symbol", "dollar bill": "banknote", "headphone": "headphones", "carrots": "carrot", "shoes": "shoe"}
BROADER = {  # of labels and drawings whose name is no tag
    "animal": "leopard cougar gerenuk okapi llama platypus trilobite nautilus scorpion tick crayfish emu ibis stegosaurus brontosaurus mayfly",
    "cat": "wildcat", "boat": "ketch schooner", "food": "yoghurt soyghurt oatghurt milk;oat milk;soy milk;sour cream;sour milk;juice carton;juice",
    "fruit": "satsumas;passion fruit;nectarine;papaya", "vegetable": "beet;aubergine;leek;brown cap mushroom", "clothing": "long sleeve shirt;shoes",
    "building": "minaret pyramid", "container": "metal can;plastic bottle;glass bottle;ewer;barrel", "musical instrument": "euphonium tuba",
    "cartoon character": "cartoon dog;cartoon cat", "tree": "bonsai tree;joshua tree", "weapon": "gun cannon", "candle holder": "menorah"}


@functools.cache
def vocabulary():
    """{tag: (hint, parents, section)} of the package's vocabulary, in its order."""
    out, section = {}, ""
    for line in (REPO / "pkg/vocabulary/everyday.tsv").read_text(encoding="utf8").splitlines():
        if line.startswith("#"):
            section = line[1:].strip()
        elif line and not line.startswith("tag\t"):
            tag, hint, _, parents = line.split("\t")
            out[tag] = (hint, tuple(p.strip() for p in parents.split(",") if p.strip()), section)
    return out


@functools.cache
def unknown():
    """Tags that the tagger cannot know, of knowledge/unknown.txt."""
    file = KNOWLEDGE / "unknown.txt"
    return frozenset(x for x in file.read_text(encoding="utf8").splitlines() if x and x[0] != "#") if file.exists() else frozenset()


@functools.cache
def broader(tag):
    """What a tag is a kind of, the nearest first."""
    out, level = [], [tag]
    while level:
        level = [p for t in level if t in vocabulary() for p in vocabulary()[t][1]]
        out += [p for p in level if p not in out]
    if not out:
        for word, names in BROADER.items():
            if tag in (names.split(";") if ";" in names else names.split(" ")):
                return (word, *broader(word))
    return tuple(out)


def kind(tag):
    """The broader word that is worth saying after a word, or ""."""
    last = tag.split(" ")[-1]
    near = broader(tag)[:1]
    return near[0] if near and near[0] not in TOO_BROAD and last != near[0].split(" ")[-1] and near[0] not in tag else ""


def is_thing(tag):
    _, _, section = vocabulary()[tag]
    return tag not in NEVER and (not section.startswith(NO_THINGS) or tag in STILL_THINGS or section == "Sports equipment")


@functools.cache
def prompted():
    """The tags that may stand in a prompt."""
    return tuple(t for t in vocabulary() if is_thing(t) and t not in unknown())


@functools.cache
def imagenet():
    """Names of ImageNet's classes that are no tags, with the broader tag that is worth saying or ""."""
    out = {}
    for k in classes():
        near = [t for t in k.tags if t in vocabulary()]
        for name in (k.name, *k.synonyms):
            name = name.lower()
            if name not in vocabulary() and len(name.split(" ")) <= 4:
                tag = near[0] if near else ""
                fits = tag and tag not in TOO_BROAD and tag not in name and name not in k.tags
                out.setdefault(name, tag if fits else (kind(tag) if tag else ""))
    return out


def plural(word):
    last = word.split(" ")[-1]
    return word in MANY or last in MANY or last in NO_PLURAL and last.endswith("s") or (
        word.endswith("s") and not word.endswith(("ss", "us", "bus", "is")) and last not in ("octopus", "cactus", "bonsai", "lens", "canvas", "christmas"))


def a(word):
    """"a dog", "an apple", "rice", "jeans", "the sky"."""
    if word in THE:
        return f"the {word}"
    if word in MASS or plural(word):
        return word
    return ("an " if word[0] in "aeiou" and not word.startswith(PERSONAL) or word.startswith(("x-ray", "hour")) else "a ") + word


def several(n, word):
    """"two apples", or the word alone where it has no number."""
    if word in THE or word in MASS or plural(word) and word.split(" ")[-1] not in PLURALS:
        return a(word)
    return many(n, word)


@functools.cache
def labels_known():
    return {k.key: k for k in photo_kinds()}


def spoken(label):
    """What sentences call a photograph's label."""
    return SPOKEN.get(label) or labels_known()[label].name if label in labels_known() else label


def accepted(label):
    """All names that are right for a photograph's label."""
    return [label, spoken(label), *aliases().get(label, []), *labels_known()[label].synonyms, *labels_known()[label].tags]


def entries():
    """The words of words.json."""
    out = []
    for tag in prompted():
        entry = {"word": tag}
        if vocabulary()[tag][0]:
            entry["hint"] = vocabulary()[tag][0]
        if broader(tag):
            entry["broader"] = [b for b in broader(tag) if b in vocabulary() and b not in NEVER]
        if kind(tag):
            entry["kind"] = kind(tag)
        out.append(entry)
    return out


@functools.cache
def every_name():
    """All names that sentences may need to write: tags, labels, drawings and ImageNet's classes."""
    return tuple(dict.fromkeys([*vocabulary(), *label_texts(), *map(spoken, label_texts()), *(n for v in aliases().values() for n in v), *imagenet()]))


def main(target):
    words = entries()
    Path(target).write_text(json.dumps({"templates": ["a photo of a {}."], "threshold": THRESHOLD, "also": 0.3, "most": 1, "words": words},
                                       ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf8")
    print(len(words), "words,", sum("kind" in w for w in words), "with a kind")


if __name__ == "__main__":
    main(sys.argv[1])
