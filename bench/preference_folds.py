#!/usr/bin/env python3
"""Reward model and DPO on a small set of preferences, each pair judged by a model that never saw it.

  preference_folds.py --model DIR [--data ../shared/data/pref/dpo_en_demo.json] [--folds 5] [--methods reward,dpo] [--out DIR]
                      [--threads N] [--seed N] [-- further flags of malssi align]

Splits the pairs into folds by the hash of their first question, so that no question stands on both sides, trains on all folds but one
(a fixed number of epochs: nothing is chosen by what is held out), and asks about that one. Prints for each method the share of all
pairs told right with its 95% interval (Wilson), and beside it what knowing the answers' lengths alone would give.
"""
import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from bag_of_words import wilson

HERE = Path(__file__).resolve().parent
MALSSI = os.environ.get("MALSSI", str(HERE.parent / "build/release/malssi"))
FLAGS = {
    "reward": ["--epochs", "3", "--lr", "1e-4"],
    "dpo": ["--epochs", "2", "--lr", "3e-5"],
}


def fold_of(record, folds):
    return int(hashlib.sha256(record["conversations"][0]["value"].encode()).hexdigest()[:8], 16) % folds


def share(right, n):
    low, high = wilson(right, n)
    return f"{right} of {n}: {100 * right / n:.1f}% ({100 * low:.1f} to {100 * high:.1f})"


def shorter_is_better(records):
    """Right where the chosen answer is the shorter one; ties count half."""
    lengths = [(len(record["chosen"]["value"]), len(record["rejected"]["value"])) for record in records]
    return round(sum(0.5 if a == b else a < b for a, b in lengths))


def judge(method, options, fold, out):
    """Trains on all folds but this one. Returns how many of its pairs are told right, and how many it has."""
    run = out / f"{method}-{fold}"
    if not (run / "model").is_dir():
        command = [MALSSI, "align", method, "--model", options.model, "--data", out / f"train-{fold}.json", "--val", out / f"val-{fold}.json",
                   "--eval-every", 0, "--checkpoint-every", 0, "--eval-rows", 0, "--batch-rows", 8, "--warmup-steps", 10, "--threads",
                   options.threads, "--seed", options.seed, *FLAGS[method], *options.flags, "--out", run]
        log = subprocess.run([*map(str, command)], stderr=subprocess.PIPE, check=True).stderr.decode()
        (run / "log.txt").write_text(log, encoding="utf-8")
    n = int(re.search(r"(\d+) to validate on", (run / "log.txt").read_text(encoding="utf-8")).group(1))
    last = [json.loads(line) for line in open(run / "metrics.jsonl", encoding="utf-8")][-1]
    return round(last["val_reward_accuracy"] * n), n


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=Path, default=HERE.parent / "../shared/data/pref/dpo_en_demo.json")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--methods", default="reward,dpo")
    parser.add_argument("--out", type=Path, default=Path("runs/preference-folds"))
    parser.add_argument("--threads", default="0")
    parser.add_argument("--seed", default="1337")
    parser.add_argument("flags", nargs="*")
    options = parser.parse_args()
    if not options.data.is_file():
        sys.exit(f"no preferences at {options.data}: name the file with --data")
    records = json.loads(options.data.read_text(encoding="utf-8"))
    options.out.mkdir(parents=True, exist_ok=True)
    for fold in range(options.folds):
        for name, is_held in (("val", True), ("train", False)):
            part = [record for record in records if (fold_of(record, options.folds) == fold) == is_held]
            (options.out / f"{name}-{fold}.json").write_text(json.dumps(part), encoding="utf-8")
    print("shorter is better:", share(shorter_is_better(records), len(records)))
    for method in options.methods.split(","):
        counts = []
        for fold in range(options.folds):
            counts.append(judge(method, options, fold, options.out))
            print(f"{method}, fold {fold}:", share(*counts[-1]), file=sys.stderr)
        print(f"{method}, {options.folds} folds:", share(*map(sum, zip(*counts))))


if __name__ == "__main__":
    main()
