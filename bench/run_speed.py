#!/usr/bin/env python3
"""Running speed side by side: malssi against llama.cpp's llama-bench on the same GGUF files, alternating, medians, and how much
of the memory bandwidth, measured beside each run, decoding reaches.

    bench/run_speed.py --peer PATH/llama-bench model-q8_0.gguf model-q4_0.gguf
    bench/run_speed.py --peer PATH/llama-bench --depth 2048 model-q4_0.gguf    # with so many tokens in the cache

Needs a built program (./malssi --version) and a llama-bench built for this machine.
"""
import argparse
import json
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/malssi"


def output(command):
    """Standard output of a command that must succeed."""
    return subprocess.run([str(c) for c in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def malssi(a, model):
    """Tokens a second of reading and of writing, and the bandwidth of both writing and the machine."""
    common = [PROGRAM, "--threads", a.threads, "bench", "--model", model, "--json", "--seconds", a.seconds, "--prompt", a.prompt]
    prefill = json.loads(output([*common, "--only", "prefill", "--past", a.depth]))
    # llama-bench writes from the depth on; the middle of that costs what it does on average.
    decode = json.loads(output([*common, "--only", "decode", "--past", a.depth + a.generate // 2, "--sequences", 1]))
    wrote = decode["decode"][0]
    return {"prefill": prefill["prefill"]["tokens_per_second"], "decode": wrote["tokens_per_second"],
            "bandwidth": wrote["read_bytes_per_second"] / 1e9, "machine": decode["machine"]["read_bytes_per_second"] / 1e9}


def llama(a, model):
    """The same of llama-bench."""
    runs = json.loads(output([a.peer, "-m", model, "-p", a.prompt, "-n", a.generate, "-d", a.depth, "-t", a.threads, "-r", 1, "-o", "json"]))
    return {"prefill" if run["n_gen"] == 0 else "decode": run["avg_ts"] for run in runs}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL.gguf")
    parser.add_argument("--peer", required=True, help="the llama-bench program")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=128)
    parser.add_argument("--depth", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    a = parser.parse_args()
    print(f"prompt {a.prompt}, answer {a.generate}, {a.depth} tokens before, {a.threads} threads, medians of {a.rounds} alternating runs")
    print("| model | prefill tok/s | llama.cpp | ratio | decode tok/s | llama.cpp | ratio | GB/s | of the machine's |")
    print("|---|---|---|---|---|---|---|---|---|")
    for model in a.models:
        ours, theirs = [], []
        for _ in range(a.rounds):
            ours.append(malssi(a, model))
            theirs.append(llama(a, model))
        mid = lambda runs, key: statistics.median(run[key] for run in runs)
        share = statistics.median(run["bandwidth"] / run["machine"] for run in ours)
        print(f"| {pathlib.Path(model).stem} | {mid(ours, 'prefill'):.0f} | {mid(theirs, 'prefill'):.0f} "
              f"| {mid(ours, 'prefill') / mid(theirs, 'prefill'):.2f} | {mid(ours, 'decode'):.1f} | {mid(theirs, 'decode'):.1f} "
              f"| {mid(ours, 'decode') / mid(theirs, 'decode'):.2f} | {mid(ours, 'bandwidth'):.0f} | {share:.0%} |", flush=True)


if __name__ == "__main__":
    main()
