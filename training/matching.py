"""BLIP's image-text matching and contrastive heads: modules, training pairs and the two losses.

The functions take a `Matcher` or transformers' `BlipForImageTextRetrieval`: the parts have the same names.
Images come as states (B, tokens, D) of the finished tower; texts as ids "[CLS] words [SEP]", padded with 0.
"""
import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from transformers import BlipForImageTextRetrieval

from blip import MAX_WORDS, config
from photos import labels as photo_labels
from runs import fast
from sentences import DRAWN, GROUND_NAMES, Words, exchanged, parse, sentence, turned
from texts import icons
from tokenizers_own import encode

N_PHOTO, N_SCENE = 64, 128
COLUMNS = 5  # matching pairs of an image
DRAWN_NAMES = 96  # sentences of drawings' names among the texts of a step
PARTS = ["thing", "thing", "thing", "ground", "relation", "number"]
NO_GROUND, UNSAID = -2, -1


class Matcher(torch.nn.Module):
    """The parts of `BlipForImageTextRetrieval` beside the tower, and the temperature of training."""

    def __init__(self):
        super().__init__()
        whole = BlipForImageTextRetrieval(config())
        self.text_encoder, self.itm_head = whole.text_encoder, whole.itm_head
        self.vision_proj, self.text_proj = whole.vision_proj, whole.text_proj
        for m in (self.vision_proj, self.text_proj):
            torch.nn.init.normal_(m.weight, std=m.in_features ** -0.5)
        self.log_scale = torch.nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def start_from(self, decoder):
        """Take the decoder's embeddings and layers: all shapes agree."""
        self.text_encoder.load_state_dict(decoder.bert.state_dict())


def image_vectors(model, states):
    return F.normalize(model.vision_proj(states[:, 0].float()), dim=-1)


def text_vectors(model, ids):
    seen = model.text_encoder(input_ids=ids, attention_mask=(ids > 0).long()).last_hidden_state
    return F.normalize(model.text_proj(seen[:, 0]).float(), dim=-1)


def matched(model, states, ids):
    """(N, 2) scores of N pairs: does not match, matches."""
    seen = model.text_encoder(input_ids=ids, attention_mask=(ids > 0).long(), encoder_hidden_states=states.float(),
                              encoder_attention_mask=torch.ones(states.shape[:2], dtype=torch.long)).last_hidden_state
    return model.itm_head(seen[:, 0]).float()


class Meaning(NamedTuple):
    """What B images show or B texts say: names (B, L), 1 where named; ground (B,), an index of GROUND_NAMES.

    The ground is NO_GROUND for photographs and UNSAID for texts that leave it out.
    """
    names: torch.Tensor
    ground: torch.Tensor


class Batch(NamedTuple):
    """Images of a step (photographs first) and its texts: own (one for each image), wrong (one for each scene), labels."""
    states: torch.Tensor
    shown: Meaning
    texts: list
    meant: Meaning
    said: list       # the decoder's caption of each scene
    said_true: list


def may_be_true(shown, meant):
    """(B, T): the text names nothing that the image does not show. It need not be true: relations are not looked at."""
    more = meant.names @ (1 - shown.names).T  # things said and not shown
    ground = (meant.ground == UNSAID)[:, None] | (meant.ground[:, None] == shown.ground)
    return ((more == 0) & ground).T


