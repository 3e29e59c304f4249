#!/usr/bin/env python3
"""Compares quantised files with llama.cpp's: tiny models of every family, quantised by both programs, each file run by both.
Prints llama.cpp's answers as golden_quantised.json for tests/infer/peer_quantised_test.cc; what agrees goes to standard error.

Run by hand where python3-torch and llama.cpp's programs are:
  python3 peer_quantised.py build/release/malssi LLAMA_CPP/build/bin tok512.bin stories260K.bin > golden_quantised.json

llama.cpp rounds activations to int8 in blocks of 32 (of 256 for the k formats) with a scale in f16 (f32), this program in
blocks of 32 with a scale in f32. Run in float64 with the one or the other rounding, the dequantised weights give either
program's log-probabilities to 1e-6; both are 0.02 to 0.15 (root mean square) from those of exact activations, this program's no
further than llama.cpp's. Where two tokens are closer than that, the rounding decides: in random models at every third step, so
these have a token that leads (see with_table()); in stories260K, which is trained, now and then, and llama.cpp with its cache in
f16 then parts from itself with its cache in f32 as well.
"""
import argparse
import json
import pathlib
import shutil
import struct
import sys
import tempfile

import numpy

import peer_agreement as peer

FIRST, COUNT, STEP = 259, 253, 100  # of the tokens that follow one another; the others are bytes
TYPES = ("Q8_0", "Q4_0", "Q4_K_M", "Q6_K")
ROWS = ("gate_proj", "up_proj", "w1", "w3", "c_fc_0", "c_fc_1", "gate_up_proj", "mlp.c_fc")
COLUMNS = ("down_proj", "w2", "mlp.c_proj")


def next_token(token):
    return FIRST + (token - FIRST + STEP) % COUNT


