#!/usr/bin/env python3
"""What switching adapters from one request to the next costs: requests one after another, all without an adapter, all with the same,
and with two in turn. The Llama of lora_speed.py (150M random weights in Q8_0), adapters of rank 16 on all matrices; every prompt
begins otherwise, so that none is remembered. Alternating runs, medians; the start of the program is in all of them.

    bench/adapter_switch.py --tokenizer ../shared/data/weights/tok512.bin

Needs a built program (./malssi --version) and python3-numpy.
"""
import argparse
import json
import pathlib
import statistics
import tempfile
import time

from lora_speed import PROGRAM, prepare, run

MIXES = {"no adapter": [[0, 0], [0, 0]], "the same adapter": [[1, 0], [1, 0]], "two in turn": [[1, 0], [0, 1]]}


def seconds(a, work, loras, mixes):
    prompts = [json.dumps({"prompt": f"{i} dogs were there", "lora": mixes[i % 2]}) + "\n" for i in range(a.switches)]
    (work / "prompts.jsonl").write_text("".join(prompts))
    start = time.monotonic()
    run(PROGRAM, "--threads", a.threads, "generate", "--model", work / "model.gguf", "--prompts", work / "prompts.jsonl", "--parallel", 1,
        "--greedy", "--logit-bias", "2=-100", "--max-tokens", a.tokens, *(x for lora in loras for x in ("--lora", lora)))
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", required=True, type=pathlib.Path)
    parser.add_argument("--switches", type=int, default=40, help="requests of a run")
    parser.add_argument("--tokens", type=int, default=4, help="of an answer")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    a.requests = 2  # adapters that are made
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        loras = prepare(a, work)
        times = {name: [] for name in MIXES}
        for _ in range(a.rounds):
            for name, mixes in MIXES.items():
                times[name].append(seconds(a, work, loras, mixes))
        medians = {name: 1000 * statistics.median(all_of) / a.switches for name, all_of in times.items()}
        for name, each in medians.items():
            print(f"{name:18} {each:7.2f} ms a request")
        switched = [1000 * (b - c) / a.switches for b, c in zip(times["two in turn"], times["the same adapter"])]
        print(f"a switch costs     {statistics.median(switched):7.2f} ms (rounds: {', '.join(f'{s:.2f}' for s in sorted(switched))})")


if __name__ == "__main__":
    main()