class Mixture:
    """Batches from the cached features of train_matching.py; `held` of the scenes are left out of them."""

    def __init__(self, cached, tok, held):
        self.words = Words()
        self.cached, self.n = cached, len(cached["captions"]) - held
        self.scenes = [parse(caption, names) for caption, names in cached["captions"]]
        self.photo_names = [self.words.index[x] for x in photo_labels()]
        self.drawn_names = sorted({self.words.index[x] for x in icons().values()})
        ids = lambda texts: [e.ids for e in tok.encode_batch(texts)]
        true, other = (ids([sentence(f(s)) for s in self.scenes]) for f in (lambda s: s, turned))
        self.said_true = [c in forms for c, *forms in zip(ids(cached["said"]), true, other)]
        self.near = None  # (L, 10) names that the model takes for one another
        count = torch.bincount(cached["labels"], minlength=len(self.photo_names)).clamp(min=1)
        self.p = (count.float() ** -0.5)[cached["labels"]]  # of the photographs: balances the labels by half

    def meaning(self, rows):
        names = torch.zeros(len(rows), len(self.words.names))
        for k, (things, _) in enumerate(rows):
            names[k, list(things)] = 1
        return Meaning(names, torch.tensor([g for _, g in rows]))

    def things(self, scene):
        return [self.words.index[name] for _, name in scene.things]

    def other(self, rng):
        """The name that takes a thing's place: half of the time one that is easily taken for it."""
        def choose(name):
            if self.near is not None and rng.random() < 0.5:
                row = self.near[self.words.index[name]]
                return self.words.names[row[rng.integers(len(row))]]
            return self.words.names[self.drawn_names[rng.integers(len(self.drawn_names))]]
        return choose

    def wrong(self, scene, rng):
        new = None
        while new is None:
            new = exchanged(scene, PARTS[rng.integers(len(PARTS))], rng, self.other(rng))
        return turned(new) if rng.random() < 0.5 else new

    def batch(self, rng, held=False):
        i = torch.multinomial(self.p, N_PHOTO)
        j = rng.choice(np.arange(self.n, len(self.scenes)), N_SCENE, False) if held else rng.choice(self.n, N_SCENE, False)
        w, labels = self.words, [self.photo_names[k] for k in self.cached["labels"][i].tolist()]
        scenes = [self.scenes[k] for k in j]
        ground = [GROUND_NAMES.index(s.ground) for s in scenes]
        shown = [([k], NO_GROUND) for k in labels] + [(self.things(s), g) for s, g in zip(scenes, ground)]
        texts = [w.label(k, rng) for k in labels]
        meant = [([k], UNSAID) for k in labels]
        for s, g in zip(scenes, ground):
            text, tells = w.scene(s, rng)
            texts.append(text), meant.append((self.things(s), g if tells else UNSAID))
        for s in (self.wrong(s, rng) for s in scenes):
            texts.append(sentence(s)), meant.append((self.things(s), GROUND_NAMES.index(s.ground)))
        for k in self.photo_names:
            texts.append(w.label(k, rng)), meant.append(([k], UNSAID))
        for k in rng.choice(self.drawn_names, DRAWN_NAMES, False):
            texts.append(w.label(k, rng, DRAWN)), meant.append(([k], UNSAID))
        states = torch.cat([self.cached["photos"][i], self.cached["scenes"][torch.from_numpy(j)]])
        return Batch(states, self.meaning(shown), texts, self.meaning(meant),
                     [self.cached["said"][k] for k in j], [self.said_true[k] for k in j])


@torch.no_grad()
def nearest_names(model, tok, words):
    """(L, 10): for every name the ten others whose drawings' sentences have the nearest vectors."""
    v = text_vectors(model, encode(tok, [f"a drawing of a {n}" for n in words.names], MAX_WORDS, 0))
    return (v @ v.T).fill_diagonal_(-1).topk(10).indices.numpy()


