"""Writes policy_fixture.json: policy-gradient losses and their gradients, in double precision, by PyTorch's differentiation on
a padded batch with a mask.

    python3 tests/train/policy_reference.py > tests/train/policy_fixture.json
"""
import json

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(11)

GROUPS, GROUP = 3, 4
LENGTHS = [3, 7, 1, 5, 2, 2, 6, 4, 7, 1, 3, 5]
LONGEST = 8
B, T = GROUPS * GROUP, max(LENGTHS)


def rounded(x):
    return x.to(torch.float32).to(torch.float64)  # what the program reads are floats


mask = torch.zeros(B, T)
for i, n in enumerate(LENGTHS):
    mask[i, :n] = 1
before = rounded(-3 * torch.rand(B, T))
policy = rounded(before + 0.3 * torch.randn(B, T))
reference = rounded(policy + 0.4 * torch.randn(B, T))
rewards = torch.tensor([1, 0, 0, 1, 0.5, 0.5, 0.5, 0.5, 2, -1, 0, 0.25])

grouped = rewards.view(GROUPS, GROUP)
centred = grouped - grouped.mean(1, keepdim=True)
ADVANTAGES = {
    "group": (centred / (grouped.std(1, keepdim=True) + 1e-4)).view(-1),
    "centred": centred.view(-1),
    "leave_one_out": torch.stack([r - (grouped[g].sum() - r) / (GROUP - 1)
                                  for g in range(GROUPS) for r in grouped[g]]),
}


def token_level(beta):
    kl = (before - reference) * mask
    to_go = rewards[:, None] - beta * kl.flip(1).cumsum(1).flip(1)
    kept = to_go[mask.bool()]
    return (to_go - kept.mean()) / kept.var(unbiased=False).clamp(min=1e-8).sqrt()


def loss(name, p, low, high, beta):
    advantages = {"grpo": "group", "gspo": "group", "dapo": "group", "dr_grpo": "centred", "rloo": "leave_one_out"}
    a = token_level(0.05) if name == "reinforce++" else ADVANTAGES[advantages[name]][:, None].expand(B, T)
    log_ratio = (p - before) * mask
    if name == "gspo":
        log_ratio = (log_ratio.sum(1) / mask.sum(1))[:, None].expand(B, T)
    if name == "rloo":
        log_ratio = log_ratio.sum(1)[:, None].expand(B, T)
    ratio = log_ratio.exp()
    gain = -torch.minimum(ratio * a, ratio.clamp(1 - low, 1 + high) * a)
    d = reference - p
    each = gain + beta * (d.exp() - d - 1)
    if name == "rloo":
        return gain[:, 0].mean()
    if name == "dr_grpo":
        return (each * mask).sum() / (B * LONGEST)
    if name in ("dapo", "reinforce++"):
        return (each * mask).sum() / mask.sum()
    return ((each * mask).sum(1) / mask.sum(1)).mean()


cases = []
for name, low, high, beta in [("grpo", 0.2, 0.2, 0.04), ("grpo", 0.2, 0.2, 0), ("dr_grpo", 0.2, 0.2, 0.1),
                              ("dapo", 0.2, 0.28, 0), ("gspo", 0.03, 0.04, 0), ("gspo", 0.2, 0.2, 0.02),
                              ("rloo", 0.2, 0.2, 0), ("reinforce++", 0.2, 0.2, 0)]:
    p = policy.clone().requires_grad_()
    value = loss(name, p, low, high, beta)
    value.backward()
    cases.append({"name": name, "clip_low": low, "clip_high": high, "beta": beta, "value": value.item(),
                  "gradient": [p.grad[i, :n].tolist() for i, n in enumerate(LENGTHS)]})


def rows(x):
    return [x[i, :n].tolist() for i, n in enumerate(LENGTHS)]


print(json.dumps({"group": GROUP, "longest": LONGEST, "rewards": rewards.tolist(), "policy": rows(policy),
                  "before": rows(before), "reference": rows(reference),
                  "advantages": {k: v.tolist() for k, v in ADVANTAGES.items()},
                  "token_beta": 0.05, "token_advantages": rows(token_level(0.05)), "cases": cases}))
