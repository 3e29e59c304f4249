#!/usr/bin/env python3
"""The peer in our DPO benchmark (Rafailov et al. 2023, equation 7): all weights are trained on pairs of answers, of which the
reference's log-probabilities are known from before, as they are on our side.

Prints one JSON line: tokens per second (median of the steps), milliseconds a step, loss, peak memory.
"""
import argparse
import json

import torch
import torch.nn.functional as F

import torch_llama


def main():
    a = torch_llama.arguments(argparse.ArgumentParser(description=__doc__))
    model = torch_llama.make(a)
    vocab, pairs = model.c["vocab"], a.rows // 2

    def step():
        ids = torch.randint(vocab, (2 * pairs, a.context + 1))
        logits = model(ids[:, :-1]).float()
        chosen_token = logits.gather(-1, ids[:, 1:, None]).squeeze(-1)
        sums = (chosen_token - logits.logsumexp(-1)).sum(-1)
        reference = sums.detach()
        margins = sums - reference
        return -F.logsigmoid(0.1 * (margins[:pairs] - margins[pairs:])).mean()

    print(json.dumps(torch_llama.measure(step, list(model.parameters()), a, 2 * pairs * a.context)))


main()
