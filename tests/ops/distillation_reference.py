#!/usr/bin/env python3
"""Writes distillation_fixture.json: PyTorch's loss and gradients, in float64, of learning a teacher's distribution.

Run by hand where python3-torch is installed: python3 distillation_reference.py > distillation_fixture.json
"""
import json

import torch
import torch.nn.functional as F

torch.manual_seed(3)
N, D, V, TEACHER_V, KNOWN = 6, 5, 9, 11, 8
TARGETS, WEIGHTS, SCALE = [0, 7, 3, -1, 2, 5], [1.0, 0.5, 1.0, 1.0, 0.0, 2.0], 0.25


def exact(*shape):
    """Numbers that float32 holds as they are."""
    return torch.randn(*shape).double()


cases = []
for temperature, hard, softcap in ((1.0, 0.0, 0.0), (2.0, 0.0, 0.0), (1.0, 0.5, 0.0), (4.0, 0.25, 0.0), (0.5, 1.0, 0.0),
                                   (2.0, 0.25, 1.5)):
    h, w, teacher = exact(N, D).requires_grad_(), exact(V, D).requires_grad_(), 3 * exact(N, TEACHER_V)
    teacher = teacher.float().double()
    logits = h @ w.T
    if softcap > 0:
        logits = softcap * torch.tanh(logits / softcap)
    p = torch.zeros(N, V, dtype=torch.float64)
    p[:, :KNOWN] = F.softmax(teacher[:, :KNOWN] / temperature, dim=-1)
    soft = F.kl_div(F.log_softmax(logits / temperature, dim=-1), p, reduction="none").sum(-1) * temperature**2
    targets = torch.tensor(TARGETS)
    mask = torch.tensor(WEIGHTS).double() * (targets >= 0)
    losses = mask * ((1 - hard) * soft + hard * F.cross_entropy(logits, targets.clamp(min=0), reduction="none"))
    loss = SCALE * losses.sum()
    loss.backward()
    flat = lambda t: t.detach().flatten().tolist()
    cases.append({"temperature": temperature, "hard": hard, "softcap": softcap, "h": flat(h), "w": flat(w),
                  "teacher": flat(teacher), "loss": loss.item(), "losses": flat(losses), "dh": flat(h.grad),
                  "dw": flat(w.grad)})
print(json.dumps({"shape": {"tokens": N, "width": D, "vocab": V, "teacher_vocab": TEACHER_V, "known": KNOWN},
                  "targets": TARGETS, "weights": WEIGHTS, "scale": SCALE, "cases": cases}, indent=0))
