#!/usr/bin/env python3
"""Classifiers made here from nothing but the texts, against a bag of words: Korean film reviews (NSMC, rebuilt) and English ones
(rt-polarity).

  text_classification.py nsmc|rt [--data ../shared/data] [--out runs/text-classification] [--threads N] [--seed N] [--heads N] [--fold N]

Splits the reviews by the hash of their text (15% test, others for each fold from 0 to 5; 7% validation; a text that comes twice is taken
once), pretrains a small decoder on the training reviews alone (English: and on other English text, without labels), trains classifiers
on it (--heads of them without counted n-grams and as many with, which differ in their seed alone) with the language loss beside
(Radford et al. 2018; NSMC alone), and fits bag_of_words.py on the same split. No test text is seen before the end; but what one fold
validates on is part of the next one's test, so what was chosen by the one is not tested afresh by the other. Prints the accuracies of the first classifiers, of the means of their probabilities, of the n-grams alone and of the bags, with 95% intervals, and
McNemar's exact test on the texts that one of two alone has right.
"""
import argparse
import gzip
import hashlib
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

from bag_of_words import wilson

HERE = Path(__file__).resolve().parent
MALSSI = os.environ.get("MALSSI", str(HERE.parent / "build/release/malssi"))


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
    for name in ("wikitext-2.valid", "wiki_demo"):
        yield from (line for line in (data / f"lm/{name}.txt").read_text(encoding="utf-8").split("\n") if len(line) > 60)
    for name in ("dolly_3k", "alpaca_random_9k", "alpaca_en_demo"):
        for record in json.loads((data / f"sft/{name}.json").read_text(encoding="utf-8")):
            yield " ".join(record.get(key, "") for key in ("instruction", "input", "output"))
    with gzip.open(data / "pref/hh_harmless_base_test.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from (json.loads(line)["chosen"].replace("Human:", "").replace("Assistant:", "") for line in file)
    for name in ("writing", "squad"):
        record = json.loads((data / f"detect/{name}_gpt2-xl.raw_data.json").read_text(encoding="utf-8"))
        yield from record["original"] + record["sampled"]


def like_reviews(text):
    """rt-polarity is in small letters, with spaces about its punctuation."""
    return " ".join(re.sub(r'([.,!?;:()"\[\]])', r" \1 ", text.lower()).split())


def write(path, records):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def split(name, data, out, fold):
    parts, seen = {"train": [], "val": [], "test": []}, set()
    for text, label in reviews(name, data):
        text = " ".join(text.split())
        if not text or text in seen:
            continue
        seen.add(text)
        at = (position(text) - 0.15 * fold) % 1
        parts["test" if at < 0.15 else "val" if at < 0.22 else "train"].append({"text": text, "label": label})
    for part, records in parts.items():
        records.sort(key=lambda record: position("order" + record["text"]))
        write(out / f"{part}.jsonl", records)
    if name == "rt":
        write(out / "more.jsonl", ({"text": like_reviews(text)} for text in other_text(data)))
    print({part: len(records) for part, records in parts.items()}, file=sys.stderr)


def malssi(*arguments):
    subprocess.run([MALSSI, *map(str, arguments)], check=True)


def probabilities(model, records):
    """Of the label "positive", for each record."""
    texts = "".join(record["text"] + "\n" for record in records)
    done = subprocess.run([MALSSI, "classify", "--json", "--model", model], input=texts.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line)["probabilities"]["positive"] for line in done.stdout.decode().splitlines()]


def rights(shares, records):
    return [int((share > 0.5) == (record["label"] == "positive")) for share, record in zip(shares, records, strict=True)]


def told(right):
    low, high = wilson(sum(right), len(right))
    return f"{100 * sum(right) / len(right):.1f}% ({100 * low:.1f} to {100 * high:.1f})"


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
    parser.add_argument("--seed", type=int, default=1337)
    parser.add_argument("--heads", type=int, default=3)
    parser.add_argument("--fold", type=int, default=0, choices=range(6))
    options = parser.parse_args()
    if not options.data.is_dir():
        sys.exit(f"no data at {options.data}: name the folder with --data")
    out = options.out / (options.name if options.fold == 0 else f"{options.name}-{options.fold}")
    out.mkdir(parents=True, exist_ok=True)
    split(options.name, options.data, out, options.fold)
    train(options, out)
    compare(options, out)


