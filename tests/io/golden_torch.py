#!/usr/bin/env python3
"""Writes tests/io/torch/*.bin with torch.save(): small state_dicts whose numbers torch_file_test.cc knows. Needs PyTorch."""
import collections
import pathlib

import torch

FOLDER = pathlib.Path(__file__).resolve().parent / "torch"


def ramp(*shape):
    count = 1
    for extent in shape:
        count *= extent
    return (torch.arange(count, dtype=torch.float64) - 3) / 4


def state_dict():
    shared = ramp(12).float()
    tensors = collections.OrderedDict()
    tensors["wide"] = ramp(2, 3).float().reshape(2, 3)
    tensors["half"] = ramp(4).half()
    tensors["brain"] = ramp(2, 2).bfloat16().reshape(2, 2)
    tensors["double"] = ramp(5).double()
    tensors["whole"] = torch.tensor([2**40, -1])
    tensors["flags"] = torch.tensor([True, False, True])
    tensors["number"] = torch.tensor(7.5)
    tensors["empty"] = torch.zeros(0, 4)
    tensors["all"] = shared
    tensors["part"] = shared[4:10].reshape(2, 3)  # of the same storage
    tensors._metadata = {"": {"version": 1}}  # as modules have it
    return tensors


FOLDER.mkdir(exist_ok=True)
torch.save(state_dict(), FOLDER / "protocol2.bin")
torch.save(dict(state_dict()), FOLDER / "protocol4.bin", pickle_protocol=4)
torch.save({"turned": ramp(6).float().reshape(2, 3).t()}, FOLDER / "turned.bin")
torch.save({"epoch": 3, "weight": ramp(2)}, FOLDER / "with_a_number.bin")
torch.save(torch.nn.Linear(2, 2), FOLDER / "module.bin")
torch.save({"weight": torch.nn.Parameter(ramp(2))}, FOLDER / "parameter.bin")
torch.save(state_dict(), FOLDER / "old.bin", _use_new_zipfile_serialization=False)
