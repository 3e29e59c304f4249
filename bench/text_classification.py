#!/usr/bin/env python3
"""Classifiers made here from nothing but the texts, against a bag of words: Korean film reviews (NSMC, rebuilt) and English ones
(rt-polarity).

  text_classification.py nsmc|rt [--data ../shared/data] [--out runs/text-classification] [--threads N] [--seed N]

Splits the reviews by the hash of their text (15% test, 7% validation; a text that comes twice is taken once), pretrains a small decoder
on the training reviews alone (English: and on other English text, without labels), trains a classifier on it with the language loss
beside (Radford et al. 2018), and fits bag_of_words.py on the same split. No test text is seen before the end. Prints both accuracies
with 95% intervals and McNemar's exact test on the texts that one of them alone has right.
"""
import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MALSSI = os.environ.get("MALSSI", str(HERE.parent / "build/release/malssi"))
SHAPE = ["--width", "192", "--heads", "6", "--layers", "4", "--context", "64", "--dropout", "0.1"]


def position(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


def reviews(name, data):
    if name == "rt":
        for label, kind in (("positive", "pos"), ("negative", "neg")):
            for line in (data / f"cls/rt-polarity.{kind}").read_text(encoding="utf-8").split("\n"):
                yield line, label
        return
    for line in (data / "ko/nsmc_rebuilt.tsv").read_text(encoding="utf-8").split("\n")[1:]:
        fields = line.split("\t")
        if len(fields) == 3:
            yield fields[1], "positive" if fields[2] == "1" else "negative"


def other_text(data):
    for line in (data / "lm/wikitext-2.valid.txt").read_text(encoding="utf-8").split("\n"):
        if len(line) > 60:
            yield line.lower()
    for record in json.loads((data / "sft/dolly_3k.json").read_text(encoding="utf-8")):
        yield (record["instruction"] + " " + record["output"]).lower()


def write(path, records):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def split(name, data, out):
    parts, seen = {"train": [], "val": [], "test": []}, set()
    for text, label in reviews(name, data):
        text = " ".join(text.split())
        if not text or text in seen:
            continue
        seen.add(text)
        at = position(text)
        parts["test" if at < 0.15 else "val" if at < 0.22 else "train"].append({"text": text, "label": label})
    for part, records in parts.items():
        records.sort(key=lambda record: position("order" + record["text"]))
        write(out / f"{part}.jsonl", records)
    if name == "rt":
        write(out / "more.jsonl", ({"text": " ".join(text.split())} for text in other_text(data)))
    print({part: len(records) for part, records in parts.items()}, file=sys.stderr)


def malssi(*arguments):
    subprocess.run([MALSSI, *map(str, arguments)], check=True)


def predictions(model, test):
    texts = "".join(json.loads(line)["text"] + "\n" for line in open(test, encoding="utf-8"))
    done = subprocess.run([MALSSI, "classify", "--model", model], input=texts.encode(), stdout=subprocess.PIPE, check=True)
    return [line.split("\t")[0] for line in done.stdout.decode().splitlines()]


def mcnemar(a, b):
    """Two-sided exact test that two classifiers are right equally often."""
    only_a, only_b = sum(x > y for x, y in zip(a, b)), sum(x < y for x, y in zip(a, b))
    n, k = only_a + only_b, min(only_a, only_b)
    log_sum = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - n * math.log(2) for i in range(k + 1)]
    return only_a, only_b, min(1.0, 2 * sum(map(math.exp, log_sum)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["nsmc", "rt"])
    parser.add_argument("--data", type=Path, default=HERE.parent / "../shared/data")
    parser.add_argument("--out", type=Path, default=Path("runs/text-classification"))
    parser.add_argument("--threads", default="0")
    parser.add_argument("--seed", default="1337")
    options = parser.parse_args()
    if not options.data.is_dir():
        sys.exit(f"no data at {options.data}: name the folder with --data")
    out = options.out / options.name
    out.mkdir(parents=True, exist_ok=True)
    split(options.name, options.data, out)
    common = ["--threads", options.threads, "--seed", options.seed]
    data = ["--data", out / "train.jsonl"] + (["--data", out / "more.jsonl"] if options.name == "rt" else [])
    if not (out / "base/model").is_dir():
        malssi("pretrain", *data, "--val", out / "val.jsonl", "--vocab-size", "5000" if options.name == "nsmc" else "6000", *SHAPE,
               "--mode", "epoch", "--batch-rows", 32, "--steps", 2600, "--lr", "1.5e-3", "--min-lr", "1e-4", "--warmup-steps", 60,
               "--eval-every", 250, "--samples", 0, *common, "--out", out / "base")
    if not (out / "classifier/model").is_dir():
        malssi("tune", "classify", "--model", out / "base", "--data", out / "train.jsonl", "--val", out / "val.jsonl",
               *CLASSIFIER, *common, "--out", out / "classifier")
    records = [json.loads(line) for line in open(out / "test.jsonl", encoding="utf-8")]
    answers = predictions(out / "classifier", out / "test.jsonl")
    right = [int(answer == record["label"]) for answer, record in zip(answers, records, strict=True)]
    malssi("eval", "classify", "--model", out / "classifier", "--data", out / "test.jsonl")
    for features in ("words", "characters"):
        line = subprocess.run(
            [sys.executable, HERE / "bag_of_words.py", "--train", out / "train.jsonl", "--val", out / "val.jsonl", "--test",
             out / "test.jsonl", "--features", features, "--answers", out / "bag.txt"], stdout=subprocess.PIPE, check=True)
        baseline = [int(each) for each in open(out / "bag.txt", encoding="utf-8")]
        print(f"bag of {features}:", line.stdout.decode().strip())
        here, there, p = mcnemar(right, baseline)
        print(f"right alone: classifier {here}, bag of {features} {there}; McNemar p = {p:.2g}")


CLASSIFIER = ["--epochs", 4, "--lr", "5e-4", "--lm-weight", "0.5", "--dropout", "0.2", "--batch-rows", 32, "--eval-every", 200,
              "--weight-decay", "0.05"]

if __name__ == "__main__":
    main()
