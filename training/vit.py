"""The student towers, written for training speed, with conversion to transformers' names.

Blocks are pre-norm (x + attn(ln1(x)), x + mlp(ln2(x))), q, k and v in one matrix,
GELU (erf). `CLIPModel` and `BlipForConditionalGeneration` compute the same; the
export splits or renames the matrices.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


TAP = 5  # blocks of the image tower that the captioner takes over


class Block(nn.Module):
    """(B, T, D) -> (B, T, D)."""

    def __init__(self, d, heads, hidden, eps=1e-5):
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(d, eps=eps), nn.LayerNorm(d, eps=eps)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.fc1, self.fc2 = nn.Linear(d, hidden), nn.Linear(hidden, d)
        for m in (self.qkv, self.out, self.fc1, self.fc2):
            nn.init.normal_(m.weight, std=0.02)
            nn.init.zeros_(m.bias)

    def forward(self, x, causal=False):
        b, t, d = x.shape
        q, k, v = self.qkv(self.ln1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        x = x + self.out(a.transpose(1, 2).reshape(b, t, d))
        return x + self.fc2(F.gelu(self.fc1(self.ln2(x))))


class Vision(nn.Module):
    """CLIP's image tower: (B, 3, S, S) -> (class vector (B, D) after post-norm, patch tokens (B, N, D) after TAP blocks)."""

    def __init__(self, image=96, patch=16, d=192, layers=6, heads=3, hidden=576):
        super().__init__()
        self.patch, n = patch, (image // patch) ** 2
        self.patch_embed = nn.Linear(3 * patch * patch, d, bias=False)
        self.cls, self.pos = nn.Parameter(torch.randn(d) * 0.02), nn.Parameter(torch.randn(n + 1, d) * 0.02)
        self.pre, self.post = nn.LayerNorm(d), nn.LayerNorm(d)
        self.blocks = nn.ModuleList([Block(d, heads, hidden) for _ in range(layers)])
        nn.init.normal_(self.patch_embed.weight, std=0.02)

    def forward(self, x):
        b, p = x.shape[0], self.patch
        x = x.view(b, 3, x.shape[2] // p, p, x.shape[3] // p, p).permute(0, 2, 4, 1, 3, 5).reshape(b, -1, 3 * p * p)
        x = self.patch_embed(x) + self.pos[1:]
        x = self.pre(torch.cat([(self.cls + self.pos[0]).expand(b, 1, -1), x.float()], 1))
        for i, blk in enumerate(self.blocks):
            x = blk(x)
            if i + 1 == TAP:
                tokens = x[:, 1:]
        return self.post(x[:, 0].float()), tokens


class Text(nn.Module):
    """CLIP's text tower: ids (B, T), end-of-text = highest id -> (B, D) at its position."""

    def __init__(self, vocab, context=32, d=128, layers=3, heads=2, hidden=512):
        super().__init__()
        self.embed = nn.Embedding(vocab, d)
        self.pos = nn.Parameter(torch.randn(context, d) * 0.01)
        self.blocks = nn.ModuleList([Block(d, heads, hidden) for _ in range(layers)])
        self.final = nn.LayerNorm(d)
        nn.init.normal_(self.embed.weight, std=0.02)

    def forward(self, ids):
        x = self.embed(ids) + self.pos[:ids.shape[1]]
        for blk in self.blocks:
            x = blk(x, causal=True)
        return self.final(x.float())[torch.arange(len(ids)), ids.argmax(1)]


class Clip(nn.Module):
    """Both towers, projections, learned temperature; plus training-only heads for distillation."""

    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        v, t = cfg["vision"], cfg["text"]
        self.vision, self.text = Vision(**v), Text(**t)
        self.vproj = nn.Linear(v["d"], cfg["proj"], bias=False)
        self.tproj = nn.Linear(t["d"], cfg["proj"], bias=False)
        nn.init.normal_(self.vproj.weight, std=v["d"] ** -0.5)
        nn.init.normal_(self.tproj.weight, std=t["d"] ** -0.5)
        self.logit_scale = nn.Parameter(torch.tensor(2.6593))
        self.teach = nn.Linear(v["d"], 1280)  # pooled features of the teacher; not exported
        self.patch_norm = nn.LayerNorm(v["d"])  # becomes the captioner's last normalisation

    def image(self, x):
        """(B, 3, S, S) -> embeddings (B, P) of length 1, class vectors (B, D), normalised patch tokens (B, N, D)."""
        cls, tokens = self.vision(x)
        return F.normalize(self.vproj(cls).float(), dim=-1), cls, self.patch_norm(tokens.float())

    def texts(self, ids):
        return F.normalize(self.tproj(self.text(ids)).float(), dim=-1)


def clip_state(model):
    """Weights under `CLIPModel`'s names, float16."""
    out = {}

    def norm(name, m):
        out[name + ".weight"], out[name + ".bias"] = m.weight, m.bias

    def block(name, b):
        for part, w, bias in zip("qkv", b.qkv.weight.chunk(3), b.qkv.bias.chunk(3)):
            out[f"{name}.self_attn.{part}_proj.weight"], out[f"{name}.self_attn.{part}_proj.bias"] = w, bias
        norm(name + ".self_attn.out_proj", b.out)
        norm(name + ".layer_norm1", b.ln1)
        norm(name + ".layer_norm2", b.ln2)
        norm(name + ".mlp.fc1", b.fc1)
        norm(name + ".mlp.fc2", b.fc2)

    v, t, p = model.vision, model.text, model.vision.patch
    e = "vision_model.embeddings."
    out[e + "class_embedding"] = v.cls
    out[e + "patch_embedding.weight"] = v.patch_embed.weight.view(-1, 3, p, p)
    out[e + "position_embedding.weight"] = v.pos
    norm("vision_model.pre_layrnorm", v.pre)
    norm("vision_model.post_layernorm", v.post)
    for i, b in enumerate(v.blocks):
        block(f"vision_model.encoder.layers.{i}", b)
    out["text_model.embeddings.token_embedding.weight"] = t.embed.weight
    out["text_model.embeddings.position_embedding.weight"] = t.pos
    norm("text_model.final_layer_norm", t.final)
    for i, b in enumerate(t.blocks):
        block(f"text_model.encoder.layers.{i}", b)
    out["visual_projection.weight"], out["text_projection.weight"] = model.vproj.weight, model.tproj.weight
    out["logit_scale"] = model.logit_scale
    return {k: x.detach().half().contiguous().clone() for k, x in out.items()}
