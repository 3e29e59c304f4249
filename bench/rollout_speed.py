#!/usr/bin/env python3
"""How fast answers are drawn for reinforcement learning, side by side with PyTorch (bench/torch_rollout.py): a GPT of 124M random
weights, many prompts at once, log-probabilities kept; alternating runs, medians.

    bench/rollout_speed.py                    # 16 prompts of 32 tokens, answers of 64

Ours is what `malssi align grpo` records as rollout_tokens_per_second. Needs a built program (./malssi --version), python3-numpy and
a Python with torch (--python).
"""
import argparse
import json
import pathlib
import statistics
import struct
import subprocess
import tempfile

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/malssi"
WIDTH, LAYERS, VOCAB, CONTEXT = 768, 12, 50304, 1024


def shapes():
    yield from {"wte.weight": (VOCAB, WIDTH), "wpe.weight": (CONTEXT, WIDTH), "ln_f.weight": (WIDTH,), "ln_f.bias": (WIDTH,)}.items()
    for i in range(LAYERS):
        for name, shape in {"attn.c_attn": (WIDTH, 3 * WIDTH), "attn.c_proj": (WIDTH, WIDTH), "mlp.c_fc": (WIDTH, 4 * WIDTH),
                            "mlp.c_proj": (4 * WIDTH, WIDTH)}.items():
            yield f"h.{i}.{name}.weight", shape
            yield f"h.{i}.{name}.bias", shape[1:]
        for name in ("ln_1", "ln_2"):
            yield f"h.{i}.{name}.weight", (WIDTH,)
            yield f"h.{i}.{name}.bias", (WIDTH,)


def run(*command):
    return subprocess.run([str(c) for c in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout


def write_model(work):
    """Random weights under gpt2's names, with a byte tokenizer from a model of one step."""
    (work / "text.txt").write_text("any text will do\n" * 200)
    run(PROGRAM, "pretrain", "--data", work / "text.txt", "--out", work / "tiny", "--kind", "byte", "--steps", "1", "--width", "16",
        "--layers", "1", "--heads", "1", "--context", "16", "--eval-every", "0", "--samples", "0")
    folder = work / "model"
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((work / "tiny/model" / name).read_bytes())
    rng = numpy.random.default_rng(0)
    header, data, at = {}, [], 0
    for name, shape in shapes():
        ones = name.endswith("weight") and "ln_" in name
        zeros = name.endswith("bias")
        numbers = numpy.ones(shape) if ones else numpy.zeros(shape) if zeros else 0.02 * rng.standard_normal(shape)
        data.append(numbers.astype(numpy.float32).tobytes())
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + len(data[-1])]}
        at += len(data[-1])
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))
    (folder / "config.json").write_text(json.dumps(
        {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "vocab_size": VOCAB, "n_embd": WIDTH, "n_layer": LAYERS, "n_head": 12,
         "n_positions": CONTEXT, "activation_function": "gelu_new"}))
    return folder


def ours(a, model, work, dtype):
    # A chat template adds a few tokens to each prompt; the letters are one token each.
    with open(work / "prompts.jsonl", "w") as out:
        for i in range(a.prompts):
            out.write(json.dumps({"prompt": (f"{i:03d}" + "abcdefghij" * 100)[:a.prompt_tokens - 3]}) + "\n")
    folder = work / "run"
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    run(PROGRAM, "align", "grpo", "--model", model, "--data", work / "prompts.jsonl", "--out", folder, "--loss", "reinforce++", "--group", "1",
        "--batch-rows", a.prompts, "--max-tokens", a.tokens, "--steps", "2", "--val-fraction", "0", "--use", "length", "--samples", "0",
        "--compute", dtype, "--threads", a.threads, "--checkpoint-every", "0")
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return max(line["rollout_tokens_per_second"] for line in lines if line.get("rollout_tokens_per_second"))


def theirs(a, dtype):
    return json.loads(run(a.python, ROOT / "bench/torch_rollout.py", "--dtype", dtype, "--prompts", a.prompts, "--prompt-tokens",
                          a.prompt_tokens, "--tokens", a.tokens, "--threads", a.threads))["tokens_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default="/usr/bin/python3")
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--prompt-tokens", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--dtypes", nargs="+", default=["f32", "bf16"])
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        model = write_model(work)
        for dtype in a.dtypes:
            both = [(ours(a, model, work, dtype), theirs(a, dtype)) for _ in range(a.repeat)]
            mine, peer = (statistics.median(column) for column in zip(*both))
            print(f"{dtype}: malssi {mine:.0f} tokens/s, torch {peer:.0f}: {mine / peer:.2f} times", flush=True)


if __name__ == "__main__":
    main()
