"""What the finished tagger says of each composed scene: the words that the captioner will be prompted with.

usage: python scene_words.py --head head2 --text text (writes cache/scenes/words.json, a list of words for each scene)
The rule is that of `src/tasks/naming.rs`: the best word and its kind where it is sure; else the nearest broader word that is; else none.
"""
import argparse
import json

import torch

import knowledge as K
import words as W
from calibrate import load_models
from paths import RUNS
from scene_features import FOLDER, pooled
from train_text import embed


def chosen(p, entries, narrower, threshold):
    best = int(p.argmax())
    entry = entries[best]
    if p[best] >= threshold:
        return [entry["word"], *([entry["kind"]] if "kind" in entry else [])]
    return next(([b] for b in entry.get("broader", ()) if p[narrower[b]].sum() >= threshold), [])


@torch.no_grad()
def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--head", default="head2")
    ap.add_argument("--text", default="text")
    args = ap.parse_args()
    torch.set_num_threads(1)
    f, _, head, tok, net = load_models(args.head, args.text)
    scale = json.loads((RUNS / args.head / "calibration.json").read_text())["logit_scale"]
    known = {key for (group, key, _), k in zip(f["concepts"], f["known"]) if group == "tag" and k}
    entries = [e for e in W.entries() if e["word"] in known]
    every = {b for e in entries for b in e.get("broader", ())}
    at = {b: [k for k, e in enumerate(entries) if b in (e["word"], *e.get("broader", ()))] for b in every}
    t = embed(net, tok, [K.hinted(e["word"], e.get("hint", "")) for e in entries])
    out = []
    for x in torch.from_numpy(pooled()).split(512):
        out += [chosen(p, entries, at, W.THRESHOLD) for p in (scale * head(x.float()) @ t.T).softmax(1)]
    (FOLDER / "words.json").write_text(json.dumps(out))
    print(f"{len(out)} scenes, words for {sum(map(bool, out))} of them")


if __name__ == "__main__":
    main()
