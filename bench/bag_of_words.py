#!/usr/bin/env python3
"""A baseline for classifiers: logistic regression on words and pairs of words, L2, its strength chosen on the validation texts.

  bag_of_words.py --train train.jsonl --val val.jsonl --test test.jsonl [--answers answers.txt]

Records are {"text": .., "label": ..}. Features: which words (--features words: apart at white space, with their pairs) or pieces of
2 to 4 characters (--features characters) a text holds, those that occur in two training texts or more, each as 0 or 1 or by its
tf-idf of length 1 (chosen on the validation texts, too). Fitted by L-BFGS in float64 with PyTorch, regularised as scikit-learn has it:
C times the sum of the losses, plus half the squared norm. Prints a JSON object with the test's accuracy and its 95% interval
(Wilson); --answers writes 1 or 0 for each test text, right or wrong.
"""
import argparse
import collections
import json
import math

import torch


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def pieces(text, kind):
    if kind == "characters":
        line = " " + " ".join(text.split()) + " "
        return [line[i:i + n] for n in (2, 3, 4) for i in range(len(line) - n + 1)]
    words = text.split()
    return words + [a + " " + b for a, b in zip(words, words[1:])]


class Features:
    """Texts as bags of features: indices, where each text begins among them, and the features' values."""

    def __init__(self, texts, kind):
        counts = collections.Counter(p for text in texts for p in set(pieces(text, kind)))
        self.kind = kind
        self.index = {p: i for i, p in enumerate(sorted(p for p, n in counts.items() if n > 1))}
        self.idf = [0.0] * len(self.index)
        for p, i in self.index.items():
            self.idf[i] = math.log((1 + len(texts)) / (1 + counts[p])) + 1

    def bags(self, texts, weighting):
        ids, begins, values = [], [], []
        for text in texts:
            begins.append(len(ids))
            counts = collections.Counter(self.index[p] for p in pieces(text, self.kind) if p in self.index)
            own = [(i, n * self.idf[i] if weighting == "tf-idf" else 1.0) for i, n in sorted(counts.items())]
            norm = math.sqrt(sum(v * v for _, v in own)) if weighting == "tf-idf" else 1.0
            ids += [i for i, _ in own]
            values += [v / (norm or 1.0) for _, v in own]
        return torch.tensor(ids), torch.tensor(begins), torch.tensor(values, dtype=torch.float64)


def scores(bags, weight, bias):
    ids, begins, values = bags
    return torch.nn.functional.embedding_bag(ids, weight, begins, mode="sum", per_sample_weights=values) + bias


def fit(bags, labels, features, classes, strength):
    weight = torch.zeros(features, classes, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], lr=1, max_iter=200, history_size=10, line_search_fn="strong_wolfe",
                                  tolerance_grad=1e-4)

    def closure():
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(scores(bags, weight, bias), labels, reduction="sum")
        loss = (strength * loss + (weight ** 2).sum() / 2) / len(labels)
        loss.backward()
        return loss

    optimiser.step(closure)
    return weight.detach(), bias.detach()


def wilson(right, n, z=1.959963984540054):
    share, square = right / n, z * z / n
    half = z / (1 + square) * math.sqrt(share * (1 - share) / n + square / (4 * n))
    centre = (share + square / 2) / (1 + square)
    return centre - half, centre + half


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("train", "val", "test"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--features", choices=["words", "characters"], default="words")
    parser.add_argument("--answers")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sets = {name: read(getattr(options, name)) for name in ("train", "val", "test")}
    names = sorted({record["label"] for record in sets["train"]})
    labels = {name: torch.tensor([names.index(r["label"]) for r in records]) for name, records in sets.items()}
    texts = {name: [r["text"] for r in records] for name, records in sets.items()}
    features = Features(texts["train"], options.features)
    best = None
    for weighting in ("binary", "tf-idf"):
        bags = {name: features.bags(part, weighting) for name, part in texts.items()}
        for strength in ((0.03, 0.1, 0.3, 1) if weighting == "binary" else (1, 3, 10, 30)):
            model = fit(bags["train"], labels["train"], len(features.index), len(names), strength)
            right = (scores(bags["val"], *model).argmax(1) == labels["val"]).double().mean().item()
            if best is None or right > best[0]:
                best = (right, weighting, strength, scores(bags["test"], *model).argmax(1))
    right = best[3] == labels["test"]
    low, high = wilson(int(right.sum()), len(right))
    if options.answers:
        with open(options.answers, "w", encoding="utf-8") as file:
            file.writelines(f"{int(each)}\n" for each in right)
    print(json.dumps({"features": len(features.index), "kind": options.features, "weighting": best[1], "C": best[2],
                      "validation": best[0], "accuracy": right.double().mean().item(), "low": low, "high": high,
                      "texts": len(right)}))


if __name__ == "__main__":
    main()
