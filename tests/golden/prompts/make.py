"""Golden data for tests/it/text_encoder.rs: prompts as image generators read them, and the states of two small text towers.

Run it with the packages of ../requirements.txt installed: python tests/golden/prompts/make.py

Writes beside itself:
  openai/, openclip/   small seeded text towers in the published layout, after the two text encoders of SDXL: a `CLIPTextModel` with
                       quick GELU whose texts are filled up with the end token, and a `CLIPTextModelWithProjection` with GELU whose
                       texts are filled up with the token 0; and expected.safetensors, what `transformers` gives for them
  expected.json        parts, chunks and weights of the prompts below

The tokenizer is ../text/clip-tokenizer.json. The reading of prompts is written anew here, after the documentation of AUTOMATIC1111's
web UI: as a grammar over tokens of a regular expression, where the library goes through the text letter by letter.
"""

import json
import random
import re
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

HERE = Path(__file__).resolve().parent
WORDS = Tokenizer.from_file(str(HERE.parent / "text/clip-tokenizer.json"))
START, END = WORDS.token_to_id("<|startoftext|>"), WORDS.token_to_id("<|endoftext|>")
COMMA = WORDS.token_to_id(",</w>")
VOCABULARY = WORDS.get_vocab_size()
CONTEXT = 77
SMALL = 14

LONG = "a red bus, " + "a photo of a cat, a dog, an owl above a tree, " * 9
PROMPTS = [
    "", " ", "a photo of a cat", "a photo of a (cat)", "a [photo] of a ((cat))", "a (cat:1.3), [dog], (a [red] bus:0.7)",
    "((a) (photo:2) of [a:3] cat:0.5)", r"a \(photo\) of \[a\] \\ cat \x", "a (cat", "a [cat (dog", "a cat) and] a dog",
    "(a [cat) dog]", "cat :1.2) dog", "(cat : 1.5 ) (dog:+.5) (bus:-1)", "(cat:1,5) (dog:a) (:1.2) ()", "a: cat, b:(c:1.1)",
    "cat BREAK dog", "BREAK", " BREAK  BREAK ", "BREAKING a BREAK, xBREAK BREAK_", "a cat\nBREAK\na dog", "(a:1.2)(dog:1.2)bus",
    "BREAK a cat BREAK", "(cat:0)", "café (naïve:1.4) 🐱", "a <|endoftext|> cat", "(((((a)))))[[[[[cat]]]]]",
    LONG, LONG + "BREAK a dog", "(" + LONG + ":1.2) a bus", "a cat, " + "dog " * 80, "dog " * 74 + ", a cat", "dog " * 75 + ", a cat",
    "dog " * 10 + ", " + "cat " * 60, "dog " * 54 + ", " + "cat " * 30, "," * 160, "a, " * 100, "cat " * 150, "cat " * 151,
    "(a photo of a cat:1.1), " * 12, "a photo of a cat BREAK " * 5,
]  # fmt: skip
# Letters that make brackets meet in every way.
ODD = ["(", ")", "[", "]", ":", "\\", ":1.2)", ":0.9)", " BREAK ", "cat", " a dog", ",", " "]


def parts(prompt):
    """Pairs of text and weight; a weight of None is a break.

    Each token is read once; what it encloses is found by going back over the pieces behind its opening bracket.
    """
    tokens = re.findall(r"\\[\\()\[\]]|:\s*[+-]?[.0-9]+\s*\)|[^\\()\[\]:]+|.", prompt, re.S)
    pieces, stacks = [], {"(": [], "[": []}

    def scale(bracket, factor):
        for piece in pieces[stacks[bracket].pop() :]:
            if piece[1] is not None:
                piece[1] = piece[1] * factor

    for token in tokens:
        weighted = re.fullmatch(r":\s*([+-]?[.0-9]+)\s*\)", token)
        if token in stacks:
            stacks[token].append(len(pieces))
        elif weighted and stacks["("]:
            scale("(", float(weighted[1]))
        elif token == ")" and stacks["("]:
            scale("(", 1.1)
        elif token == "]" and stacks["["]:
            scale("[", 1 / 1.1)
        elif token[0] == "\\":
            pieces.append([token[1:], 1.0])
        else:
            for i, text in enumerate(re.split(r"\s*\bBREAK\b\s*", token)):
                pieces += [["", None]] * (i > 0) + [[text, 1.0]]
    for bracket, factor in [("(", 1.1), ("[", 1 / 1.1)]:
        while stacks[bracket]:
            scale(bracket, factor)
    joined = []
    for text, weight in pieces:
        if joined and weight is not None and joined[-1][1] == weight:
            joined[-1][0] += text
        else:
            joined.append([text, weight])
    return joined


def chunks(read, length, backtrack, limit=None):
    """Lists of pairs of token and weight, each at most `length` long.

    Here all tokens of a stretch between breaks are known before they are cut: a cut comes after `length` tokens, or earlier, behind the
    last comma of a chunk that is at most `backtrack` tokens before its end.
    """
    stretches, current = [], []
    for text, weight in read:
        if weight is None:
            stretches.append(current)
            current = []
        else:
            current += [(token, weight) for token in WORDS.encode(text, add_special_tokens=False).ids]
    result = []
    for stretch in stretches:
        # A break ends a chunk, even an empty one.
        result += cut(stretch, length, backtrack) or [[]]
    result += cut(current, length, backtrack) or ([] if result else [[]])
    return result[:limit]


