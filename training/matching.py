"""BLIP's image-text contrastive and matching objectives over the captioner's image tokens: training pairs and losses."""
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

import words as W
from captioner import LENGTH, image_vectors, text_vectors
from captions import Mixture as Captions
from captions import sentence
from photos import labels
from scenes import GROUNDS
from sentences import OPPOSITE
from texts import article, icons

N_PHOTO, N_SCENE, COLUMNS = 26, 38, 4
LABELS, DRAWN = 40, 30  # further sentences of a step, of labels and of drawings' names
GROUND_PHRASES = [f"on {W.a(g + ' ground')}" for g in GROUNDS] + ["on grass", "in water", "in the sky"]
# Nothing in training can confirm these: a true sentence stays true with them.
UNSEEN = ["on a road", "in a street", "on a table", "in a room", "in a garden", "at home", "on the floor", "by a wall", "in front of a house",
          "on a beach", "in the sun", "in a kitchen", "in a forest", "near a window", "in a city"]
TEMPLATES = ["a photo of {}", "a photo of {}", "a picture of {}", "an image of {}", "{}", "{}"]


class Text(NamedTuple):
    """A sentence, the things that it names, and the ground that it tells, or None."""
    text: str
    names: frozenset
    where: str | None


class Mixture:
    """Images with a true sentence each, a wrong one, and sentences of other names."""

    def __init__(self):
        self.base = Captions()
        self.labels = labels()
        self.drawn = sorted(set(icons().values()))

    def label(self, name, rng, of_photo=True):
        """A sentence of one label or drawing."""
        word = W.spoken(name) if of_photo else name
        if of_photo and rng.random() < 0.2:
            word = (other := W.accepted(name))[rng.integers(len(other))]
        text = TEMPLATES[rng.integers(len(TEMPLATES))].format(W.a(word) if rng.random() < 0.8 else f"a {word}" if rng.random() < 0.5 else word)
        return Text(article(text), frozenset([W.spoken(name)]), None)

    def photo(self, rng):
        """Components, names, where ("" if unknown), a true sentence, a wrong sentence or None."""
        x, label, where, colour = self.base.photo(rng)
        names = frozenset([W.spoken(label)])
        true, wrong = self.label(label, rng), None
        if where and rng.random() < 0.6:
            other = [g for g in GROUND_PHRASES if g != where and not (where == "on water" and g == "in water")]
            wrong = Text(f"{true.text} {other[rng.integers(len(other))]}", names, "")
            if rng.random() < 0.6:
                true = Text(f"{true.text} {where}", names, where)
        elif rng.random() < 0.3:
            true = Text(f"{true.text} {UNSEEN[rng.integers(len(UNSEEN))]}", names, None)
        return x, names, where, true, wrong

    def scene(self, rng, k=None):
        """The same of a scene; the wrong sentence differs in a thing, the ground, the relation or the number."""
        x, _, things, relation, where, colour, photo, _ = self.base.scenes.draw(rng, k)
        things = [(n, W.spoken(w)) for n, w in things] if photo else things
        names = frozenset(W.spoken(w) for _, w in things)
        told = where if rng.random() < 0.8 else None
        if len(things) == 1 and things[0][0] == 1 and rng.random() < 0.25:
            true = self.label(things[0][1], rng, False)
        else:
            true = Text(sentence(things, relation, told or "", colour if rng.random() < 0.3 else ""), names, told)
        made, ground, part = list(things), told, rng.choice(["thing", "thing", "ground", "relation", "number"])
        if part == "relation" and relation:
            relation = OPPOSITE[relation]
        elif part == "number" and len(things) == 1 and W.several(2, things[0][1]) != W.a(things[0][1]):
            made = [([n for n in (1, 2, 3) if n != things[0][0]][rng.integers(2)], things[0][1])]
        elif part == "ground":
            other = [g for g in GROUND_PHRASES if g != where]
            ground = other[rng.integers(len(other))]
        else:
            k = int(rng.integers(len(made)))
            new = self.drawn[rng.integers(len(self.drawn))]
            while W.spoken(new) in names:
                new = self.drawn[rng.integers(len(self.drawn))]
            made[k] = (made[k][0], new)
        return x, names, where, true, Text(sentence(made, relation, ground or ""), frozenset(W.spoken(w) for _, w in made), ground)

    def batch(self, rng):
        """Components (B, 81, 256), what is shown [(names, where)], texts (own, then others), wrong sentences."""
        rows = [self.photo(rng) for _ in range(N_PHOTO)] + [self.scene(rng) for _ in range(N_SCENE)]
        texts = [r[3] for r in rows]
        texts += [self.label(self.labels[k], rng) for k in rng.choice(len(self.labels), LABELS, False)]
        texts += [self.label(self.drawn[k], rng, False) for k in rng.choice(len(self.drawn), DRAWN, False)]
        return torch.from_numpy(np.stack([r[0] for r in rows])), [(r[1], r[2]) for r in rows], texts, [r[4] for r in rows]


