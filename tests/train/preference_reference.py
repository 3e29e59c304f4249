"""Writes preference_fixture.json: preference losses and their gradients, in double precision, by PyTorch's differentiation.

    python3 tests/train/preference_reference.py > tests/train/preference_fixture.json
"""
import json

import torch
from torch.nn.functional import logsigmoid, softplus

torch.set_default_dtype(torch.float64)
torch.manual_seed(5)


def difference(a, o):
    """The policy's lead over the reference, in sums or per token."""
    scale = [1 / n for n in a["tokens"]] if o.get("length_normalised") else [1, 1]
    return (a["policy"][0] - a["reference"][0]) * scale[0] - (a["policy"][1] - a["reference"][1]) * scale[1]


def sigmoid_loss(a, o):
    x = o["beta"] * difference(a, o)
    return softplus(-x) * (1 - o["label_smoothing"]) + softplus(x) * o["label_smoothing"]


def robust(a, o):
    x, e = o["beta"] * difference(a, o), o["label_smoothing"]
    return (softplus(-x) * (1 - e) - softplus(x) * e) / (1 - 2 * e)


def hinge(a, o):
    return torch.relu(1 - o["beta"] * difference(a, o))


def ipo(a, o):
    return (difference(a, {"length_normalised": True}) - 0.5 / o["beta"]) ** 2


def orpo(a, o):
    mean = [a["policy"][i] / a["tokens"][i] for i in (0, 1)]
    odds = [m - torch.log1p(-torch.exp(m)) for m in mean]
    return -mean[0] - o["beta"] * logsigmoid(odds[0] - odds[1])


def simpo(a, o):
    mean = [a["policy"][i] / a["tokens"][i] for i in (0, 1)]
    return -logsigmoid(o["beta"] * (mean[0] - mean[1]) - o["gamma"])


def kto(a, o):
    z0 = max(0.0, o["z0"])
    reward = o["beta"] * (a["policy"][0] - a["reference"][0])
    value = 1 - torch.sigmoid(reward - o["beta"] * z0) if o["liked"] else 1 - torch.sigmoid(o["beta"] * z0 - reward)
    return value * (o["liked_weight"] if o["liked"] else o["disliked_weight"])


def bradley_terry(a, o):
    chosen, rejected = a["policy"]
    return -logsigmoid(chosen - rejected - o["margin"]) + o["centring"] * (chosen + rejected) ** 2


CASES = [
    (sigmoid_loss, {"beta": 0.1, "label_smoothing": 0.0, "length_normalised": False}),
    (sigmoid_loss, {"beta": 0.5, "label_smoothing": 0.1, "length_normalised": False}),
    (sigmoid_loss, {"beta": 2.0, "label_smoothing": 0.0, "length_normalised": True}),
    (robust, {"beta": 0.3, "label_smoothing": 0.2, "length_normalised": False}),
    (hinge, {"beta": 0.2, "label_smoothing": 0.0, "length_normalised": False}),
    (ipo, {"beta": 0.1, "label_smoothing": 0.0, "length_normalised": False}),
    (ipo, {"beta": 0.7, "label_smoothing": 0.0, "length_normalised": False}),
    (orpo, {"beta": 0.1}),
    (orpo, {"beta": 1.0}),
    (simpo, {"beta": 2.0, "gamma": 1.0}),
    (kto, {"beta": 0.1, "liked": True, "z0": 3.0, "liked_weight": 1.0, "disliked_weight": 1.0}),
    (kto, {"beta": 0.4, "liked": False, "z0": 0.5, "liked_weight": 1.0, "disliked_weight": 1.5}),
    (bradley_terry, {"margin": 0.0, "centring": 0.0}),
    (bradley_terry, {"margin": 0.8, "centring": 0.01}),
]

fixture = []
for loss, options in CASES:
    for _ in range(6):
        policy = -40 * torch.rand(2)
        answers = {"policy": policy.requires_grad_(), "reference": (policy + 6 * torch.randn(2)).tolist(),
                   "tokens": torch.randint(1, 30, (2,)).tolist()}
        value = loss(answers, options)
        value.backward()
        fixture.append({"loss": loss.__name__, "options": options, "policy": policy.tolist(),
                        "reference": answers["reference"], "tokens": answers["tokens"], "value": value.item(),
                        "gradient": policy.grad.tolist()})
print("[\n" + ",\n".join(json.dumps(case) for case in fixture) + "\n]")
