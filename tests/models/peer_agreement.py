#!/usr/bin/env python3
"""Compares this program with llama.cpp on tiny random models of every family that GGUF has, and prints llama.cpp's answers as
golden_peer.json for peer_test.cc. Weights follow a formula that the C++ test repeats (see hashed()).

Run by hand where python3-torch and llama.cpp's programs are:
  python3 peer_agreement.py build/release/malssi LLAMA_CPP/build/bin TOKENIZER [--width 256] > golden_peer.json
TOKENIZER: a vocabulary of at most 512 pieces that malssi convert reads. What agrees and what does not goes to standard error.
With --width 256 each model is also quantised by both programs and each file run by both; nothing is printed as golden.
"""
import argparse
import contextlib
import json
import math
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

import numpy
import torch

import golden
import golden_families

PROMPT, STEPS, PORT = "Once upon a time", 64, 18731
TYPES = ("Q8_0", "Q4_0", "Q4_K_M", "Q6_K")


def hashed(name, shape):
    """Evenly spread numbers: element i of a weight is a hash of i and of the sum over its name's bytes c_j (j + 1)."""
    seed = sum(c * (j + 1) for j, c in enumerate(name.encode()))
    with numpy.errstate(over="ignore"):
        x = numpy.arange(math.prod(shape), dtype=numpy.uint64) + numpy.uint64(seed << 32)
        x = (x ^ (x >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        x = x ^ (x >> numpy.uint64(31))
    unit = (x >> numpy.uint64(40)).astype(numpy.float64) / 2**23 - 1
    if "norm" in name or "ln_" in name and name.endswith(".weight"):
        unit = 1 + 0.3 * unit
    else:
        unit *= 2.1 / math.sqrt(shape[-1]) if len(shape) > 1 else 0.3
    return unit.astype(numpy.float32).reshape(shape)


def configs(width):
    """golden_families' decoders, wide enough for blocks of 32 (64) or 256, with 512 tokens and positions."""
    wider = {"vocab_size": 512, "hidden_size": width, "intermediate_size": 2 * width, "max_position_embeddings": 512}
    window = {"sliding_window": 16}
    for c in golden_families.configs():
        kind = c["model_type"]
        if kind == "phi3" or kind == "exaone4" or kind == "llama" and c["rope_scaling"]["rope_type"] == "linear":
            continue  # phi3: below; the others want more layers or are llama again
        c = {**c, **wider, **({"head_dim": width // 4} if "head_dim" in c else {}), **(window if "sliding_window" in c else {})}
        if "moe_intermediate_size" in c:
            c["moe_intermediate_size"] = width
        if "shared_expert_intermediate_size" in c:
            c["shared_expert_intermediate_size"] = width
        if c.get("attn_logit_softcapping"):
            c.update(attn_logit_softcapping=20.0, final_logit_softcapping=10.0)
        if "query_pre_attn_scalar" in c:
            c["query_pre_attn_scalar"] = width // 4
        if kind == "mistral":
            del c["sliding_window"]  # GGUF's llama has no window
        if c.get("rope_scaling", {}).get("rope_type") == "llama3":
            c["rope_scaling"] = dict(c["rope_scaling"], original_max_position_embeddings=128)
        yield c
    base = {k: v for k, v in next(golden_families.configs()).items() if k != "rope_scaling"}
    yield {**base, **wider, "model_type": "llama"}
    yield {**base, **wider, "model_type": "phi3", "original_max_position_embeddings": 512, "sliding_window": 512}
    yield {"model_type": "gpt2", "vocab_size": 512, "n_embd": width, "n_layer": 2, "n_head": 4, "n_positions": 512,
           "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new", "tie_word_embeddings": True}


def shapes(c):
    if c["model_type"] == "gpt2":
        w = golden.gpt2_weights({"vocab": c["vocab_size"], "width": c["n_embd"], "layers": c["n_layer"], "context": c["n_positions"]})
    else:
        w = golden_families.Weights()
        golden_families.decoder(c, torch.tensor([1, 2, 3]), w)
    return {name: tuple(t.shape) for name, t in w.items()}


def write_folder(folder, c):
    """config.json and model.safetensors."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({**c, "bos_token_id": 1, "eos_token_id": 2}))
    header, data, at = {}, [], 0
    for name, shape in shapes(c).items():
        data.append(hashed(name, shape).tobytes())
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + len(data[-1])]}
        at += len(data[-1])
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def must(*command):
    result = subprocess.run([str(x) for x in command], capture_output=True, text=True, timeout=300)
    if result.returncode != 0:
        raise RuntimeError(f"{command[0]} {command[1]}: {(result.stderr + result.stdout)[-400:]}")
    return result.stdout


def ask(path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)


@contextlib.contextmanager
def served(bin_, model, *more):
    log = tempfile.TemporaryFile("w+")
    server = subprocess.Popen([bin_ / "llama-server", "-m", model, "--port", str(PORT), "-t", "1", "-ngl", "0", "--no-warmup", "-c", "256",
                               "-np", "1", "-fa", "off", "-ctk", "f32", "-ctv", "f32", *more], stdout=log, stderr=log)
    try:
        for _ in range(300):
            if server.poll() is not None:
                log.seek(0)
                lines = [line for line in log.read().splitlines() if "error" in line.lower() or "fail" in line.lower()]
                raise RuntimeError("llama-server: " + " | ".join(lines[:2]))
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=5)
                break
            time.sleep(0.1)
        yield
    finally:
        server.kill()
        server.wait()


def theirs(bin_, model, *more):
    """The answer's ids; for each the log-probability and its lead over the second, and one step's probabilities of all 512. The
    server tells none for a byte that ends inside a character (null), and drops them from a longer list, so steps are asked singly."""
    ids, logprobs, leads, shown = [], [], [], None
    with served(bin_, model, *more):
        prompt = ask("/tokenize", {"content": PROMPT, "add_special": True})["tokens"]
        for step in range(STEPS):
            reply = ask("/completion", {"prompt": prompt + ids, "n_predict": 1, "temperature": 0, "n_probs": 512, "ignore_eos": True,
                                        "return_tokens": True, "cache_prompt": False})
            ids += reply["tokens"]
            told = reply.get("completion_probabilities")
            logprobs.append(told[0]["logprob"] if told else None)
            top = sorted((t["logprob"] for t in told[0]["top_logprobs"] if t["id"] != 2), reverse=True) if told else None
            leads.append(top[0] - top[1] if told else None)
            if told and not shown:
                every = {t["id"]: t["logprob"] for t in told[0]["top_logprobs"]}
                shown = {"step": step, "logprobs": [round(every[i], 4) for i in range(512)]}
    return {"prompt": prompt, "ids": ids, "logprobs": logprobs, "leads": leads, "shown": shown}


def ours(malssi, model, *more):
    """The answer's ids and log-probabilities, up to an end of text."""
    return json.loads(must(malssi, "generate", "--model", model, "--prompt", PROMPT, "--greedy", "--max-tokens", STEPS, "--json", *more))


def compare(label, want, got):
    tokens = got["generations"][0]["tokens"]
    tokens = [t for t in tokens if t["id"] != 2]  # llama.cpp passes over an end of text
    ids = [t["id"] for t in tokens]
    same = next((i for i, (a, b) in enumerate(zip(want["ids"], ids)) if a != b), min(len(ids), len(want["ids"])))
    off = max((abs(t["logprob"] - p) for t, p in zip(tokens[:same], want["logprobs"]) if p is not None), default=0)
    lead = f", where llama.cpp's leads by {want['leads'][same]}" if same < len(ids) else ""
    print(f"{label}: {same} of {len(ids)} tokens agree{lead}; log-probabilities within {off:.2g}", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("malssi", type=pathlib.Path)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("--width", type=int, default=64)
    args = parser.parse_args()
    answers = []
    work = pathlib.Path(tempfile.mkdtemp())
    for i, c in enumerate(configs(args.width)):
        label = f"{c['model_type']} {i}"
        try:
            write_folder(work / str(i), c)
            f32 = work / f"{i}.gguf"
            must(args.malssi, "convert", work / str(i), f32, "--tokenizer", args.tokenizer)
            want = theirs(args.bin, f32)
            compare(f"{label} F32", want, ours(args.malssi, f32))
            answers.append({"config": c, "prompt": want["prompt"], "ids": want["ids"],
                            "leads": [x and round(x, 4) for x in want["leads"]], "shown": want["shown"]})
            for kind in TYPES if args.width % 256 == 0 else ():
                by_them, by_us = work / f"{i}.{kind}.theirs.gguf", work / f"{i}.{kind}.ours.gguf"
                must(args.bin / "llama-quantize", f32, by_them, kind)
                must(args.malssi, "quantize", f32, by_us, "--type", kind)
                for who, file in (("llama.cpp's", by_them), ("our", by_us)):
                    compare(f"{label} {who} {kind}", theirs(args.bin, file), ours(args.malssi, file))
        except (RuntimeError, KeyError, OSError) as error:
            print(f"{label}: {type(error).__name__} {error}", file=sys.stderr, flush=True)
    shutil.rmtree(work)
    if args.width == 64:
        print("[" + ",\n".join(json.dumps(a, separators=(",", ":")) for a in answers) + "]")


if __name__ == "__main__":
    main()
