"""What transformers computes from the exported files for some images: tags and greedy captions, as JSON.

usage: python reference.py image.png ... > golden.json
       python reference.py --clip DIR --blip DIR --labels labels.json image.png ...
"""
import argparse
import json
from pathlib import Path

import torch
from PIL import Image

from paths import MODELS

TEMPLATE = "a photo of a {}"


def image_processor(folder, which):
    """The PIL (not torchvision) image processor of a model folder."""
    import transformers
    cls = getattr(transformers, which + "Pil", None) or getattr(transformers, which)
    return cls.from_pretrained(folder)


class Tagger:
    """CLIPModel over an exported folder: embeddings and probabilities."""

    def __init__(self, folder=MODELS / "clip-tiny"):
        from transformers import CLIPModel
        from transformers import CLIPTokenizerFast
        self.model = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
        self.processor = image_processor(folder, "CLIPImageProcessor")
        self.tokenizer = CLIPTokenizerFast.from_pretrained(folder)

    @torch.inference_mode()
    def texts(self, sentences):
        """(L, P) unit vectors."""
        ids = self.tokenizer(list(sentences), padding=True, truncation=True, max_length=32, return_tensors="pt")
        e = self.model.text_projection(self.model.text_model(**ids).pooler_output)
        return e / e.norm(dim=-1, keepdim=True)

    @torch.inference_mode()
    def images(self, images):
        """(B, P) unit vectors of PIL images."""
        x = self.processor([im.convert("RGB") for im in images], return_tensors="pt")["pixel_values"]
        e = self.model.visual_projection(self.model.vision_model(pixel_values=x).pooler_output)
        return e / e.norm(dim=-1, keepdim=True)

    @property
    def scale(self):
        return self.model.logit_scale.exp().item()


class Captioner:
    """BlipForConditionalGeneration over an exported folder: greedy and sampled captions."""

    def __init__(self, folder=MODELS / "blip-tiny"):
        from transformers import AutoTokenizer, BlipForConditionalGeneration
        self.model = BlipForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.processor = image_processor(folder, "BlipImageProcessor")
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    @torch.inference_mode()
    def generated(self, images, copies=1, **how):
        """`copies` captions in a row of every image."""
        x = self.processor([im.convert("RGB") for im in images], return_tensors="pt")["pixel_values"]
        ids = self.model.generate(pixel_values=x.repeat_interleave(copies, 0), num_beams=1, **how)
        return [t.strip() for t in self.tokenizer.batch_decode(ids, skip_special_tokens=True)]

    def captions(self, images, max_new_tokens=24):
        return self.generated(images, max_new_tokens=max_new_tokens, do_sample=False)

    def sampled(self, images, n, max_new_tokens=24):
        """`n` captions of every image by nucleus sampling with 0.9."""
        said = self.generated(images, n, max_new_tokens=max_new_tokens, do_sample=True, top_p=0.9, top_k=0)
        return [said[k:k + n] for k in range(0, len(said), n)]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("images", nargs="+")
    ap.add_argument("--clip", default=MODELS / "clip-tiny")
    ap.add_argument("--blip", default=MODELS / "blip-tiny")
    ap.add_argument("--labels")
    args = ap.parse_args()
    labels = json.loads(Path(args.labels or Path(args.clip) / "labels.json").read_text())
    tagger, captioner = Tagger(args.clip), Captioner(args.blip)
    text = tagger.texts([TEMPLATE.format(label) for label in labels])
    result = []
    for path in args.images:
        image = Image.open(path).convert("RGB")
        p = (tagger.scale * tagger.images([image]) @ text.T).softmax(-1)[0]
        top = p.topk(5)
        result.append({"image": Path(path).name, "caption": captioner.captions([image])[0],
                       "tags": [{"label": labels[i], "probability": round(v, 6)}
                                for v, i in zip(top.values.tolist(), top.indices.tolist())]})
    print(json.dumps({"template": TEMPLATE, "images": result}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
