"""Makes the golden models blip-itm-* and blip-vqa-* beside this file, and what the reference computes with them.

Run it with the packages of ../requirements.txt installed: python tests/golden/models/make_matching.py

The models are as those of make.py: small, seeded, in the published layout, each with quirks of configuration. What is
compared is `BlipForImageTextRetrieval`, `BlipForQuestionAnswering`, and `rank_answer` of the published code
(salesforce/BLIP, models/blip_vqa.py) over the latter's decoder.
"""

import itertools

import torch
from make import IMAGES, TYPES, expect, fresh, load, pixels, randomise, tower
from safetensors.torch import save_file
from transformers import BlipForImageTextRetrieval, BlipForQuestionAnswering

# Texts of many lengths, so that padding would show; 97 begins and 5 ends them.
TEXTS = [
    [97, 12, 40, 5],
    [97, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 5],
    [97, 5],
    [97, 12, 41, 5],
    [97, 33, 33, 8, 91, 17, 5],
    [97, 7, 99, 5],
]
QUESTIONS = [[97, 12, 40, 30, 5], [97, 60, 5], [97, 80, 81, 82, 83, 84, 85, 86, 87, 5]]
# Answers without their first and last token: some begin alike, one is another's beginning, one comes twice.
ANSWERS = [[30, 44], [30, 45], [30, 44, 9], [12, 7], [8, 8, 8, 8, 8, 8], [61, 62], [90, 20], [12, 7]]
# The same settings are in tests/vqa.rs. The first is what `generate` does if it is not told anything.
SEARCHES = {
    "default": {},
    "greedy": {"max_new_tokens": 12, "do_sample": False},
    "greedy_long": {"max_new_tokens": 12, "min_new_tokens": 7, "do_sample": False},
    "beams_2": {"max_new_tokens": 12, "num_beams": 2, "do_sample": False},
    "beams_3": {"max_new_tokens": 8, "num_beams": 3, "length_penalty": -1.0, "do_sample": False},
    "beams_4": {"max_new_tokens": 12, "num_beams": 4, "early_stopping": True, "do_sample": False},
}


def padded(rows, fill):
    """Rows filled up to the longest, and the mask of what they had."""
    longest = max(map(len, rows))
    ids = torch.tensor([row + [fill] * (longest - len(row)) for row in rows])
    return ids, torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])


def first_of(make, name, config, kind, seeds, **more):
    """The model of the first of `seeds` whose outputs are worth comparing."""
    for seed in seeds:
        if make(name, config, kind, seed, **more):
            return
    raise SystemExit(f"{name}: no seed gives varied outputs")


def apart(rows, least=0.05):
    """Whether any two of `rows` differ by more than `least`."""
    return all((a - b).abs().max() > least for a, b in itertools.combinations(rows, 2))


def retrieval(name, config, kind, seed):
    folder = fresh(name, config)
    model = BlipForImageTextRetrieval(BlipForImageTextRetrieval.config_class.from_pretrained(folder))
    randomise(model, seed)
    tensors = {key: value.detach().to(TYPES[kind]).clone() for key, value in model.state_dict().items()}
    positions = model.config.text_config.max_position_embeddings
    tensors["text_encoder.embeddings.position_ids"] = torch.arange(positions)[None]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    model = load(BlipForImageTextRetrieval, folder)

    images = pixels(model.config.vision_config.image_size)
    ids, mask = padded(TEXTS, 1)
    expected = {"ids": ids, "lengths": mask.sum(1)}
    with torch.no_grad():
        cosines = model(ids, images, use_itm_head=False, attention_mask=mask).itm_score
        logits = []
        for image in images:
            same = image[None].expand(len(TEXTS), -1, -1, -1)
            logits.append(model(ids, same, attention_mask=mask).itm_score)
        # Padding is nothing to the reference, or comparing with texts that are not padded would be wrong.
        for row, text in enumerate(TEXTS):
            alone = torch.tensor([text])
            assert (model(alone, images[:1]).itm_score - logits[0][row]).abs().max() < 1e-5
            assert (model(alone, images, use_itm_head=False).itm_score[:, 0] - cosines[:, row]).abs().max() < 1e-5
    expected["cosines"], expected["logits"] = cosines, torch.stack(logits)
    assert cosines.shape == (IMAGES, len(TEXTS)) and expected["logits"].shape == (IMAGES, len(TEXTS), 2)
    if cosines.max() - cosines.min() < 0.15 or not apart(expected["logits"]) or not apart(cosines, 0.01) or not apart(cosines.T, 0.01):
        return False
    expect(folder, expected)
    print(name, "seed", seed, "cosines", cosines.tolist(), "logits", logits[0].tolist(), sep="\n  ")
    return True


