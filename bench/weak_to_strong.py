#!/usr/bin/env python3
"""Weak-to-strong generalisation (Burns et al. 2023) in small, on Korean film reviews (NSMC, rebuilt): can a strong model learn more from
a weak one's labels than the weak one knows?

  weak_to_strong.py [--data ../shared/data] [--out runs/weak-to-strong] [--texts N] [--weak-texts N] [--steps N] [--epochs N]
    [--threads N] [--seed N]

Two decoders, a weak and a strong one, are pretrained on the training reviews without labels. The weak one becomes a classifier on half of
the reviews with their true labels and labels the other half. On that half the strong one becomes a classifier three times: from the weak
labels; from them with the confidence loss (malssi tune classify --confidence); and from the true labels, which is the ceiling. Prints
test accuracies and the performance gap recovered, (from weak labels - weak) / (ceiling - weak), with 95% intervals from a bootstrap
over the test texts (training is not repeated: draws of the seed are not in them). No test text is seen before the end.
"""
import argparse
import json
import os
import random
import subprocess
import sys
from pathlib import Path

from text_classification import position, predictions, reviews, write

HERE = Path(__file__).resolve().parent
MALSSI = os.environ.get("MALSSI", str(HERE.parent / "build/release/malssi"))
SHAPES = {"weak": ["--width", 32, "--heads", 2, "--layers", 1], "strong": ["--width", 128, "--heads", 4, "--layers", 3]}
RESAMPLES = 2000


def malssi(*arguments):
    subprocess.run([MALSSI, *map(str, arguments)], check=True)


def split(options):
    """Test texts, and two halves of the others, by the hash of the text."""
    parts, seen = {"test": [], "first": [], "second": []}, set()
    for text, label in reviews("nsmc", options.data):
        text = " ".join(text.split())
        if text and text not in seen:
            seen.add(text)
            at = position(text)
            parts["test" if at < 0.15 else "first" if at < 0.575 else "second"].append({"text": text, "label": label})
    for part, records in parts.items():
        records.sort(key=lambda record: position("order" + record["text"]))
        write(options.out / f"{part}.jsonl", records if part == "test" else records[:options.texts])


def load(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def interval(values):
    values = sorted(values)
    return values[int(0.025 * len(values))], values[int(0.975 * len(values)) - 1]


def recovered(weak, taught, ceiling):
    """The share of the gap, and its interval: each a list of 0 and 1, one for each test text."""
    def share(numbers):
        low, middle, high = (sum(each[i] for i in numbers) for each in (weak, taught, ceiling))
        return (middle - low) / (high - low) if high > low else None
    rng, every = random.Random(1), range(len(weak))
    drawn = [share(rng.choices(every, k=len(weak))) for _ in range(RESAMPLES)]
    return share(every), interval([each for each in drawn if each is not None])


def accuracy(right):
    rng = random.Random(2)
    drawn = [sum(rng.choices(right, k=len(right))) / len(right) for _ in range(RESAMPLES)]
    return sum(right) / len(right), interval(drawn)


def train(options):
    out, common = options.out, ["--threads", options.threads, "--seed", options.seed]
    for name, shape in SHAPES.items():
        if not (out / f"{name}-base/model").is_dir():
            malssi("pretrain", "--data", out / "first.jsonl", "--data", out / "second.jsonl", "--vocab-size", 3000, *shape, "--context",
                   64, "--mode", "epoch", "--batch-rows", 32, "--steps", options.steps, "--lr", "1.5e-3", "--warmup-steps", 40,
                   "--eval-every", 0, "--samples", 0, *common, "--out", out / f"{name}-base")

    def classifier(name, base, data, *more):
        if not (out / name / "model").is_dir():
            malssi("tune", "classify", "--model", out / f"{base}-base", "--data", data, "--epochs", options.epochs, "--lr", "5e-4",
                   "--lm-weight", "0.5", "--dropout", "0.1", "--batch-rows", 32, "--eval-every", 100, *more, *common, "--out", out / name)

    write(out / "known.jsonl", load(out / "first.jsonl")[:options.weak_texts])
    classifier("weak", "weak", out / "known.jsonl")
    second = load(out / "second.jsonl")
    labels = predictions(out / "weak", out / "second.jsonl")
    write(out / "labelled.jsonl", ({"text": each["text"], "label": label} for each, label in zip(second, labels, strict=True)))
    wrong = sum(each["label"] != label for each, label in zip(second, labels, strict=True))
    print(f"weak labels: {len(labels)}, of them wrong: {wrong / len(labels):.1%}")
    classifier("taught", "strong", out / "labelled.jsonl")
    classifier("confident", "strong", out / "labelled.jsonl", "--confidence", "0.5")
    classifier("ceiling", "strong", out / "second.jsonl")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent / "../shared/data")
    parser.add_argument("--out", type=Path, default=Path("runs/weak-to-strong"))
    parser.add_argument("--texts", type=int, default=8000, help="of each half, at most")
    parser.add_argument("--weak-texts", type=int, default=8000, help="of the first half whose true labels the weak model learns from")
    parser.add_argument("--steps", type=int, default=1000, help="of pretraining")
    parser.add_argument("--epochs", type=int, default=3, help="of each classifier")
    parser.add_argument("--threads", default="0")
    parser.add_argument("--seed", default="1337")
    options = parser.parse_args()
    if not options.data.is_dir():
        sys.exit(f"no data at {options.data}: name the folder with --data")
    options.out.mkdir(parents=True, exist_ok=True)
    split(options)
    train(options)
    truth = [each["label"] for each in load(options.out / "test.jsonl")]
    right = {}
    for name in ("weak", "taught", "confident", "ceiling"):
        answers = predictions(options.out / name, options.out / "test.jsonl")
        right[name] = [int(answer == label) for answer, label in zip(answers, truth, strict=True)]
        share, (low, high) = accuracy(right[name])
        print(f"{name:<10} accuracy {share:.2%} ({low:.2%} to {high:.2%}) on {len(truth)} texts")
    for name in ("taught", "confident"):
        share, (low, high) = recovered(right["weak"], right[name], right["ceiling"])
        told = "undefined: the ceiling is not above the weak model" if share is None else f"{share:.1%} ({low:.1%} to {high:.1%})"
        print(f"{name:<10} performance gap recovered {told}")


if __name__ == "__main__":
    main()
