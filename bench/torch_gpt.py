#!/usr/bin/env python3
"""The peer in our training benchmarks: a GPT of nanoGPT's shape from torch's own modules, trained as nanoGPT does.

Prints one JSON line: milliseconds a step (median), tokens per second, loss, peak memory; with --data also the validation loss.
"""
import argparse
import json
import math
import resource
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIGS = {
    "cpu": dict(vocab=65, width=128, layers=4, heads=4, context=64, batch=12, dropout=0.0, bias=False),
    "baby": dict(vocab=65, width=384, layers=6, heads=6, context=256, batch=64, dropout=0.2, bias=False),
    "gpt2": dict(vocab=50304, width=768, layers=12, heads=12, context=256, batch=4, dropout=0.0, bias=True),
}


class Norm(nn.Module):
    def __init__(self, width, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        D = c["width"]
        self.heads, self.rate = c["heads"], c["dropout"]
        self.norm1, self.norm2 = Norm(D, c["bias"]), Norm(D, c["bias"])
        self.qkv, self.out = nn.Linear(D, 3 * D, c["bias"]), nn.Linear(D, D, c["bias"])
        self.up, self.down = nn.Linear(D, 4 * D, c["bias"]), nn.Linear(4 * D, D, c["bias"])
        self.drop = nn.Dropout(self.rate)
        mask = torch.ones(c["context"], c["context"]).triu(1).bool()
        self.register_buffer("mask", mask)

    def attend(self, x):
        B, T, D = x.shape
        q, k, v = (t.view(B, T, self.heads, -1).transpose(1, 2) for t in self.qkv(x).split(D, -1))
        scores = (q @ k.transpose(-1, -2)) / math.sqrt(D // self.heads)
        scores = scores.masked_fill(self.mask[:T, :T], -math.inf)
        y = self.drop(scores.softmax(-1)) @ v
        return self.out(y.transpose(1, 2).reshape(B, T, D))

    def forward(self, x):
        x = x + self.drop(self.attend(self.norm1(x)))
        return x + self.drop(self.down(F.gelu(self.up(self.norm2(x)))))


class Gpt(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.tokens, self.places = nn.Embedding(c["vocab"], c["width"]), nn.Embedding(c["context"], c["width"])
        self.drop = nn.Dropout(c["dropout"])
        self.blocks = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.norm = Norm(c["width"], c["bias"])
        for name, p in self.named_parameters():
            if p.dim() == 2:
                last = name.endswith("out.weight") or name.endswith("down.weight")
                nn.init.normal_(p, 0, 0.02 / math.sqrt(2 * c["layers"]) if last else 0.02)

    def forward(self, ids, targets):
        x = self.drop(self.tokens(ids) + self.places(torch.arange(ids.shape[1])))
        for block in self.blocks:
            x = block(x)
        logits = self.norm(x) @ self.tokens.weight.T
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))


def load(path):
    text = open(path, encoding="utf-8").read()
    letters = {ch: i for i, ch in enumerate(sorted(set(text)))}
    ids = torch.tensor([letters[ch] for ch in text])
    return ids[: int(0.9 * len(ids))], ids[int(0.9 * len(ids)) :]


def batch_of(ids, c):
    at = torch.randint(len(ids) - c["context"], (c["batch"],))
    rows = torch.stack([ids[i : i + c["context"] + 1] for i in at])
    return rows[:, :-1], rows[:, 1:]


@torch.no_grad()
def validate(model, ids, c, batches):
    model.eval()
    loss = sum(model(*batch_of(ids, c)).item() for _ in range(batches)) / batches
    model.train()
    return loss


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("config", choices=CONFIGS)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", help="a text; its first 90%% train, the rest validates")
    parser.add_argument("--lr", type=float, default=1e-3)
    a = parser.parse_args()
    torch.manual_seed(1337)
    torch.set_num_threads(a.threads)
    c = CONFIGS[a.config]
    train, val = load(a.data) if a.data else (torch.randint(c["vocab"], (200000,)), None)
    model = Gpt(c)
    groups = [
        {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=a.lr, betas=(0.9, 0.99))
    times = []
    for step in range(a.steps):
        begin = time.perf_counter()
        warm = min(1.0, (step + 1) / 100)
        lr = a.lr * (0.1 + 0.45 * (1 + math.cos(math.pi * step / a.steps))) if warm >= 1 else a.lr * warm
        for group in optimizer.param_groups:
            group["lr"] = lr
        ids, targets = batch_of(train, c)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.dtype == "bf16"):
            loss = model(ids, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        times.append(time.perf_counter() - begin)
    steady = statistics.median(times[min(3, len(times) - 1) :])
    result = {
        "ms_per_step": 1000 * steady,
        "tokens_per_second": c["batch"] * c["context"] / steady,
        "seconds": sum(times),
        "loss": loss.item(),
        "memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    if val is not None:
        result["val_loss"] = validate(model, val, c, 100)
    print(json.dumps(result))


main()