def answering(name, config, kind, seed, untie=False, bias=0.0):
    folder = fresh(name, config)
    model = BlipForQuestionAnswering(BlipForQuestionAnswering.config_class.from_pretrained(folder))
    randomise(model, seed)
    text = model.config.text_config
    tensors = {key: value.detach().to(TYPES[kind]).clone() for key, value in model.state_dict().items()}
    head, words = "text_decoder.cls.predictions", "text_decoder.bert.embeddings.word_embeddings.weight"
    tensors[f"{head}.bias"][text.sep_token_id] += bias
    if untie:
        generator = torch.Generator().manual_seed(seed + 1)
        tensors[f"{head}.decoder.weight"] = torch.randn(tensors[words].shape, generator=generator).to(TYPES[kind])
        tensors[f"{head}.decoder.bias"] = tensors[f"{head}.bias"] + 0.25
    else:
        del tensors[f"{head}.decoder.weight"], tensors[f"{head}.decoder.bias"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    model = load(BlipForQuestionAnswering, folder)
    decoder = model.text_decoder
    assert (decoder.cls.predictions.decoder.weight is decoder.get_input_embeddings().weight) != untie

    images = pixels(model.config.vision_config.image_size)
    rows = [[text.bos_token_id, *answer, text.sep_token_id] for answer in ANSWERS]
    expected = {"answers": padded(rows, text.pad_token_id)[0], "answer_lengths": torch.tensor([*map(len, rows)])}
    expected["questions"], mask = padded(QUESTIONS, 1)
    expected["question_lengths"] = mask.sum(1)
    found, logits = [], {}
    with torch.no_grad():
        for i, (q, question) in itertools.product(range(IMAGES), enumerate(QUESTIONS)):
            ids, image = torch.tensor([question]), images[i : i + 1]
            seen = model.vision_model(image).last_hidden_state
            states = model.text_encoder(ids, encoder_hidden_states=seen).last_hidden_state
            logits[i, q] = decoder(expected["answers"][2:3], encoder_hidden_states=states).logits[0]
            if i == 0:
                expected[f"states_{q}"], expected[f"logits_{q}"] = states[0], logits[i, q]
            expected[f"scores_{i}_{q}"] = rank_answer(model, states, rows)
            for key, settings in SEARCHES.items():
                answer = model.generate(ids, image, **settings)[0]
                assert answer[0] == text.bos_token_id
                expected[f"{key}_{i}_{q}"] = answer
                if key == "default":
                    found.append(answer.tolist())
    ended = sum(text.sep_token_id in answer for answer in found)
    if len({tuple(answer) for answer in found}) < 6 or not 1 < ended < len(found):
        return False
    # `generate` writes at most 20 new tokens if it is not told anything, and so does the task.
    assert max(map(len, found)) == 21
    best = {expected[f"scores_{i}_{q}"].argmax().item() for i in range(IMAGES) for q in range(len(QUESTIONS))}
    if len(best) < 3:
        return False
    if not apart(logits.values()):
        return False
    expect(folder, expected)
    print(name, "seed", seed, "best", best, *found, sep="\n  ")
    return True


def rank_answer(model, states, rows):
    """`log_probs_sum` of the published `rank_answer`, for all answers instead of those with the best first tokens."""
    decoder, pad = model.text_decoder, model.config.text_config.pad_token_id
    ids, mask = padded(rows, pad)
    targets = ids.masked_fill(ids == pad, -100)
    repeated = states.expand(len(rows), -1, -1)
    output = decoder(ids, attention_mask=mask, encoder_hidden_states=repeated, labels=targets, reduction="none")
    scores = -output.loss
    # The same in plain words.
    plain = []
    for row in rows:
        logits = decoder(torch.tensor([row[:-1]]), encoder_hidden_states=states).logits[0].log_softmax(-1)
        plain.append(sum(logits[t, token] for t, token in enumerate(row[1:])))
    assert (scores - torch.stack(plain)).abs().max() < 1e-4
    return scores


def main():
    torch.set_num_threads(1)
    ends = {"bos_token_id": 98, "sep_token_id": 5, "pad_token_id": 0, "eos_token_id": 2}
    vocabulary = {"vocab_size": 100, "max_position_embeddings": 24, **ends}
    first_of(
        retrieval,
        # Texts narrower than images, and embeddings of a width of their own.
        "blip-itm-gelu",
        {
            "model_type": "blip",
            "image_text_hidden_size": 20,
            "text_config": tower(24, 2, 40, 2, encoder_hidden_size=768, **vocabulary),
            "vision_config": tower(32, 4, 48, 2, image_size=32, patch_size=8),
        },
        "f16",
        range(600, 700),
    )
    first_of(
        retrieval,
        # Texts wider than images, other activations, and every default that may be left out.
        "blip-itm-defaults",
        {
            "model_type": "blip",
            "text_config": tower(32, 4, 40, 1, hidden_act="gelu_new", layer_norm_eps=1e-4, **vocabulary),
            "vision_config": tower(24, 3, 40, 1, image_size=32, patch_size=16, hidden_act="quick_gelu"),
        },
        "bf16",
        range(700, 800),
    )
    first_of(
        retrieval,
        # Layers above and below the one that ../inside/make_maps.py looks at.
        "blip-itm-deep",
        {
            "model_type": "blip",
            "image_text_hidden_size": 8,
            "text_config": tower(16, 4, 24, 5, hidden_act="gelu_new", layer_norm_eps=1e-4, **vocabulary),
            "vision_config": tower(24, 2, 40, 1, image_size=32, patch_size=8),
        },
        "f16",
        range(1000, 1100),
    )
    first_of(
        answering,
        "blip-vqa-tied",
        {
            "model_type": "blip",
            "text_config": tower(24, 2, 40, 2, **vocabulary),
            "vision_config": tower(24, 3, 40, 2, image_size=32, patch_size=8),
        },
        "f16",
        range(800, 900),
        bias=5.0,
    )
    first_of(
        answering,
        "blip-vqa-untied",
        {
            "model_type": "blip",
            "tie_word_embeddings": False,
            "text_config": tower(24, 8, 40, 1, hidden_act="gelu_pytorch_tanh", tie_word_embeddings=False, layer_norm_eps=1e-4, **vocabulary),
            "vision_config": tower(24, 2, 40, 1, image_size=32, patch_size=16, hidden_act="quick_gelu"),
        },
        "bf16",
        range(900, 1000),
        bias=4.0,
        untie=True,
    )


if __name__ == "__main__":
    main()
