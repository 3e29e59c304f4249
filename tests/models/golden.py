#!/usr/bin/env python3
"""Writes golden.json: logits, loss and gradients of tiny models, computed with PyTorch's operations in float64.

Weights follow a formula that the C++ test repeats (see value()), so that the fixture holds results only.
Run by hand where python3-torch is installed: python3 golden.py > golden.json
"""
import json
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
IDS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]
STARTS = [0, 7, 11]  # two sequences
TARGETS = [1, 4, 1, 5, 9, 2, -1, 5, 3, 5, 8]


def value(name, shape):
    """The i-th number of a weight: its name's bytes give the phase."""
    phase = sum(name.encode()) % 97
    n = math.prod(shape)
    numbers = [0.3 * math.sin(0.7 * (i + 1) + phase) for i in range(n)]
    numbers = [1 + x if "norm" in name or "ln_" in name and name.endswith(".weight") else x for x in numbers]
    return torch.tensor(numbers).reshape(shape)


class Weights(dict):
    def make(self, name, *shape):
        self[name] = value(name, shape).requires_grad_()
        return self[name]


def causal(q, k, v):
    T = q.shape[-2]
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(torch.ones(T, T).triu(1).bool(), -math.inf)
    return scores.softmax(-1) @ v


def gpt2(c, ids, w):
    x = w["transformer.wte.weight"][ids] + w["transformer.wpe.weight"][: len(ids)]
    H, D = c["heads"], c["width"]
    norm = lambda x, n: F.layer_norm(x, (D,), w[n + ".weight"], w[n + ".bias"], 1e-5)
    conv = lambda x, n: x @ w[n + ".weight"] + w[n + ".bias"]
    for i in range(c["layers"]):
        p = f"transformer.h.{i}."
        q, k, v = conv(norm(x, p + "ln_1"), p + "attn.c_attn").split(D, -1)
        heads = lambda t: t.reshape(len(ids), H, D // H).transpose(0, 1)
        y = causal(heads(q), heads(k), heads(v)).transpose(0, 1).reshape(len(ids), D)
        x = x + conv(y, p + "attn.c_proj")
        m = conv(norm(x, p + "ln_2"), p + "mlp.c_fc")
        m = 0.5 * m * (1 + torch.tanh(math.sqrt(2 / math.pi) * (m + 0.044715 * m**3)))
        x = x + conv(m, p + "mlp.c_proj")
    return norm(x, "transformer.ln_f") @ w["transformer.wte.weight"].T


def gpt2_weights(c):
    w, D, V = Weights(), c["width"], c["vocab"]
    w.make("transformer.wte.weight", V, D)
    w.make("transformer.wpe.weight", c["context"], D)
    for i in range(c["layers"]):
        p = f"transformer.h.{i}."
        for n in ("ln_1", "ln_2"):
            w.make(p + n + ".weight", D), w.make(p + n + ".bias", D)
        for n, a, b in (("attn.c_attn", D, 3 * D), ("attn.c_proj", D, D), ("mlp.c_fc", D, 4 * D), ("mlp.c_proj", 4 * D, D)):
            w.make(p + n + ".weight", a, b), w.make(p + n + ".bias", b)
    w.make("transformer.ln_f.weight", D), w.make("transformer.ln_f.bias", D)
    return w


def rotate(x, theta):
    T, half = x.shape[-2], x.shape[-1] // 2
    frequency = theta ** (-torch.arange(half) / half)
    angle = torch.arange(T)[:, None] * frequency[None]
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)


def llama(c, ids, w):
    T, H, KV, D = len(ids), c["heads"], c["kv_heads"], c["width"]
    d = D // H
    x = w["model.embed_tokens.weight"][ids]
    norm = lambda x, n: x * (x.pow(2).mean(-1, keepdim=True) + 1e-5).rsqrt() * w[n + ".weight"]
    lin = lambda x, n: x @ w[n + ".weight"].T
    for i in range(c["layers"]):
        p = f"model.layers.{i}."
        h = norm(x, p + "input_layernorm")
        heads = lambda t, n: t.reshape(T, n, d).transpose(0, 1)
        q = rotate(heads(lin(h, p + "self_attn.q_proj"), H), 10000.0)
        k = rotate(heads(lin(h, p + "self_attn.k_proj"), KV), 10000.0).repeat_interleave(H // KV, 0)
        v = heads(lin(h, p + "self_attn.v_proj"), KV).repeat_interleave(H // KV, 0)
        x = x + lin(causal(q, k, v).transpose(0, 1).reshape(T, D), p + "self_attn.o_proj")
        h = norm(x, p + "post_attention_layernorm")
        x = x + lin(F.silu(lin(h, p + "mlp.gate_proj")) * lin(h, p + "mlp.up_proj"), p + "mlp.down_proj")
    return lin(norm(x, "model.norm"), "lm_head")


def llama_weights(c):
    w, D, V, F_ = Weights(), c["width"], c["vocab"], c["hidden"]
    kv = D // c["heads"] * c["kv_heads"]
    w.make("model.embed_tokens.weight", V, D)
    for i in range(c["layers"]):
        p = f"model.layers.{i}."
        w.make(p + "input_layernorm.weight", D), w.make(p + "post_attention_layernorm.weight", D)
        for n, a, b in (("self_attn.q_proj", D, D), ("self_attn.k_proj", kv, D), ("self_attn.v_proj", kv, D),
                        ("self_attn.o_proj", D, D), ("mlp.gate_proj", F_, D), ("mlp.up_proj", F_, D), ("mlp.down_proj", D, F_)):
            w.make(p + n + ".weight", a, b)
    w.make("model.norm.weight", D)
    w.make("lm_head.weight", V, D)
    return w


def run(c, forward, w):
    logits = torch.cat([forward(c, torch.tensor(IDS[a:b]), w) for a, b in zip(STARTS, STARTS[1:])])
    loss = F.cross_entropy(logits, torch.tensor(TARGETS), ignore_index=-1, reduction="sum") / 10
    loss.backward()
    norms = {name: t.grad.norm().item() for name, t in w.items()}
    first = {name: t.grad.flatten()[:3].tolist() for name, t in w.items()}
    return {"config": c, "logits": [round(x, 9) for x in logits.flatten().tolist()], "loss": loss.item(),
            "gradient_norms": norms, "gradients": first}


def main():
    gpt2_config = {"family": "gpt2", "vocab": 13, "width": 16, "layers": 2, "heads": 2, "kv_heads": 2, "hidden": 64, "context": 12,
                   "tied": True, "bias": True}
    llama_config = {"family": "llama", "vocab": 13, "width": 16, "layers": 2, "heads": 4, "kv_heads": 2, "hidden": 24,
                    "context": 12, "tied": False, "bias": False}
    print(json.dumps({"ids": IDS, "starts": STARTS, "targets": TARGETS,
                      "models": [run(gpt2_config, gpt2, gpt2_weights(gpt2_config)),
                                 run(llama_config, llama, llama_weights(llama_config))]}, indent=0))


if __name__ == "__main__":
    main()