def cut(stretch, length, backtrack):
    found = []
    while len(stretch) > length:
        end = length
        # A comma that does not fit begins the next chunk, and nothing moves. One that begins a chunk which was cut is no place to cut.
        if stretch[length][0] != COMMA:
            first = 1 if found and found[-1][1] else 0
            commas = [i for i in range(first, length) if stretch[i][0] == COMMA]
            if commas and length - commas[-1] <= backtrack:
                end = commas[-1] + 1
        found.append((stretch[:end], stretch[end][0] == COMMA and end == length))
        stretch = stretch[end:]
    return [chunk for chunk, _ in found] + ([stretch] if stretch else [])


def framed(chunk, length, pad):
    """Ids and weights of a chunk, and its attention mask."""
    tokens = [START, *(token for token, _ in chunk), END]
    filled = length + 2 - len(tokens)
    return tokens + [pad] * filled, [1.0, *(weight for _, weight in chunk), 1.0] + [1.0] * filled, [1] * len(tokens) + [0] * filled


def odd_prompts():
    random.seed(7)
    return ["".join(random.choice(ODD) for _ in range(random.randint(3, 14))) for _ in range(60)]


def prompts():
    rows = []
    for prompt in PROMPTS + odd_prompts():
        read = parts(prompt)
        row = {"prompt": prompt, "parts": read, "chunks": {}}
        for backtrack in [20, 0, 75]:
            dealt = chunks(read, CONTEXT - 2, backtrack)
            # Only how long they are: the tokens are those of the parts, in their order.
            row["chunks"][backtrack] = [len(chunk) for chunk in dealt]
        row["tokens"] = [token for chunk in dealt for token, _ in chunk]
        rows.append(row)
    for other in [0, 75]:
        assert any(row["chunks"][20] != row["chunks"][other] for row in rows), "commas move nothing"
    return rows


def emphasise(states, weights):
    """The states of one chunk, weighed, their mean restored."""
    before = states.mean()
    assert before.abs() > 0.05, "a mean near to zero: choose another seed"
    weighed = states * torch.tensor(weights)[:, None]
    return weighed * (before / weighed.mean())


def randomise(model, seed):
    """States whose mean is not near to zero: it is restored by a quotient, which would compare nothing but rounding."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "norm" in name:
                parameter.copy_(noise * 0.2 + (1.0 if name.endswith("weight") else 0.2))
            elif name.endswith("bias"):
                parameter.copy_(noise * 0.2)
            elif "embedding" in name:
                parameter.copy_(noise * 0.8 + 0.3)
            else:
                parameter.copy_(noise * 1.5 / parameter[0].numel() ** 0.5)


def tower(name, kind, pad, context, seed, prefix, **config):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # As published: the ids of the special tokens are those of no tokenizer, and 2 stands for the largest id of a text.
    config = {"architectures": [kind.__name__], "model_type": "clip_text_model", "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1,
              "hidden_size": 24, "intermediate_size": 40, "num_attention_heads": 3, "num_hidden_layers": 3, "projection_dim": 16,
              "vocab_size": VOCABULARY, "max_position_embeddings": context, **config}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    model = kind(CLIPTextConfig(**config))
    randomise(model, seed)
    tensors = {prefix + key: value.detach().half().clone() for key, value in model.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    for key, value in model.state_dict().items():
        assert torch.equal(value, tensors[prefix + key].float()), f"{key} was not read"

    expected = {}
    norm = next(module for key, module in model.named_modules() if key.endswith("final_layer_norm"))
    for which, prompt in [("short", "a (red:1.3) bus"), ("long", "a photo of a cat, an (owl above:0.6) a tree BREAK [a dog]")]:
        dealt = [framed(chunk, context - 2, pad) for chunk in chunks(parts(prompt), context - 2, 20)]
        ids, weights, masks = (list(column) for column in zip(*dealt))
        ids, masks = torch.tensor(ids), torch.tensor(masks)
        assert len(dealt) > 1 or which == "short"
        with torch.no_grad():
            out, masked = (model(ids, attention_mask=mask, output_hidden_states=True) for mask in [None, masks])
        assert (out.last_hidden_state - masked.last_hidden_state).abs().max() > 0.05, "the mask changes nothing"
        # FrozenCLIPEmbedder's "last", "pooled", and "hidden"; what generators take instead.
        plain = {"last": out.last_hidden_state, "masked": masked.last_hidden_state, "penultimate": out.hidden_states[-2],
                 "embedded": out.hidden_states[0], "penultimate_normed": norm(out.hidden_states[-2]).detach()}  # fmt: skip
        expected |= {f"{which}.{key}": states.flatten(0, 1) for key, states in plain.items()}
        for key in ["last", "penultimate"]:
            weighed = [emphasise(states, row) for states, row in zip(plain[key], weights)]
            expected[f"{which}.{key}_weighed"] = torch.cat(weighed)
        expected[f"{which}.last_no_norm"] = torch.cat([s * torch.tensor(w)[:, None] for s, w in zip(plain["last"], weights)])
        ends = ids.argmax(dim=1)
        pooled = norm(out.hidden_states[-1][torch.arange(len(ids)), ends]).detach()
        expected[f"{which}.pooled"] = pooled[0]
        if kind is CLIPTextModel:
            assert torch.allclose(out.pooler_output, pooled, atol=1e-6)
        else:
            expected[f"{which}.projected"] = out.text_embeds[0]
        expected[f"{which}.tokens"] = ids.flatten()
        expected[f"{which}.weights"] = torch.tensor(weights).flatten()
    save_file({key: value.contiguous() for key, value in expected.items()}, folder / "expected.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    tower("openai", CLIPTextModel, END, SMALL, 71, "text_model.", hidden_act="quick_gelu")
    tower("openclip", CLIPTextModelWithProjection, 0, SMALL, 72, "", hidden_act="gelu")
    rows = prompts()
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (HERE / "expected.json").write_text(f"[\n{lines}\n]\n")
    print(len(rows), "prompts")
