#!/usr/bin/env python3
"""Training speed side by side: malssi against PyTorch (bench/torch_gpt.py), alternating, medians, one ratio a line.

    bench/train_speed.py baby                 # steps of made-up tokens, every precision of the peer
    bench/train_speed.py cpu --data tinyshakespeare.txt   # both whole trainings, with their validation losses

Needs a built program (./malssi --version) and a Python with torch (--python; Debian: python3-torch, with
libopenblas0-openmp: with Debian's plain libblas3, f32 is another ten times slower).
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/malssi"
RECIPES = {"cpu": "shakespeare-char-cpu", "baby": "shakespeare-char-baby", "gpt2": "gpt2-124m"}
# The peer as Debian installs it, and with what we found to make it faster: memory that malloc keeps, in huge pages, and an
# OpenBLAS that is told of AVX-512 (0.3.21 takes newer processors for older ones).
TUNED = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184"}
if " avx512bw " in pathlib.Path("/proc/cpuinfo").read_text():
    TUNED["OPENBLAS_CORETYPE"] = "SkylakeX"
PEERS = {"torch f32": ("f32", {}), "torch f32, tuned": ("f32", TUNED),
         "torch bf16": ("bf16", {}), "torch bf16, tuned": ("bf16", TUNED)}


def output(command, **env):
    """Standard output of a command that must succeed."""
    return subprocess.run([str(c) for c in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env={**os.environ, **env}).stdout


class Torch:
    def __init__(self, a, name):
        self.a, self.name = a, name
        self.dtype, self.env = PEERS[name]

    def run(self):
        a = self.a
        command = [a.python, ROOT / "bench/torch_gpt.py", a.config, "--dtype", self.dtype, "--steps", a.steps, "--threads", a.threads]
        if a.data:
            command += ["--data", a.data, "--lr", "1e-3"]
        return json.loads(output(command, **self.env))


class Malssi:
    def __init__(self, a, dtype):
        self.a, self.name, self.dtype = a, f"malssi {dtype}", dtype

    def run(self):
        return self.train() if self.a.data else self.measure()

    def measure(self):
        a = self.a
        shape = ["--rows", "4", "--context", "256", "--vocab", "50304"] if a.config == "gpt2" else []
        found = json.loads(output([PROGRAM, "bench", ROOT / f"recipes/{RECIPES[a.config]}.toml", "--only", "training", "--json", "--dtype",
                                   self.dtype, "--seconds", a.seconds, *shape], MALSSI_THREADS=str(a.threads)))
        training = found["training"]
        return {"tokens_per_second": training["tokens_per_second"], "ms_per_step": 1000 * training["median_seconds"],
                "memory_bytes": training["peak_memory_bytes"], "of_ceiling": training["utilisation"],
                "flops": training["flops_per_second"]}

    def train(self):
        """A whole run; the step time counts the steps alone, as the peer's does."""
        a = self.a
        with tempfile.TemporaryDirectory() as folder:
            output([PROGRAM, "pretrain", ROOT / f"recipes/{RECIPES[a.config]}.toml", "--data", a.data, "--out", f"{folder}/run",
                    "--set", f"train.steps={a.steps}", "--set", f"train.compute={self.dtype}"], MALSSI_THREADS=str(a.threads))
            lines = [json.loads(line) for line in open(f"{folder}/run/metrics.jsonl", encoding="utf-8")]
        validated = [line["val_loss"] for line in lines if line.get("val_loss") is not None]
        speeds = [line["tokens_per_second"] for line in lines if line.get("tokens_per_second")]
        per_step = (lines[-1]["tokens"] - lines[0]["tokens"]) / max(1, lines[-1]["step"] - lines[0]["step"])
        speed = statistics.median(speeds)
        return {"tokens_per_second": speed, "ms_per_step": 1000 * per_step / speed, "seconds": lines[-1]["elapsed_seconds"],
                "memory_bytes": max(line["memory_bytes"] for line in lines), "val_loss": min(validated)}


def describe(name, runs):
    middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    text = f"{name:24} {middle['tokens_per_second']:9.0f} tokens/s  {middle['ms_per_step']:9.1f} ms/step  {middle['memory_bytes'] / 2**30:6.2f} GiB"
    if "of_ceiling" in middle:
        text += f"  {middle['flops'] / 1e9:6.0f} GFLOP/s, {100 * middle['of_ceiling']:.0f}% of the ceiling"
    if "val_loss" in middle:
        text += f"  {middle['seconds']:7.1f} s  validation {middle['val_loss']:.4f}"
    print(text, flush=True)
    return middle


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", choices=RECIPES)
    parser.add_argument("--data", help="train on this text instead of timing steps")
    parser.add_argument("--steps", type=int, default=0, help="of the peer (and of ours with --data); default 12, with --data the recipe's")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=8, help="that malssi measures steps in each round")
    parser.add_argument("--dtypes", default="bf16,f32", help="of malssi")
    parser.add_argument("--python", default="/usr/bin/python3", help="one that has torch")
    a = parser.parse_args()
    a.steps = a.steps or ({"cpu": 2000, "baby": 5000, "gpt2": 100}[a.config] if a.data else {"cpu": 300, "baby": 7, "gpt2": 7}[a.config])
    sides = [Malssi(a, dtype) for dtype in a.dtypes.split(",")]
    sides += [Torch(a, name) for name in PEERS]
    found = {side.name: [] for side in sides}
    for _ in range(a.rounds):
        for side in sides:
            found[side.name].append(side.run())
    middles = {name: describe(name, runs) for name, runs in found.items()}
    for dtype in a.dtypes.split(","):
        ours = middles[f"malssi {dtype}"]
        for name, theirs in middles.items():
            if name.startswith("torch"):
                speed = ours["tokens_per_second"] / theirs["tokens_per_second"]
                memory = ours["memory_bytes"] / theirs["memory_bytes"]
                print(f"malssi {dtype} / {name}: {speed:.2f} times the speed, {memory:.2f} times the memory")


main()
