#!/usr/bin/env python3
"""Writes golden_sft.json: loss and gradients of three conversations on a tiny model, each computed alone with PyTorch in float64, divided
by all learned tokens together: what a batch must give however the conversations are packed, padded and cut into pieces.

Weights follow the formula of golden.py in tests/models. Run by hand where python3-torch is installed:
python3 golden_sft.py > golden_sft.json
"""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "models"))
from golden import F, llama, llama_weights, torch

CONFIG = {"family": "llama", "vocab": 13, "width": 16, "layers": 2, "heads": 4, "kv_heads": 2, "hidden": 24, "context": 12,
          "tied": False, "bias": False}
CHATS = [{"ids": [3, 1, 4, 1, 5, 9, 2], "trained": [0, 0, 1, 1, 0, 1, 1]},  # two turns
         {"ids": [6, 5, 3, 5, 8], "trained": [0, 0, 0, 1, 1]},
         {"ids": [9, 7, 9], "trained": [0, 1, 1]}]

w = llama_weights(CONFIG)
total, learned = 0, 0
for chat in CHATS:
    logits = llama(CONFIG, torch.tensor(chat["ids"][:-1]), w)
    losses = F.cross_entropy(logits, torch.tensor(chat["ids"][1:]), reduction="none")
    mask = torch.tensor(chat["trained"][1:])
    total = total + (losses * mask).sum()
    learned += sum(chat["trained"][1:])
loss = total / learned
loss.backward()
print(json.dumps({"config": CONFIG, "chats": CHATS, "learned": learned, "loss": loss.item(),
                  "gradient_norms": {name: t.grad.norm().item() for name, t in w.items()},
                  "gradients": {name: t.grad.flatten()[:3].tolist() for name, t in w.items()}}, indent=0))