def with_table(c, shapes):
    """Random weights, but the last layer's MLP knows which token follows which: its unit k answers to the embedding of one token
    and adds that of the next, which the output layer reads."""
    layers = c.get("num_hidden_layers") or c.get("num_layers") or c["n_layer"]
    gemma, gpt2 = c["model_type"].startswith("gemma"), c["model_type"] == "gpt2"
    embedding = next(name for name in shapes if name.endswith(("embed_tokens.weight", "wte.weight")))
    vectors = peer.hashed(embedding, shapes[embedding])
    tokens = numpy.arange(FIRST, FIRST + COUNT)
    size = numpy.float32(4 if gemma else 16)  # of the embedding, which what the layers add does not drown
    added = numpy.float32(1 if gemma else 0)  # to the weights of norms
    weights = {}
    for name, shape in shapes.items():
        w, kind = peer.hashed(name, shape), name.removesuffix(".weight")
        is_last = next((int(p) for p in name.split(".") if p.isdigit()), -1) == layers - 1
        if name == embedding:
            w = size * w
        elif name == "lm_head.weight":
            w = vectors
        elif kind in ("model.norm", "transformer.ln_f", "transformer.ln_f.bias") and (gemma or gpt2):  # the embedding is the output layer
            w = (w + added) / size - added
        elif is_last and kind.endswith("post_feedforward_layernorm"):
            w = (w + added) * 8 - added
        elif is_last and kind.endswith(ROWS):
            rows = w.T if gpt2 else w
            for start in range(0, len(rows), len(rows) // (2 if kind.endswith("gate_up_proj") else 1)):
                rows[start : start + COUNT] = vectors[tokens] * (0.25 if gemma else 0.5)
        elif is_last and kind.endswith("c_fc.bias"):
            w[:COUNT] = -2
        elif is_last and kind.endswith(COLUMNS):
            columns = w if gpt2 else w.T
            columns[:COUNT] = vectors[next_token(tokens)] * (16 if gpt2 else 3 if gemma else layers / 2)
        weights[name] = w.astype(numpy.float32)
    return weights


def data_of(path):
    """The tensors' bytes of a GGUF file by name."""
    raw = path.read_bytes()
    at, tensors = 8, []

    def take(code):
        nonlocal at
        value = struct.unpack_from("<" + code, raw, at)[0]
        at += struct.calcsize("<" + code)
        return value

    def text():
        nonlocal at
        size = take("Q")
        at += size
        return raw[at - size : at].decode()

    def skip(kind):
        if kind == 8:
            text()
        elif kind == 9:
            inner, count = take("I"), take("Q")
            for _ in range(count):
                skip(inner)
        else:
            take("BbHhIif?  Qqd"[kind])

    count, keys = take("Q"), take("Q")
    for _ in range(keys):
        text()
        skip(take("I"))
    for _ in range(count):
        name = text()
        for _ in range(take("I")):
            take("Q")
        take("I")
        tensors.append((take("Q"), name))
    start = (at + 31) // 32 * 32
    tensors.sort()
    ends = [offset for offset, _ in tensors[1:]] + [len(raw) - start]
    return {name: raw[start + offset : start + end] for (offset, name), end in zip(tensors, ends)}


def checksum(path):
    """Every byte times the hash of its place, so that a test can tell the file without holding it."""
    total = 0
    for name, data in data_of(path).items():
        seed = sum(c * (j + 1) for j, c in enumerate(name.encode()))
        with numpy.errstate(over="ignore"):
            x = peer.mixed(numpy.arange(len(data), dtype=numpy.uint64) + numpy.uint64(seed << 32))
            total += int((numpy.frombuffer(data, numpy.uint8).astype(numpy.uint64) * x).sum(dtype=numpy.uint64))
    return f"{total % 2**64:016x}"


def compare_types(args, label, f32, types):
    """Quantises by both programs and runs each file by both; what llama.cpp said."""
    files, prompt = {}, []
    for kind in types:
        by_them, by_us = f32.with_suffix(f".{kind}.theirs.gguf"), f32.with_suffix(f".{kind}.ours.gguf")
        peer.must(args.bin / "llama-quantize", f32, by_them, kind)
        peer.must(args.malssi, "quantize", f32, by_us, "--type", kind)
        want = peer.theirs(args.bin, by_them)
        peer.compare(f"{label} llama.cpp's {kind}", want, peer.ours(args.malssi, by_them))
        peer.compare(f"{label} our {kind}", peer.theirs(args.bin, by_us), peer.ours(args.malssi, by_us))
        if checksum(by_them) != checksum(by_us):
            print(f"{label} {kind}: the files differ", file=sys.stderr)
        prompt = want["prompt"]
        files[kind] = {"checksum": checksum(by_them), "ids": want["ids"], "leads": [x and round(x, 2) for x in want["leads"]]}
    return {"prompt": prompt, "files": files}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("malssi", type=pathlib.Path)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("stories", type=pathlib.Path)
    args = parser.parse_args()
    families = []
    work = pathlib.Path(tempfile.mkdtemp())
    for i, c in enumerate(peer.configs(256)):
        folder = work / str(i)
        peer.write_folder(folder, c, with_table(c, peer.shapes(c)))
        peer.must(args.malssi, "convert", folder, work / f"{i}.gguf", "--tokenizer", args.tokenizer)
        families.append({"config": c, **compare_types(args, f"{c['model_type']} {i}", work / f"{i}.gguf", TYPES)})
    f32 = work / "stories.gguf"
    peer.must(args.malssi, "convert", args.stories, f32, "--tokenizer", args.tokenizer)
    peer.STEPS = 200
    stories = compare_types(args, "stories", f32, ("Q8_0", "Q4_0"))
    shutil.rmtree(work)
    lines = ",\n".join(json.dumps(e, separators=(",", ":")) for e in families)
    print(f'{{"families":[{lines}],\n"stories":{json.dumps(stories, separators=(",", ":"))}}}')


if __name__ == "__main__":
    main()
