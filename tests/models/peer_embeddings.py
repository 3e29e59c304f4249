#!/usr/bin/env python3
"""Prints llama.cpp's embeddings by a tiny random BERT, and the scores of the same as a classifier, as golden_embeddings.json for
tests/infer/embed_test.cc and classifier_gguf_test.cc. (GGUF has no place for RoBERTa and DistilBERT.) llama.cpp computes BERT's GELU by the formula with tanh, whatever config.json says.

Run by hand where python3-torch and llama.cpp's programs are:
  python3 peer_embeddings.py build/release/malssi LLAMA_CPP/build/bin TOKENIZER > golden_embeddings.json
"""
import argparse
import json
import pathlib
import tempfile

import torch

import golden_families
import peer_agreement as peer

IDS = [1, 403, 407, 261, 378, 2]


def scores_of(args, work, c, shapes):
    """By a head for three labels; the server prints as many numbers as the model is wide, of which it has set these."""
    names = {f"bert.{name}": tuple(t.shape) for name, t in shapes.items()}
    names |= {"bert.pooler.dense.weight": (64, 64), "bert.pooler.dense.bias": (64,), "classifier.weight": (3, 64), "classifier.bias": (3,)}
    labels = {"architectures": ["BertForSequenceClassification"], "id2label": {str(i): f"LABEL_{i}" for i in range(3)}}
    peer.write_folder(work / "classifier", {**c, **labels}, {name: peer.hashed(name, shape) for name, shape in names.items()})
    peer.must(args.malssi, "convert", work / "classifier", work / "classifier.gguf", "--tokenizer", args.tokenizer)
    with peer.served(args.bin, work / "classifier.gguf", "--embedding", "-c", "64", "-ub", "64"):
        return [round(x, 5) for x in peer.ask("/embedding", {"content": IDS, "embd_normalize": -1})[0]["embedding"][0][:3]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("malssi", type=pathlib.Path)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("tokenizer", type=pathlib.Path)
    args = parser.parse_args()
    c = {**next(golden_families.encoder_configs()), "vocab_size": 512, "hidden_size": 64, "intermediate_size": 128,
         "max_position_embeddings": 64}
    shapes = golden_families.Weights()
    golden_families.encoder(c, torch.tensor(IDS), shapes)
    vectors = {}
    with tempfile.TemporaryDirectory() as work:
        folder, file = pathlib.Path(work) / "bert", pathlib.Path(work) / "bert.gguf"
        peer.write_folder(folder, c, {name: peer.hashed(name, tuple(t.shape)) for name, t in shapes.items()})
        peer.must(args.malssi, "convert", folder, file, "--tokenizer", args.tokenizer)
        for pooling in ("none", "cls", "mean", "last"):
            with peer.served(args.bin, file, "--embedding", "--pooling", pooling, "-c", "64", "-ub", "64"):
                rows = peer.ask("/embedding", {"content": IDS, "embd_normalize": -1})[0]["embedding"]
            vectors[pooling] = [[round(x, 5) for x in row] for row in rows]
        scores = scores_of(args, pathlib.Path(work), c, shapes)
    print(json.dumps({"config": c, "ids": IDS, "vectors": vectors, "scores": scores}, separators=(",", ":")))


if __name__ == "__main__":
    main()
