"""First answers of the built-in model in PyTorch and float32, which `npm run evaluate -- --reference FILE` compares int8 with.

usage: python answers.py FILE [--photos 500] [--export ocelli] (after export.py, whose float32 weights it reads)
It writes {"photos": {path: label}, "everyday": {file: tag}}: of photographs of the test part the first of the 159 labels, of everyday
pictures the first of the tags that the page asks.
"""
import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from tokenizers import Tokenizer

import knowledge as K
from ocelli_model import OcelliModel
from paths import DATA, MODELS, SEED, WORK
from photos import labels, rows
from tower import preprocess


class Reference:
    def __init__(self, name):
        folder = MODELS / "ocelli"
        self.model = OcelliModel(json.loads((folder / "config.json").read_text())).eval()
        state = load_file(WORK / "export" / name / "model.safetensors")
        missing = self.model.load_state_dict(state, strict=False)
        assert not missing.unexpected_keys, missing.unexpected_keys
        derived = ("position_ids", "num_batches_tracked", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias")
        assert all(n.endswith(derived) for n in missing.missing_keys), missing.missing_keys
        self.tok = Tokenizer.from_file(str(folder / "tokenizer.json"))

    @torch.no_grad()
    def texts(self, names):
        """(n, dim) unit vectors of "a photo of a {}."."""
        out = []
        for name in names:
            ids = torch.tensor([self.tok.encode(f"a photo of a {name}.").ids])
            out.append(self.model.text_embeddings(ids)[0])
        return F.normalize(torch.stack(out), dim=1)

    @torch.no_grad()
    def images(self, files, n=8):
        """(n, dim) unit vectors."""
        out = []
        for s in range(0, len(files), n):
            pixels = torch.stack([torch.from_numpy(preprocess(Image.open(f)).copy()) for f in files[s:s + n]])
            out.append(self.model.image_embeddings(self.model.maps((pixels.permute(0, 3, 1, 2).float() - 127) / 128)))
        return F.normalize(torch.cat(out), dim=1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("file", type=Path)
    ap.add_argument("--photos", type=int, default=500)
    ap.add_argument("--export", default="ocelli")
    args = ap.parse_args()
    torch.set_num_threads(1)
    reference = Reference(args.export)
    test = rows("test")
    order = torch.randperm(len(test), generator=torch.Generator().manual_seed(SEED))[:args.photos].tolist()
    paths, names = [test[i][0] for i in order], labels()
    best = (reference.images([DATA / "photos" / p for p in paths]) @ reference.texts(names).T).argmax(1).tolist()
    tags = json.loads((MODELS / "ocelli" / "labels.json").read_text())
    asked = reference.texts([K.hinted(t, K.vocabulary()[t].hint) for t in tags])
    files = sorted((DATA / "everyday" / "pictures").iterdir())
    first = (reference.images(files) @ asked.T).argmax(1).tolist()
    args.file.write_text(json.dumps({
        "photos": {p: names[k] for p, k in zip(paths, best)},
        "everyday": {f.name: tags[k] for f, k in zip(files, first)}}, indent=1) + "\n")


if __name__ == "__main__":
    main()
