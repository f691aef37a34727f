"""The one space of label texts, and the sentence templates built on it."""
import numpy as np

from paths import HERE
from photos import labels as photo_labels

TEMPLATES = [
    "a photo of a {}", "a photo of a {}", "a photo of a {}", "a picture of a {}", "{}", "{}", "a {}",
    "a drawing of a {}", "an icon of a {}", "an image of a {}", "a small {}", "a photo of the {}",
    "one {}", "a {} on a plain ground",
]
EVAL_TEMPLATE = "a photo of a {}"


def _table(name):
    lines = (HERE / name).read_text().splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def icons():
    """{icon name: label text} of drawings.txt."""
    return {icon: text for icon, text in _table("drawings.txt")}


def aliases():
    """{label text: [other names]}."""
    return {text: names.split(",") for text, names in _table("aliases.txt")}


def label_texts():
    """All label texts: the 159 photo labels first (sorted), then the other drawings' texts (sorted)."""
    photos = photo_labels()
    return photos + sorted(set(icons().values()) - set(photos))


def article(text):
    """Correct "a" to "an" before a vowel (by spelling)."""
    words = text.split(" ")
    for i in range(len(words) - 1):
        if words[i] == "a" and words[i + 1][:1] in "aeiou" and not words[i + 1].startswith(("uni", "uk", "eu", "one")):
            words[i] = "an"
    return " ".join(words)


def prompt(label):
    """The text that evaluation and the page use for a label (no article correction, as pages do it)."""
    return EVAL_TEMPLATE.format(label)


class Prompts:
    """Random sentences for all labels: `sample()` -> list of L strings."""

    def __init__(self, names, seed=0):
        self.names, self.alias, self.rng = names, aliases(), np.random.default_rng(seed)

    def sample(self, which=None):
        out = []
        for i in range(len(self.names)) if which is None else which:
            name = self.names[i]
            other = self.alias.get(name)
            if other and self.rng.random() < 0.35:
                name = other[self.rng.integers(len(other))]
            text = TEMPLATES[self.rng.integers(len(TEMPLATES))].format(name)
            out.append(article(text) if self.rng.random() < 0.5 else text)
        return out
