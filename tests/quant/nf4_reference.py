#!/usr/bin/env python3
"""Writes nf4_reference.json: numbers, and what NF4 (Dettmers et al. 2023) makes of them in blocks of 64, in float64.

The levels are derived here, as the paper does: quantiles of the normal distribution, 8 above and 7 below zero, and zero itself.
"""
import json
import pathlib
import statistics

OFFSET = 0.9677083  # the outermost probability
normal = statistics.NormalDist()


def spaced(count):
    """Probabilities from OFFSET down to a half, which is left out."""
    return [OFFSET + (0.5 - OFFSET) * i / (count - 1) for i in range(count - 1)]


levels = sorted([normal.inv_cdf(p) for p in spaced(9)] + [0.0] + [-normal.inv_cdf(p) for p in spaced(8)])
levels = [level / levels[-1] for level in levels]

state = 1
numbers = []
for i in range(256):
    state = state * 6364136223846793005 % 2**64 + 1442695040888963407
    numbers.append(((state % 2**64) >> 44) / 2**19 - 1)
numbers[70] = 4.0
unpacked = []
for at in range(0, 256, 64):
    block = numbers[at:at + 64]
    largest = max(map(abs, block))
    unpacked += [largest * min(levels, key=lambda level: abs(level - x / largest)) for x in block]
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps({"levels": levels, "numbers": numbers, "unpacked": unpacked}) + "\n")
