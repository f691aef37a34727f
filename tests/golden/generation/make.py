"""What `transformers` makes of the logits of the next token, for tests/generation.rs.

Run from the repository root, with the packages of tests/golden/requirements.txt and PyTorch:

    python tests/golden/generation/make.py

Writes expected.safetensors beside this file: seeded logits and a text so far, and for each of SETTINGS the
probabilities (f32) that the reference draws the next token from.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers.generation import logits_process as steps

HERE = Path(__file__).resolve().parent
VOCAB = 120
# The settings' names are those of the tensors, and in tests/generation.rs.
SETTINGS = {
    "plain": {},
    "cold": {"temperature": 0.4},
    "hot": {"temperature": 2.5},
    "top_k": {"top_k": 7},
    "top_k_one": {"top_k": 1},
    "top_p": {"top_p": 0.8},
    "top_p_small": {"top_p": 0.05},
    "top_p_large": {"top_p": 0.98},
    "top_k_top_p": {"top_k": 6, "top_p": 0.75},
    "warped": {"temperature": 0.7, "top_k": 40, "top_p": 0.9},
    "penalty": {"repetition_penalty": 1.7},
    "repeating": {"repetition_penalty": 0.6, "top_k": 10},
    "ngrams": {"no_repeat_ngram_size": 2},
    "all": {
        "repetition_penalty": 1.2, "no_repeat_ngram_size": 1, "min_new_tokens": 9, "temperature": 1.3, "top_k": 30, "top_p": 0.95,
    },
}


def processors(prompt, end, given):
    """In the order of `GenerationMixin._get_logits_processor`."""
    kinds = {
        "repetition_penalty": steps.RepetitionPenaltyLogitsProcessor,
        "no_repeat_ngram_size": steps.NoRepeatNGramLogitsProcessor,
        "min_new_tokens": lambda least: steps.MinNewTokensLengthLogitsProcessor(prompt, least, end),
        "temperature": steps.TemperatureLogitsWarper,
        "top_k": steps.TopKLogitsWarper,
        "top_p": steps.TopPLogitsWarper,
    }
    return steps.LogitsProcessorList(kind(given[name]) for name, kind in kinds.items() if name in given)


def main():
    generator = torch.Generator().manual_seed(17)
    logits = torch.randn(2, VOCAB, generator=generator) * 2.5
    # Likely tokens that were said before, one of them before the very token that is the last.
    best = logits[0].topk(4).indices.tolist()
    prompt = [98, best[0], 5, best[1]]
    new = [best[2], 5, 60, 5]
    end = best[3]
    # Equals at the edge of the best.
    logits[1, [3, 4]] = logits[1].topk(7).values[-1]
    expected = {
        "logits": logits,
        "prompt": torch.tensor(prompt),
        "new": torch.tensor(new),
        "end": torch.tensor([end]),
    }
    ids = torch.tensor([prompt + new] * 2)
    for name, given in SETTINGS.items():
        scores = processors(len(prompt), end, given)(ids, logits.clone())
        expected[name] = scores.softmax(-1)
        if given:
            assert not torch.allclose(expected[name], expected["plain"], atol=1e-4), name
    save_file(expected, HERE / "expected.safetensors")


if __name__ == "__main__":
    main()
