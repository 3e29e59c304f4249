#!/usr/bin/env python3
"""What switching adapters from one request to the next costs: requests one after another, all without an adapter, all with the same,
and with two in turn. The Llama of lora_speed.py (150M random weights in Q8_0), adapters of rank 16 on all matrices. Alternating runs,
the least of each, to which a busy machine only adds; the start of the program is in all of them.

    bench/adapter_switch.py --tokenizer ../shared/data/weights/tok512.bin

Needs a built program (./malssi --version) and python3-numpy.
"""
import argparse
import json
import pathlib
import tempfile
import time

from lora_speed import PROGRAM, prepare, run

# Keys and values are shared among requests of one mix only: of the same adapter, two weights in turn share none either.
MIXES = {"no adapter": [[0, 0], [0, 0]], "the same adapter": [[1, 0], [1.001, 0]], "two in turn": [[1, 0], [0, 1]]}


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
    parser.add_argument("--folder", type=pathlib.Path, help="an empty folder for the files, or one of an earlier run, which are taken again")
    a = parser.parse_args()
    a.requests = 2  # adapters that are made
    with tempfile.TemporaryDirectory() as folder:
        work = a.folder or pathlib.Path(folder)
        made = [work / "lora0.gguf", work / "lora1.gguf"]
        loras = made if made[-1].exists() else prepare(a, work)
        times = {name: [] for name in MIXES}
        for _ in range(a.rounds):
            for name, mixes in MIXES.items():
                times[name].append(seconds(a, work, loras, mixes))
        least = {name: 1000 * min(all_of) / a.switches for name, all_of in times.items()}
        for name, each in least.items():
            print(f"{name:18} {each:7.2f} ms a request")
        print(f"a switch costs     {least['two in turn'] - least['the same adapter']:7.2f} ms")


if __name__ == "__main__":
    main()
