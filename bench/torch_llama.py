"""A Llama from torch's own modules, for the peers in our tuning benchmarks: the usual shape, nothing fused by hand."""
import math
import resource
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

SHAPES = {
    "125m": dict(vocab=32000, width=768, hidden=2048, layers=12, heads=12),
    "tiny": dict(vocab=512, width=64, hidden=176, layers=2, heads=4),
}


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        wide = x.float()
        return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-5)).to(x.dtype) * self.weight


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        D, self.heads = c["width"], c["heads"]
        self.norm1, self.norm2 = Norm(D), Norm(D)
        self.q, self.k, self.v, self.o = (nn.Linear(D, D, False) for _ in range(4))
        self.gate, self.up, self.down = nn.Linear(D, c["hidden"], False), nn.Linear(D, c["hidden"], False), nn.Linear(c["hidden"], D, False)

    def forward(self, x, cos, sin, mask):
        B, T, D = x.shape
        y = self.norm1(x)
        q, k, v = (f(y).view(B, T, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        scores = rotate(q, cos, sin) @ rotate(k, cos, sin).transpose(-1, -2) / math.sqrt(D // self.heads)
        mixed = scores.masked_fill(mask, -math.inf).softmax(-1).to(v.dtype) @ v
        x = x + self.o(mixed.transpose(1, 2).reshape(B, T, D))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Llama(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.tokens = nn.Embedding(c["vocab"], c["width"])
        self.blocks = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.norm, self.head = Norm(c["width"]), nn.Linear(c["width"], c["vocab"], False)
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, 0, 0.02)

    def forward(self, ids):
        x = self.tokens(ids)
        T, half = ids.shape[1], self.c["width"] // self.c["heads"] // 2
        angles = torch.arange(T)[:, None] * 10000 ** (-torch.arange(half) / half)
        cos, sin = (f(torch.cat((angles, angles), -1)).to(x.dtype) for f in (torch.cos, torch.sin))
        mask = torch.ones(T, T).triu(1).bool()
        for block in self.blocks:
            x = block(x, cos, sin, mask)
        return self.head(self.norm(x))


def make(a):
    """The model of the arguments, in their precision: autocast computes in bf16 and keeps f32, bf16 keeps bf16, too."""
    torch.manual_seed(1337)
    torch.set_num_threads(a.threads)
    model = Llama(SHAPES[a.shape])
    return model.bfloat16() if a.dtype == "bf16" else model


def measure(step, parameters, a, tokens):
    """Seconds of optimiser steps; step() gives the loss."""
    optimizer = torch.optim.AdamW(parameters, lr=1e-4)
    times = []
    for _ in range(a.steps):
        begin = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.dtype == "autocast"):
            loss = step()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        times.append(time.perf_counter() - begin)
    seconds = statistics.median(times[min(2, len(times) - 1):])
    return {"tokens_per_second": tokens / seconds, "ms_per_step": 1000 * seconds, "loss": loss.item(),
            "memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def arguments(parser):
    parser.add_argument("--shape", choices=SHAPES, default="125m")
    parser.add_argument("--dtype", choices=["f32", "autocast", "bf16"], default="f32")
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()
