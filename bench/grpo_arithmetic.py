#!/usr/bin/env python3
"""Reinforcement learning shown from nothing: a small model is pretrained on additions, tuned to answer questions, and then trained by
`malssi align grpo` on questions alone, with the exact result as its reward. Prints the held-out exact accuracy before and after.

    bench/grpo_arithmetic.py --out runs/arithmetic       # a few minutes on two cores

The additions are of numbers below 50, of which 300 are held out from every stage.
"""
import argparse
import json
import pathlib
import random
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/malssi"


def malssi(*command):
    began = time.monotonic()
    subprocess.run([str(c) for c in (PROGRAM, *command)], check=True)
    return time.monotonic() - began


def question(a, b):
    return f"What is {a}+{b}?"


def write_data(out):
    rng = random.Random(5)
    pairs = [(a, b) for a in range(50) for b in range(50)]
    rng.shuffle(pairs)
    held, known = pairs[:300], pairs[300:]
    lines = [f"{question(a, b)}\n{a}+{b}={a + b}\n" for a, b in known]
    (out / "text.txt").write_text("".join(rng.choice(lines) for _ in range(40000)))
    (out / "chats.jsonl").write_text("".join(json.dumps({"messages": [
        {"role": "user", "content": question(a, b)}, {"role": "assistant", "content": f"{a}+{b}={a + b}"}]}) + "\n"
        for a, b in rng.sample(known, 400)))
    for name, some in (("prompts", known), ("held-out", held)):
        (out / f"{name}.jsonl").write_text("".join(
            json.dumps({"prompt": question(a, b), "answer": str(a + b)}) + "\n" for a, b in some))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--pretrain-steps", default="800")
    parser.add_argument("--steps", default="400")
    a = parser.parse_args()
    a.out.mkdir(parents=True)
    write_data(a.out)
    quiet = ("--eval-every", "0", "--samples", "0")
    malssi("pretrain", "--data", a.out / "text.txt", "--out", a.out / "base", "--kind", "byte", "--layers", "3", "--heads", "4", "--width", "128",
           "--context", "64", "--steps", a.pretrain_steps, "--batch-rows", "24", "--lr", "3e-3", "--min-lr", "3e-4", "--warmup-steps", "100",
           *quiet)
    malssi("tune", "sft", "--model", a.out / "base", "--data", a.out / "chats.jsonl", "--out", a.out / "chat", "--steps", "60",
           "--batch-rows", "8", "--lr", "5e-4", *quiet)
    seconds = malssi("align", "grpo", "--model", a.out / "chat", "--data", a.out / "prompts.jsonl", "--val", a.out / "held-out.jsonl", "--out",
                     a.out / "better", "--steps", a.steps, "--batch-rows", "16", "--group", "16", "--max-tokens", "16", "--lr", "1e-4", "--loss", "dapo",
                     "--eval-rows", "300")
    lines = [json.loads(line) for line in (a.out / "better/metrics.jsonl").read_text().splitlines()]
    seen = [line["val_accuracy"] for line in lines if line.get("val_accuracy") is not None]
    print(f"held-out exact accuracy: {seen[0]:.3f} before, {max(seen):.3f} after {seconds / 60:.1f} minutes of GRPO")


if __name__ == "__main__":
    main()
