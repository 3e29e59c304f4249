#!/usr/bin/env python3
"""Writes golden_adapters.json: the loss of a packed batch of two conversations and the gradients of what each adapter method
trains, computed with PyTorch's operations in float64. The methods are written here as their papers and PEFT's documentation have
them, without PEFT: DoRA with the norm as a constant to the gradient, IA3's factors, prompts, prefixes behind the rotation,
bottlenecks behind the output matrices, norms.

Numbers follow the formula of tests/models/golden.py, from which the base model comes, too.
Run by hand where python3-torch is installed: python3 golden_adapters.py > golden_adapters.json
"""
import json
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "models"))
from golden import F, llama_weights, torch, value

CONFIG = {"vocab": 13, "width": 16, "layers": 2, "heads": 4, "kv_heads": 2, "hidden": 24}
RANK, SCALE, V, INNER = 3, 2.0 / 3, 3, 5
IDS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]
STARTS = [0, 7, 11]
TARGETS = [1, 4, 1, 5, 9, 2, 0, 5, 3, 5, 8]
WEIGHTS = [0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]
BASE = {name: t.detach() for name, t in llama_weights(CONFIG).items()}


class Trained(dict):
    def make(self, name, *shape):
        self[name] = value(name, shape).requires_grad_()
        return self[name]


def rotate(x, first):
    T, half = x.shape[-2], x.shape[-1] // 2
    angle = torch.arange(first, first + T)[:, None] * (10000.0 ** (-torch.arange(half) / half))[None]
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)


def attend(q, k, v):  # queries are the last positions of the keys
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    T, S = scores.shape[-2:]
    return scores.masked_fill(torch.ones(T, S).triu(1 + S - T).bool(), -math.inf).softmax(-1) @ v


def model(ids, method, t):
    c = CONFIG
    H, KV, D = c["heads"], c["kv_heads"], c["width"]
    d = D // H
    x = BASE["model.embed_tokens.weight"][ids]
    if method == "prompt":
        x = torch.cat([t["prompt_embeddings"], x])
    T, first = len(x), V if method == "prefix" else 0

    def norm(x, n):
        w = t.get(n + ".ln_tuning_layers.weight", BASE[n + ".weight"])
        return x * (x.pow(2).mean(-1, keepdim=True) + 1e-5).rsqrt() * w

    def lin(x, n):
        w = BASE[n + ".weight"]
        if method == "ia3" and n.endswith("down_proj"):
            x = x * t[n + ".ia3_l"].flatten()
        if method == "dora":
            whole = w + SCALE * t[n + ".lora_B"] @ t[n + ".lora_A"]
            w = (t[n + ".lora_magnitude_vector"] / whole.norm(dim=1).detach())[:, None] * whole
        y = x @ w.T
        if method == "ia3" and n.endswith(("k_proj", "v_proj")):
            y = y * t[n + ".ia3_l"].flatten()
        if method == "bottleneck" and n.endswith(("o_proj", "down_proj")):
            inner = F.relu(y @ t[n + ".adapter_down.weight"].T + t[n + ".adapter_down.bias"])
            y = y + 0.5 * (inner @ t[n + ".adapter_up.weight"].T + t[n + ".adapter_up.bias"])
        return y

    for i in range(c["layers"]):
        p = f"model.layers.{i}."
        h = norm(x, p + "input_layernorm")
        heads = lambda t, n: t.reshape(-1, n, d).transpose(0, 1)
        q = rotate(heads(lin(h, p + "self_attn.q_proj"), H), first)
        k = rotate(heads(lin(h, p + "self_attn.k_proj"), KV), first)
        v = heads(lin(h, p + "self_attn.v_proj"), KV)
        if method == "prefix":
            keys, values = t["prompt_embeddings"].view(V, c["layers"], 2, KV * d)[:, i].unbind(1)
            k, v = torch.cat([heads(keys, KV), k], 1), torch.cat([heads(values, KV), v], 1)
        k, v = k.repeat_interleave(H // KV, 0), v.repeat_interleave(H // KV, 0)
        x = x + lin(attend(q, k, v).transpose(0, 1).reshape(T, D), p + "self_attn.o_proj")
        h = norm(x, p + "post_attention_layernorm")
        x = x + lin(F.silu(lin(h, p + "mlp.gate_proj")) * lin(h, p + "mlp.up_proj"), p + "mlp.down_proj")
    return (norm(x, "model.norm") @ BASE["lm_head.weight"].T)[-len(ids):]


def trained(method):
    t, D = Trained(), CONFIG["width"]
    for name, w in BASE.items():
        n = name[: -len(".weight")]
        if "norm" in n and method == "norms":
            t.make(n + ".ln_tuning_layers.weight", D)
        if not n.endswith("_proj"):
            continue
        rows, inputs = w.shape
        if method == "dora":
            t.make(n + ".lora_A", RANK, inputs), t.make(n + ".lora_B", rows, RANK)
            t.make(n + ".lora_magnitude_vector", rows)
        if method == "ia3" and n.endswith(("k_proj", "v_proj")):
            t.make(n + ".ia3_l", rows, 1)
        if method == "ia3" and n.endswith("down_proj"):
            t.make(n + ".ia3_l", 1, inputs)
        if method == "bottleneck" and n.endswith(("o_proj", "down_proj")):
            t.make(n + ".adapter_down.weight", INNER, rows), t.make(n + ".adapter_down.bias", INNER)
            t.make(n + ".adapter_up.weight", rows, INNER), t.make(n + ".adapter_up.bias", rows)
    if method == "prompt":
        t.make("prompt_embeddings", V, D)
    if method == "prefix":
        t.make("prompt_embeddings", V, CONFIG["layers"] * 2 * CONFIG["kv_heads"] * D // CONFIG["heads"])
    return t


def result(method):
    t = trained(method)
    logits = torch.cat([model(torch.tensor(IDS[a:b]), method, t) for a, b in zip(STARTS, STARTS[1:])])
    losses = F.cross_entropy(logits, torch.tensor(TARGETS), reduction="none")
    loss = (losses * torch.tensor(WEIGHTS)).sum() / sum(WEIGHTS)
    loss.backward()
    # norms of gradients, and their products with a wave: as good as all numbers, and short
    wave = lambda g: (g.flatten() * torch.sin(torch.arange(g.numel()) * 1.7 + 1)).sum().item()
    return {"loss": loss.item(), "norms": {n: x.grad.norm().item() for n, x in t.items()},
            "waves": {n: wave(x.grad) for n, x in t.items()}}


print(json.dumps({"ids": IDS, "starts": STARTS, "targets": TARGETS, "weights": WEIGHTS,
                  "methods": {m: result(m) for m in ("dora", "ia3", "prompt", "prefix", "bottleneck", "norms")}}, indent=0))
