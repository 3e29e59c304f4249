#!/usr/bin/env python3
"""Writes golden_lora.json: loss of a packed batch of two conversations, and the gradients of an adapter's A and B, computed with
PyTorch's operations in float64, the weights being W + scale B A.

Numbers follow the formula of tests/models/golden.py, from which the model comes, too.
Run by hand where python3-torch is installed: python3 golden_lora.py > golden_lora.json
"""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "models"))
from golden import F, llama, llama_weights, torch, value

CONFIG = {"family": "llama", "vocab": 13, "width": 16, "layers": 2, "heads": 4, "kv_heads": 2, "hidden": 24, "context": 12,
          "tied": False, "bias": False}
RANK, ALPHA = 3, 2.0
IDS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]
STARTS = [0, 7, 11]
TARGETS = [1, 4, 1, 5, 9, 2, 0, 5, 3, 5, 8]
WEIGHTS = [0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]  # the assistant's words
MATRICES = [f"model.layers.{i}.{m}" for i in range(2) for m in
            ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
             "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")]

weights = {name: t.detach() for name, t in llama_weights(CONFIG).items()}
adapter = {}
for matrix in MATRICES:
    rows, inputs = weights[matrix + ".weight"].shape
    a = adapter[matrix + ".lora_A"] = value(matrix + ".lora_A", (RANK, inputs)).requires_grad_()
    b = adapter[matrix + ".lora_B"] = value(matrix + ".lora_B", (rows, RANK)).requires_grad_()
    weights[matrix + ".weight"] = weights[matrix + ".weight"] + ALPHA / RANK * b @ a
logits = torch.cat([llama(CONFIG, torch.tensor(IDS[x:y]), weights) for x, y in zip(STARTS, STARTS[1:])])
losses = F.cross_entropy(logits, torch.tensor(TARGETS), reduction="none")
loss = (losses * torch.tensor(WEIGHTS)).sum() / sum(WEIGHTS)
loss.backward()
print(json.dumps({"config": CONFIG, "rank": RANK, "alpha": ALPHA, "ids": IDS, "starts": STARTS, "targets": TARGETS,
                  "weights": WEIGHTS, "loss": loss.item(), "log_probabilities": (-losses).tolist(),
                  "gradients": {name: t.grad.flatten().tolist() for name, t in adapter.items()}}, indent=0))