def contrastive(model, b, ids):
    """The contrastive loss of both directions, the similarities (B, T) and which pairs are surely false.

    Pairs that may be true without being the image's own are left out. Equal texts, and for
    photographs all sentences of the label, are positives.
    """
    n = len(b.states)
    positive = torch.zeros(n, len(b.texts), dtype=torch.bool)
    same = {}
    for t, text in enumerate(b.texts):
        same.setdefault(text, []).append(t)
    for k in range(n):
        positive[k, same[b.texts[k]]] = True
    may = may_be_true(b.shown, b.meant)
    single = torch.ones(len(b.texts), dtype=torch.bool)
    single[N_PHOTO:n + N_SCENE] = False
    positive[:N_PHOTO] |= may[:N_PHOTO] & single
    false = ~may
    false[torch.arange(N_PHOTO, n), torch.arange(n, n + N_SCENE)] = True
    false &= ~positive
    sim = model.log_scale.exp() * image_vectors(model, b.states) @ text_vectors(model, ids).T
    kept = sim.masked_fill(~(positive | false), -1e4)
    weight = positive.float()
    to_text = -(F.log_softmax(kept, 1) * weight).sum(1) / weight.sum(1)
    some = weight.sum(0) > 0
    to_image = -(F.log_softmax(kept, 0) * weight).sum(0)[some] / weight.sum(0)[some]
    return (to_text.mean() + to_image.mean()) / 2, sim.detach(), false


def pairs(b, sim, false):
    """The matching pairs of a step, COLUMNS for each image: (COLUMNS, B) indices of images and texts, and targets.

    The first is the image's own text. The others are wrong: a text by its similarity; for photographs two
    more of these, for scenes the sentence with one part exchanged and the decoder's own caption (its
    number comes after those of `b.texts`), which may be right; and the own text with an image by its similarity.
    """
    n, m = len(b.states), len(b.texts)
    every, scenes = torch.arange(n), torch.arange(N_SCENE)
    chance = lambda sim, false: F.softmax(sim.masked_fill(~false, -1e4), 1) * false + 1e-9 * false
    text = torch.multinomial(chance(sim, false), 3)
    image = torch.multinomial(chance(sim[:, :n].T, false[:, :n].T), 1)[:, 0]
    made = torch.stack([n + scenes, m + scenes], 1)
    third, fourth = torch.cat([text[:N_PHOTO, 1:], made]).T
    target = torch.zeros(COLUMNS, n, dtype=torch.long)
    target[0] = 1
    target[3, N_PHOTO:] = torch.tensor(b.said_true).long()
    return torch.stack([every, every, every, every, image]), torch.stack([every, text[:, 0], third, fourth, every]), target


def matching(scores, target):
    """The matching loss of scores (COLUMNS, B, 2).

    BLIP's cross-entropy, with matching and other pairs of equal weight, and the cross-entropy of each
    image's own text among its wrong ones: the second teaches the order, which little training leaves coarse.
    """
    yes = target.float().mean()
    each = F.cross_entropy(scores.flatten(0, 1), target.flatten(), weight=torch.stack([0.5 / (1 - yes), 0.5 / yes]))
    order = scores[..., 1] - scores[..., 0]
    order = order.masked_fill((target == 1) & (torch.arange(COLUMNS) > 0)[:, None], -1e4)
    return each + 0.5 * F.cross_entropy(order.T, torch.zeros(order.shape[1], dtype=torch.long)), each.detach()


def losses(model, b, tok, chunks=3):
    """The sum of all losses; the contrastive and the matching one, the shares of right answers on matching and on other pairs."""
    ids = encode(tok, b.texts + b.said, MAX_WORDS, 0)
    length = (ids > 0).sum(1)
    m = len(b.texts)
    with fast():
        itc, sim, false = contrastive(model, b, ids[:m, :int(length[:m].max())])
    images, texts, target = pairs(b, sim.float(), false)
    order = length[texts.flatten()].argsort()
    parts = []
    for part in order.chunk(chunks):  # texts of like length together: less padding
        image, text = images.flatten()[part], texts.flatten()[part]
        with fast():
            parts.append(matched(model, b.states[image], ids[text, :int(length[text].max())]))
    scores = torch.cat(parts)[order.argsort()].view(*target.shape, 2)
    itm, each = matching(scores, target)
    right = (scores.argmax(2) == target).float()
    return itc + itm, [v.item() for v in (itc, each, right[target == 1].mean(), right[target == 0].mean())]
