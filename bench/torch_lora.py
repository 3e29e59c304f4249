#!/usr/bin/env python3
"""The peer in our LoRA benchmark: every linear layer of a Llama gets A and B beside its frozen weight (Hu et al. 2021).

Prints one JSON line: tokens per second (median of the steps), milliseconds a step, loss, peak memory.
"""
import argparse
import json

import torch
import torch.nn as nn
import torch.nn.functional as F

import torch_llama


class Adapted(nn.Module):
    def __init__(self, base, rank):
        super().__init__()
        self.base, self.scale = base, 2.0
        self.a = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x):
        inner = F.linear(F.linear(x.to(self.a.dtype), self.a), self.b)
        return self.base(x) + self.scale * inner.to(x.dtype)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rank", type=int, default=16)
    a = torch_llama.arguments(parser)
    model = torch_llama.make(a)
    for p in model.parameters():
        p.requires_grad_(False)
    for block in model.blocks:
        for name in ("q", "k", "v", "o", "gate", "up", "down"):
            setattr(block, name, Adapted(getattr(block, name), a.rank))
    vocab = model.c["vocab"]

    def step():
        ids = torch.randint(vocab, (a.rows, a.context + 1))
        logits = model(ids[:, :-1])
        return F.cross_entropy(logits.view(-1, vocab).float(), ids[:, 1:].reshape(-1))

    trained = [p for p in model.parameters() if p.requires_grad]
    print(json.dumps(torch_llama.measure(step, trained, a, a.rows * a.context)))


main()
