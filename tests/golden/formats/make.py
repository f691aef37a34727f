"""Makes the files of weights beside this file, one for each format, and the numbers that are in them.

Run it with the packages of ../requirements.txt installed: python tests/golden/formats/make.py

`expected.safetensors` has the numbers of `plain.bin`, `zip64.bin` and `protocol-5.bin` as f32, and `blocks.safetensors`
those of `blocks.gguf`, as the reference packages read them. `clip.bin` is one of the models in ../models. Nothing in
`call.bin` is to be believed, or run.
"""

import argparse
import collections
import datetime
import os
import pathlib
import zipfile

import gguf
import numpy
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file, save_file

HERE = pathlib.Path(__file__).parent


def tensors():
    """Every kind of view that a state dictionary may hold."""
    generator = torch.Generator().manual_seed(3)
    random = lambda *shape: torch.randn(shape, generator=generator)
    table = random(12, 10)
    both = random(40)
    return collections.OrderedDict(
        {
            "plain.weight": random(6, 5),
            "scalar": torch.tensor(2.6592),
            "half": random(7).half(),
            "brain": random(3, 3).bfloat16(),
            "empty": torch.zeros(0, 4),
            # One storage, side by side, with a part that no tensor uses.
            "first.bias": both[2:12],
            "second.bias": both[20:35],
            # One storage, in other orders and overlapping.
            "table.weight": table,
            "tied.weight": table,
            "turned.weight": table.t(),
            "part.weight": table[3:9:2, 1:7:3],
            "repeated": torch.tensor([1.5]).expand(4),
            "cube": random(2, 3, 4).permute(2, 0, 1),
            "x.position_ids": torch.arange(9)[None],
        }
    )


def plain():
    state = tensors()
    # A module's state dictionary has the versions of its layers as an attribute.
    state._metadata = collections.OrderedDict({"": {"version": 1}, "plain": {"version": 2}})
    torch.save(state, HERE / "plain.bin")
    torch.save(state, HERE / "protocol-5.bin", pickle_protocol=5)
    expected = {name: value.float().clone().contiguous() for name, value in state.items()}
    del expected["x.position_ids"]
    save_file(expected, HERE / "expected.safetensors")


def zip64():
    """The same entries as a general writer stores them: sizes before the entry, in eight bytes each."""
    with zipfile.ZipFile(HERE / "plain.bin") as source, zipfile.ZipFile(HERE / "zip64.bin", "w") as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name)
            with target.open(entry, "w", force_zip64=True) as file:
                file.write(source.read(name))


def clip():
    torch.save(load_file(HERE / "../models/clip-gelu-eos-7/model.safetensors"), HERE / "clip.bin")


class Call:
    def __reduce__(self):
        return os.system, ("true",)


def nested():
    """What a trainer saves: the model's tensors one level down, and others beside them."""
    state = {"module." + name: tensor for name, tensor in tensors().items()}
    optimiser = {"state": {0: {"step": 7, "exp_avg": torch.full((5, 3), 2.0)}}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.95)}]}
    torch.save({"epoch": 3, "note": None, "optimizer": optimiser, "state_dict": state, "best": 0.5, "steps": torch.arange(9).float()},
               HERE / "nested.bin")


class Settings:
    def __init__(self):
        self.rate = 0.1


def trainer():
    """The same with what no tensor needs beside it, of names that are not known here."""
    state = collections.defaultdict(None, {"_orig_mod." + name: tensor for name, tensor in tensors().items()})
    beside = {"args": argparse.Namespace(lr=1.0, path=pathlib.PurePosixPath("/a")), "best": numpy.float64(3.5),
              "noise": b"\x00\x01" * 300, "seen": {1, 2}, "frozen": frozenset([3]), "text": "a: 1\n" * 2000, "large": 1 << 3000,
              "recent": collections.deque([1, 2], 5), "counts": collections.Counter("aab"), "settings": Settings(),
              "array": numpy.arange(4.0), "kind": torch.float16, "size": torch.Size([2, 3]), "device": torch.device("cpu"),
              "parameter": torch.nn.Parameter(torch.ones(2)), "when": datetime.date(2024, 5, 1)}
    torch.save({**beside, "model": state}, HERE / "trainer.bin", pickle_protocol=4)


def call():
    torch.save({"a.weight": torch.zeros(2), "b.weight": Call()}, HERE / "call.bin")


def blocks():
    """A row of every block format, of random bytes where there is no writer."""
    generator = numpy.random.default_rng(5)
    writer = gguf.GGUFWriter(HERE / "blocks.gguf", "ocelli")
    writer.add_array("words", ["one", "two", "three"])
    writer.add_array("numbers", [1, 2, 3])
    writer.add_string("note", "passed over")
    writer.add_bool("truth", True)
    types = gguf.GGMLQuantizationType
    expected = {}
    for kind in [types.F32, types.F16, types.BF16, types.Q8_0, types.Q4_0, types.Q4_K, types.Q6_K]:
        name, shape = f"{kind.name.lower()}.values", (3, 512)
        block, size = gguf.GGML_QUANT_SIZES[kind]
        if kind in (types.Q4_K, types.Q6_K):
            data = generator.integers(0, 256, (3, 512 // block, size), dtype=numpy.uint8)
            # Scales of the block, in binary16: of a size that weights have.
            places = [(0, 2), (2, 4)] if kind == types.Q4_K else [(208, 210)]
            for begin, end in places:
                scale = generator.uniform(0.001, 0.01, (3, 512 // block, 1)).astype(numpy.float16)
                data[:, :, begin:end] = scale.view(numpy.uint8)
            data = data.reshape(3, -1)
        else:
            data = gguf.quantize(generator.standard_normal(shape).astype(numpy.float32), kind)
        expected[name] = gguf.dequantize(data, kind).astype(numpy.float32).reshape(shape)
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.add_tensor("odd", numpy.float32([1, 2, 3]))
    expected["odd"] = numpy.float32([1, 2, 3])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_arrays(expected, HERE / "blocks.safetensors")


torch.manual_seed(0)
plain()
zip64()
clip()
nested()
trainer()
call()
blocks()
