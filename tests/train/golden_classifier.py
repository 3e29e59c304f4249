#!/usr/bin/env python3
"""Writes golden_classifier.json: scores, loss and gradients of task heads on tiny models, computed with PyTorch in float64: a decoder
with weighted classes and with a regression, and the three forms of encoders. Also an SFT step: padded, packed and multi-turn
conversations, as one batch.

Weights follow the formula of tests/models/golden.py. Run by hand where python3-torch is installed:
python3 golden_classifier.py > golden_classifier.json
"""
import json
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "models"))
from golden import IDS, F, Weights, llama, llama_weights, torch

STARTS = [0, 4, 7, 11]
LABELS = [2, 0, 2]
CLASS_WEIGHTS = [0.5, 1.0, 2.0]
VALUES = [0.25, -1.0, 3.0]
LLAMA = {"family": "llama", "vocab": 13, "width": 16, "layers": 2, "heads": 4, "kv_heads": 2, "hidden": 24, "context": 12,
         "tied": True, "bias": False}
BERT = {"family": "bert", "vocab": 13, "width": 16, "layers": 2, "heads": 4, "kv_heads": 4, "hidden": 24, "context": 12, "tied": True,
        "bias": True, "token_types": 2, "pad_id": 0, "activation": "gelu"}


def sequences():
    return [IDS[a:b] for a, b in zip(STARTS, STARTS[1:])]


def decoder_rows(w):
    full = dict(w)
    full["lm_head.weight"] = torch.eye(LLAMA["width"])
    return torch.stack([llama(LLAMA, torch.tensor(ids), full)[-1] for ids in sequences()])


NAMES = {
    "bert": dict(prefix="bert.", layer="encoder.layer", q="attention.self.query", k="attention.self.key", v="attention.self.value",
                 o="attention.output.dense", norm1="attention.output.LayerNorm", up="intermediate.dense", down="output.dense",
                 norm2="output.LayerNorm", dense="bert.pooler.dense", out="classifier"),
    "distilbert": dict(prefix="distilbert.", layer="transformer.layer", q="attention.q_lin", k="attention.k_lin",
                       v="attention.v_lin", o="attention.out_lin", norm1="sa_layer_norm", up="ffn.lin1", down="ffn.lin2",
                       norm2="output_layer_norm", dense="pre_classifier", out="classifier"),
}
NAMES["roberta"] = NAMES["bert"] | dict(prefix="roberta.", dense="classifier.dense", out="classifier.out_proj")


def encoder(c, labels):
    """Weights and the rows of each sequence's first token."""
    w, n, D, H = Weights(), NAMES[c["family"]], c["width"], c["heads"]
    p = n["prefix"]
    first = c["pad_id"] + 1 if c["family"] == "roberta" else 0
    w.make(p + "embeddings.word_embeddings.weight", c["vocab"], D)
    w.make(p + "embeddings.position_embeddings.weight", c["context"] + first, D)
    if c["token_types"]:
        w.make(p + "embeddings.token_type_embeddings.weight", c["token_types"], D)

    def layer(name, a, b):
        w.make(name + ".weight", b, a), w.make(name + ".bias", b)

    def norm(name):
        w.make(name + ".weight", D), w.make(name + ".bias", D)

    norm(p + "embeddings.LayerNorm")
    for i in range(c["layers"]):
        q = f"{p}{n['layer']}.{i}."
        for part in ("q", "k", "v", "o"):
            layer(q + n[part], D, D)
        layer(q + n["up"], D, c["hidden"]), layer(q + n["down"], c["hidden"], D)
        norm(q + n["norm1"]), norm(q + n["norm2"])
    layer(n["dense"], D, D), layer(n["out"], D, labels)
    lin = lambda x, name: x @ w[name + ".weight"].T + w[name + ".bias"]
    ln = lambda x, name: F.layer_norm(x, (D,), w[name + ".weight"], w[name + ".bias"], 1e-12)
    rows = []
    for ids in sequences():
        T = len(ids)
        x = w[p + "embeddings.word_embeddings.weight"][torch.tensor(ids)]
        x = x + w[p + "embeddings.position_embeddings.weight"][first:first + T]
        if c["token_types"]:
            x = x + w[p + "embeddings.token_type_embeddings.weight"][0]
        x = ln(x, p + "embeddings.LayerNorm")
        for i in range(c["layers"]):
            q = f"{p}{n['layer']}.{i}."
            heads = lambda t: t.reshape(T, H, D // H).transpose(0, 1)
            a, b, v = (heads(lin(x, q + n[part])) for part in ("q", "k", "v"))
            y = (a @ b.transpose(-1, -2) / math.sqrt(D // H)).softmax(-1) @ v
            x = ln(x + lin(y.transpose(0, 1).reshape(T, D), q + n["o"]), q + n["norm1"])
            x = ln(x + lin(F.gelu(lin(x, q + n["up"])), q + n["down"]), q + n["norm2"])
        rows.append(x[0])
    dense = lin(torch.stack(rows), n["dense"])
    dense = F.relu(dense) if c["family"] == "distilbert" else torch.tanh(dense)
    return w, lin(dense, n["out"])


def result(config, w, scores, loss, more):
    loss.backward()
    return {"config": config, "scores": scores.flatten().tolist(), "loss": loss.item(),
            "gradient_norms": {name: (t.grad.norm().item() if t.grad is not None else 0.0) for name, t in w.items()},
            "gradients": {name: (t.grad.flatten()[:3].tolist() if t.grad is not None else [0.0] * 3) for name, t in w.items()}} | more


def decoder_case(labels, loss_of, more):
    w = llama_weights(LLAMA)
    w.pop("lm_head.weight")
    w.make("score.weight", labels, LLAMA["width"])
    scores = decoder_rows(w) @ w["score.weight"].T
    return result(LLAMA, w, scores, loss_of(scores), more)


weighted = lambda s: F.cross_entropy(s, torch.tensor(LABELS), weight=torch.tensor(CLASS_WEIGHTS))
cases = [decoder_case(3, weighted, {"labels": LABELS, "class_weights": CLASS_WEIGHTS}),
         decoder_case(1, lambda s: F.mse_loss(s[:, 0], torch.tensor(VALUES)), {"values": VALUES})]
for family, changes in (("bert", {}), ("roberta", {"token_types": 1, "pad_id": 1}), ("distilbert", {"token_types": 0})):
    config = BERT | {"family": family} | changes
    weights, scores = encoder(config, 3)
    cases.append(result(config, weights, scores, F.cross_entropy(scores, torch.tensor(LABELS)), {"labels": LABELS}))
print(json.dumps({"ids": IDS, "starts": STARTS, "cases": cases}, indent=0))