def train(options, out):
    recipe = RECIPES[options.name]
    common = ["--threads", options.threads]
    # Reviews are few beside the other text: they come three times.
    data = ["--data", out / "train.jsonl"] * (3 if options.name == "rt" else 1)
    data += ["--data", out / "more.jsonl"] if options.name == "rt" else []
    if not (out / "base/model").is_dir():
        malssi("pretrain", *data, "--val", out / "val.jsonl", *recipe["base"], "--samples", 0, "--seed", options.seed, *common,
               "--out", out / "base")
    kinds = {"classifier": [], "with-n-grams": recipe["ngrams"], ALONE: [*recipe["ngrams"], "--steps", 1, "--lr", "1e-12"]}
    for kind, more in kinds.items():
        for head in range(options.heads if kind != ALONE else 1):
            to = out / f"{kind}-{head}"
            if not (to / "model").is_dir():
                malssi("tune", "classify", "--model", out / "base", "--data", out / "train.jsonl", "--val", out / "val.jsonl",
                       *recipe["classifier"], *more, "--seed", options.seed + head, *common, "--out", to)


def compare(options, out):
    part = {name: [json.loads(line) for line in open(out / f"{name}.jsonl", encoding="utf-8")] for name in ("val", "test")}
    answers = {}
    for name, records in part.items():
        answers[name] = {ALONE: rights(probabilities(out / f"{ALONE}-0", records), records)}
        for kind in ("classifier", "with-n-grams"):
            heads = [probabilities(out / f"{kind}-{head}", records) for head in range(options.heads)]
            mean = [sum(shares) / len(shares) for shares in zip(*heads)]
            answers[name] |= {kind: rights(heads[0], records), f"{kind}, mean of {options.heads}": rights(mean, records)}
        for kind, right in answers[name].items():
            print(f"{kind}, {name}: {told(right)}")
    for features in ("words", "characters"):
        line = subprocess.run(
            [sys.executable, HERE / "bag_of_words.py", "--train", out / "train.jsonl", "--val", out / "val.jsonl", "--test",
             out / "test.jsonl", "--features", features, "--answers", out / "bag.txt"], stdout=subprocess.PIPE, check=True)
        baseline = [int(each) for each in open(out / "bag.txt", encoding="utf-8")]
        print(f"bag of {features}:", line.stdout.decode().strip())
        for kind, right in answers["test"].items():
            here, there, p = mcnemar(right, baseline)
            print(f"right alone: {kind} {here}, bag of {features} {there}; McNemar p = {p:.2g}")


ALONE = "n-grams-alone"  # a head that has learnt nothing beside the counts
RECIPES = {
    "nsmc": {
        "base": ["--vocab-size", 5000, "--width", 192, "--heads", 6, "--layers", 4, "--context", 64, "--dropout", "0.1", "--mode", "epoch",
                 "--batch-rows", 32, "--steps", 2600, "--lr", "1.5e-3", "--min-lr", "1e-4", "--warmup-steps", 60, "--eval-every", 250],
        "classifier": ["--epochs", 4, "--lr", "5e-4", "--lm-weight", "0.5", "--dropout", "0.2", "--batch-rows", 32, "--eval-every", 200,
                       "--weight-decay", "0.05"],
        "ngrams": ["--ngrams", "characters", "--ngram-buckets", 1 << 22],
    },
    "rt": {
        "base": ["--vocab-size", 10000, "--width", 192, "--heads", 6, "--layers", 4, "--context", 128, "--dropout", "0.15", "--mode",
                 "epoch", "--name", "muon", "--batch-rows", 24, "--steps", 3000, "--lr", "2e-3", "--min-lr", "1e-4", "--warmup-steps", 40,
                 "--eval-every", 500, "--eval-rows", 0, "--no-chat-tokens"],
        "classifier": ["--epochs", 6, "--lr", "2.5e-4", "--pooling", "mean", "--dropout", "0.4", "--token-dropout", "0.3", "--batch-rows", 32,
                       "--eval-every", 131, "--weight-decay", "0.1"],
        "ngrams": ["--ngrams", "words"],
    },
}

if __name__ == "__main__":
    main()
