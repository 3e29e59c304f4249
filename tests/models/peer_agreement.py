#!/usr/bin/env python3
"""Compares this program with llama.cpp on tiny random models of every family that GGUF has, and prints llama.cpp's answers as
golden_peer.json for peer_test.cc. Weights follow a formula that the C++ test repeats (see hashed()).

Run by hand where python3-torch and llama.cpp's programs are:
  python3 peer_agreement.py build/release/malssi LLAMA_CPP/build/bin TOKENIZER > golden_peer.json
TOKENIZER: a vocabulary of at most 512 pieces that malssi convert reads. What agrees and what does not goes to standard error.

llama.cpp looks GELU up in a table of f16, which moves the log-probabilities of Gemma and GPT-2 by up to 0.003: build it without
(no GGML_GELU_FP16 in ggml/src/ggml-cpu/vec.h), and all families agree to 1e-5. The golden values are of such a build. Its
"llama" architecture has no sliding window: Mistral's is left out here, and a text longer than the window differs there.
"""
import argparse
import contextlib
import itertools
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


def mixed(x):
    x = (x ^ (x >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return x ^ (x >> numpy.uint64(31))


def hashed(name, shape):
    """Evenly spread numbers: element i of a weight is a hash of i and of the sum over its name's bytes c_j (j + 1)."""
    seed = sum(c * (j + 1) for j, c in enumerate(name.encode()))
    with numpy.errstate(over="ignore"):
        x = mixed(numpy.arange(math.prod(shape), dtype=numpy.uint64) + numpy.uint64(seed << 32))
    unit = (x >> numpy.uint64(40)).astype(numpy.float64) / 2**23 - 1
    if "norm" in name or name.endswith("LayerNorm.weight") or "ln_" in name and name.endswith(".weight"):
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
            continue  # below, and in more_configs()
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


def more_configs():
    """What needs comparing in one precision only."""
    base = {k: v for k, v in next(golden_families.configs()).items() if k != "rope_scaling"}
    base.update(vocab_size=512, hidden_size=64, intermediate_size=128, max_position_embeddings=512)
    yield {**base, "model_type": "llama", "rope_scaling": {"rope_type": "linear", "factor": 2.5}}
    # LongRoPE's short factors in a text within the original context, its long ones in one that begins beyond it.
    longrope = {"rope_type": "longrope", "short_factor": [1.0, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2.0],
                "long_factor": [1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 16.0]}
    for original, longest in ((512, 2048), (4, 512)):
        yield {**base, "model_type": "phi3", "max_position_embeddings": longest, "original_max_position_embeddings": original,
               "rope_scaling": {**longrope, "factor": longest / original, "original_max_position_embeddings": original}}
    # Its small model sees everything and turns everything; llama.cpp knows the large one by its 64 layers.
    yield {**base, "model_type": "exaone4", "sliding_window": None}
    yield {**base, "model_type": "exaone4", "num_hidden_layers": 64, "hidden_size": 32, "intermediate_size": 32,
           "sliding_window": 16, "layer_types": (["sliding_attention"] * 3 + ["full_attention"]) * 16}


def shapes(c):
    if c["model_type"] == "gpt2":
        w = golden.gpt2_weights({"vocab": c["vocab_size"], "width": c["n_embd"], "layers": c["n_layer"], "context": c["n_positions"]})
    else:
        w = golden_families.Weights()
        golden_families.decoder(c, torch.tensor([1, 2, 3]), w)
    return {name: tuple(t.shape) for name, t in w.items()}


def write_folder(folder, c, weights=None):
    """config.json and model.safetensors."""
    weights = weights or {name: hashed(name, shape) for name, shape in shapes(c).items()}
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({**c, "bos_token_id": 1, "eos_token_id": 2}))
    header, data, at = {}, [], 0
    for name, w in weights.items():
        data.append(w.tobytes())
        header[name] = {"dtype": "F32", "shape": w.shape, "data_offsets": [at, at + len(data[-1])]}
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
    """The answer's ids; for each the log-probability and its lead over the second, and one step's probabilities of every fourth
    token. The server tells none for a byte that ends inside a character (null), and drops them from a longer list, so steps are
    asked singly."""
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
                shown = {"step": step, "logprobs": [round(every[i], 4) for i in range(0, 512, 4)]}
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
    args = parser.parse_args()
    answers = []
    work = pathlib.Path(tempfile.mkdtemp())
    for i, c in enumerate(itertools.chain(configs(64), more_configs())):
        label = f"{c['model_type']} {i}"
        try:
            write_folder(work / str(i), c)
            f32 = work / f"{i}.gguf"
            must(args.malssi, "convert", work / str(i), f32, "--tokenizer", args.tokenizer)
            want = theirs(args.bin, f32)
            compare(f"{label} F32", want, ours(args.malssi, f32))
            answers.append({"config": c, "prompt": want["prompt"], "ids": want["ids"],
                            "leads": [x and round(x, 4) for x in want["leads"]], "shown": want["shown"]})
        except (RuntimeError, KeyError, OSError) as error:
            print(f"{label}: {type(error).__name__} {error}", file=sys.stderr, flush=True)
    shutil.rmtree(work)
    print("[" + ",\n".join(json.dumps(a, separators=(",", ":")) for a in answers) + "]")


if __name__ == "__main__":
    main()
