#!/usr/bin/env python3
"""The peer in our rollout benchmark: answers drawn by PyTorch, plain generation with a KV cache, all prompts in one batch of
equal lengths. A GPT of 124M random weights (gpt2's shape). Prints one JSON line: answer tokens per second, the prompts' reading
included.
"""
import argparse
import json
import math
import time

import torch
import torch.nn.functional as F

WIDTH, LAYERS, HEADS, VOCAB, CONTEXT = 768, 12, 12, 50304, 1024


class Gpt:
    def __init__(self, dtype):
        def random(*shape):
            return (0.02 * torch.randn(*shape)).to(dtype)
        self.dtype = dtype
        self.tokens, self.places = random(VOCAB, WIDTH), random(CONTEXT, WIDTH)
        self.layers = [{"qkv": random(3 * WIDTH, WIDTH), "out": random(WIDTH, WIDTH), "up": random(4 * WIDTH, WIDTH),
                        "down": random(WIDTH, 4 * WIDTH)} for _ in range(LAYERS)]
        self.norm = torch.ones(WIDTH, dtype=dtype)

    def layer_norm(self, x):
        return F.layer_norm(x, (WIDTH,), self.norm, None, 1e-5)

    def logits(self, ids, cache, past):
        """The next token's, after ids [B, T] that follow `past` tokens in the cache."""
        B, T = ids.shape
        x = self.tokens[ids] + self.places[past:past + T]
        for layer, (keys, values) in zip(self.layers, cache):
            q, k, v = (F.linear(self.layer_norm(x), layer["qkv"]).view(B, T, 3, HEADS, -1).permute(2, 0, 3, 1, 4))
            keys[:, :, past:past + T], values[:, :, past:past + T] = k, v
            scores = q @ keys[:, :, :past + T].transpose(-1, -2) / math.sqrt(WIDTH // HEADS)
            if T > 1:
                scores = scores + torch.full((T, T), -math.inf, dtype=self.dtype).triu(1)
            mixed = scores.softmax(-1) @ values[:, :, :past + T]
            x = x + F.linear(mixed.transpose(1, 2).reshape(B, T, WIDTH), layer["out"])
            x = x + F.linear(F.gelu(F.linear(self.layer_norm(x), layer["up"])), layer["down"])
        return F.linear(self.layer_norm(x[:, -1]), self.tokens).float()


@torch.no_grad()
def roll_out(model, a):
    ids = torch.randint(VOCAB, (a.prompts, a.prompt_tokens))
    size = (a.prompts, HEADS, a.prompt_tokens + a.tokens, WIDTH // HEADS)
    cache = [(torch.empty(size, dtype=model.dtype), torch.empty(size, dtype=model.dtype)) for _ in range(LAYERS)]
    began = time.perf_counter()
    past, log_probs = 0, []
    for _ in range(a.tokens):
        all_log_probs = model.logits(ids, cache, past).log_softmax(-1)
        past += ids.shape[1]
        ids = torch.multinomial(all_log_probs.exp(), 1)
        log_probs.append(all_log_probs.gather(1, ids))
    return a.prompts * a.tokens / (time.perf_counter() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--prompt-tokens", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=64, help="of each answer")
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    model = Gpt(torch.float32 if a.dtype == "f32" else torch.bfloat16)
    print(json.dumps({"tokens_per_second": max(roll_out(model, a) for _ in range(2))}))


if __name__ == "__main__":
    main()
