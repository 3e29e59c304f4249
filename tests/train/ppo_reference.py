"""Writes ppo_fixture.json: rewards, advantages, losses and gradients of PPO over a padded batch, in double precision, by
PyTorch's differentiation.

    python3 tests/train/ppo_reference.py > tests/train/ppo_fixture.json
"""
import json

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(11)

LENGTHS, GAMMA, LAMBDA, BETA, CLIP, VALUE_CLIP, VALUE_WEIGHT = [7, 1, 4, 9], 1.0, 0.95, 0.07, 0.2, 0.2, 0.1
ROWS, LONGEST = len(LENGTHS), max(LENGTHS)
MASK = torch.arange(LONGEST)[None] < torch.tensor(LENGTHS)[:, None]


def single(x):
    """Numbers that f32 holds exactly: what the program is given."""
    return x.float().double()


def whiten(x, keep_mean):
    inside = x[MASK]
    mean, variance = inside.mean(), inside.var(unbiased=False)
    white = (x - mean) * torch.rsqrt(variance + 1e-8)
    return torch.where(MASK, white + mean if keep_mean else white, torch.zeros(()))


def estimate(rewards, values):
    advantages, later = torch.zeros_like(rewards), torch.zeros(ROWS)
    for t in reversed(range(LONGEST)):
        after = values[:, t + 1] * MASK[:, t + 1] if t + 1 < LONGEST else torch.zeros(ROWS)
        surprise = rewards[:, t] + GAMMA * after - values[:, t]
        later = torch.where(MASK[:, t], surprise + GAMMA * LAMBDA * later, torch.zeros(()))
        advantages[:, t] = later
    return advantages


def rows(x):
    return [x[i, :n].tolist() for i, n in enumerate(LENGTHS)]


def main():
    old = single(-2 * torch.rand(ROWS, LONGEST))
    reference = single(old + 0.3 * torch.randn(ROWS, LONGEST))
    old_values, scores = single(torch.randn(ROWS, LONGEST)), single(torch.randn(ROWS))
    rewards = -BETA * (old - reference)
    for i, n in enumerate(LENGTHS):
        rewards[i, n - 1] += scores[i]
    white_rewards = whiten(rewards, keep_mean=True)
    raw = estimate(white_rewards, old_values)
    returns, advantages = raw + old_values, whiten(raw, keep_mean=False)

    new = single(old + 0.6 * torch.randn(ROWS, LONGEST)).requires_grad_()
    values = single(old_values + 0.4 * torch.randn(ROWS, LONGEST)).requires_grad_()
    ratio = torch.exp(new - old)
    policy = torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - CLIP, 1 + CLIP))
    near = torch.max(torch.min(values, old_values + VALUE_CLIP), old_values - VALUE_CLIP)
    value = 0.5 * torch.max((values - returns) ** 2, (near - returns) ** 2)
    policy_loss, value_loss = policy[MASK].mean(), value[MASK].mean()
    (policy_loss + VALUE_WEIGHT * value_loss).backward()
    print(json.dumps({
        "gamma": GAMMA, "lambda": LAMBDA, "beta": BETA, "clip": CLIP, "value_clip": VALUE_CLIP, "value_weight": VALUE_WEIGHT,
        "old": rows(old), "reference": rows(reference), "old_values": rows(old_values), "scores": scores.tolist(),
        "rewards": rows(rewards), "white_rewards": rows(white_rewards), "returns": rows(returns),
        "advantages": rows(advantages), "new": rows(new), "values": rows(values),
        "policy_loss": policy_loss.item(), "value_loss": value_loss.item(),
        "d_new": rows(new.grad), "d_values": rows(values.grad),
        "clipped": (policy.gt(-advantages * ratio) & MASK).sum().item() / sum(LENGTHS),
    }))


if __name__ == "__main__":
    main()