def encode(tok, texts):
    """ids (B, T) "[CLS] words [SEP]", padded with 0."""
    rows = [e.ids[:LENGTH - 1] + e.ids[-1:] if len(e.ids) > LENGTH else e.ids for e in tok.encode_batch(list(texts))]
    out = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
    for k, r in enumerate(rows):
        out[k, :len(r)] = torch.tensor(r)
    return out


def relations_of(shown, texts):
    """(B, T) bool: the text may be true of the image; and is surely the image's (all its things, nothing unknown)."""
    may = torch.tensor([[t.names <= names and (t.where is None or t.where == where or not where) for t in texts] for names, where in shown])
    sure = torch.tensor([[t.names == names and t.where is None and len(names) == 1 for t in texts] for names, where in shown])
    return may, sure


def scores(model, states, columns, tok):
    """(B, COLUMNS, 2) matching scores of columns [[texts] of each image].

    The texts of an image stand in one row, each seeing itself only: the image's keys and values are made once.
    """
    n, c = len(states), len(columns[0])
    ids = encode(tok, [t for row in columns for t in row]).view(n, c, -1)
    t = ids.shape[2]
    own = torch.eye(c, dtype=torch.bool).repeat_interleave(t, 0).repeat_interleave(t, 1)
    mask = torch.where(own & (ids.view(n, 1, 1, c * t) > 0), 0.0, -1e4)  # (B, 1, T, T), added to the scores of attention
    seen = model.text_encoder(input_ids=ids.view(n, c * t), attention_mask=mask, position_ids=torch.arange(t).repeat(c)[None],
                              encoder_hidden_states=states, encoder_attention_mask=torch.ones(states.shape[:2], dtype=torch.long)).last_hidden_state
    return model.itm_head(seen.view(n, c, t, -1)[:, :, 0])


def losses(model, states, shown, texts, wrong, tok):
    """The sum of both losses; ITC, ITM, and the shares of right answers on true and on wrong sentences."""
    n = len(states)
    may, sure = relations_of(shown, texts)
    positive = sure.clone()
    positive[torch.arange(n), torch.arange(n)] = True
    sim = model.log_scale.exp() * image_vectors(model, states) @ text_vectors(model, encode(tok, [t.text for t in texts])).T
    kept, weight = sim.masked_fill(may & ~positive, -1e4), positive.float()
    some = weight.sum(0) > 0
    itc = (-(kept.log_softmax(1) * weight).sum(1) / weight.sum(1)).mean() / 2 + (
        -(kept.log_softmax(0) * weight).sum(0)[some] / weight.sum(0)[some]).mean() / 2
    false = ~may & ~positive
    chance = sim.detach().masked_fill(~false, -1e4).softmax(1) * false + 1e-9 * false
    hard = torch.multinomial(chance, 2)
    anyone = torch.multinomial(false.float(), 1)
    columns = [[texts[k].text, texts[hard[k, 0]].text, wrong[k].text if wrong[k] else texts[hard[k, 1]].text, texts[anyone[k, 0]].text] for k in range(n)]
    out = scores(model, states, columns, tok)
    target = torch.zeros(n, COLUMNS, dtype=torch.long)
    target[:, 0] = 1
    itm = F.cross_entropy(out.flatten(0, 1), target.flatten(), weight=torch.tensor([1.0, COLUMNS - 1.0]))
    order = F.cross_entropy(out[..., 1] - out[..., 0], torch.zeros(n, dtype=torch.long))
    right = (out.argmax(2) == target).float()
    return itc + itm + 0.5 * order, [itc.item(), itm.item(), right[:, 0].mean().item(), right[:, 1:].mean().item()]
