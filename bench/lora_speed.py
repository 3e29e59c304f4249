#!/usr/bin/env python3
"""Answers of many requests at once with LoRA adapters, side by side with llama.cpp's llama-server: all without one, all with the
same, each with one of its own. A Llama of 150M random weights (12 layers of 1024) in Q8_0, adapters of rank 16 on all matrices;
alternating runs, medians.

    bench/lora_speed.py --peer PATH/llama-server --tokenizer ../shared/data/weights/tok512.bin

Needs a built program (./malssi --version), a llama-server built for this machine, and python3-numpy.
"""
import argparse
import concurrent.futures
import json
import pathlib
import statistics
import struct
import subprocess
import tempfile
import time
import urllib.request

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/malssi"
WIDTH, HIDDEN, LAYERS, VOCAB, RANK, PORT = 1024, 2816, 12, 512, 16, 18733
PROMPT = "Once upon a time, there was a dog named"
SHAPES = {"self_attn.q_proj": (WIDTH, WIDTH), "self_attn.k_proj": (WIDTH, WIDTH), "self_attn.v_proj": (WIDTH, WIDTH),
          "self_attn.o_proj": (WIDTH, WIDTH), "mlp.gate_proj": (HIDDEN, WIDTH), "mlp.up_proj": (HIDDEN, WIDTH), "mlp.down_proj": (WIDTH, HIDDEN)}
MATRICES = {f"model.layers.{i}.{name}": shape for i in range(LAYERS) for name, shape in SHAPES.items()}


def write_folder(folder, shapes, weights, name, config, seed):
    """Random numbers of these shapes, ones for norms, as weights, and the config as name."""
    rng = numpy.random.default_rng(seed)
    folder.mkdir()
    header, data, at = {}, [], 0
    for tensor, shape in shapes.items():
        numbers = numpy.ones(shape) if "norm" in tensor else 0.02 * rng.standard_normal(shape, dtype=numpy.float32)
        data.append(numbers.astype(numpy.float16).tobytes())
        header[tensor] = {"dtype": "F16", "shape": shape, "data_offsets": [at, at + len(data[-1])]}
        at += len(data[-1])
    text = json.dumps(header).encode()
    (folder / weights).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))
    (folder / name).write_text(json.dumps(config))


def run(*command):
    return subprocess.run([str(c) for c in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def prepare(a, work):
    """The model's GGUF file and the adapters', as both programs read them."""
    shapes = {name + ".weight": shape for name, shape in MATRICES.items()}
    shapes |= {f"model.layers.{i}.{n}_layernorm.weight": (WIDTH,) for i in range(LAYERS) for n in ("input", "post_attention")}
    shapes |= {"model.embed_tokens.weight": (VOCAB, WIDTH), "lm_head.weight": (VOCAB, WIDTH), "model.norm.weight": (WIDTH,)}
    write_folder(work / "base", shapes, "model.safetensors", "config.json",
                 {"model_type": "llama", "vocab_size": VOCAB, "hidden_size": WIDTH, "intermediate_size": HIDDEN, "num_hidden_layers": LAYERS,
                  "num_attention_heads": 16, "num_key_value_heads": 16, "max_position_embeddings": 1024, "rms_norm_eps": 1e-5}, 0)
    run(PROGRAM, "convert", work / "base", work / "wide.gguf", "--tokenizer", a.tokenizer, "--dtype", "f16")
    run(PROGRAM, "quantize", work / "wide.gguf", work / "model.gguf", "--type", "q8_0")
    pairs = {f"base_model.model.{name}.lora_{x}.weight": (RANK, shape[1]) if x == "A" else (shape[0], RANK)
             for name, shape in MATRICES.items() for x in "AB"}
    for i in range(a.requests):
        write_folder(work / f"lora{i}", pairs, "adapter_model.safetensors", "adapter_config.json",
                     {"peft_type": "LORA", "r": RANK, "lora_alpha": 2 * RANK, "target_modules": "all-linear"}, i + 1)
        run(PROGRAM, "convert", work / f"lora{i}", work / f"lora{i}.gguf", "--base", work / "base")
    return [work / f"lora{i}.gguf" for i in range(a.requests)]


def malssi(a, work, loras, mixes):
    """Seconds until all answers are there, the program's start included."""
    (work / "prompts.jsonl").write_text("".join(json.dumps({"prompt": PROMPT, "lora": mix}) + "\n" for mix in mixes))
    flags = [x for lora in loras for x in ("--lora", lora)]
    start = time.monotonic()
    run(PROGRAM, "--threads", a.threads, "generate", "--model", work / "model.gguf", "--prompts", work / "prompts.jsonl", "--parallel",
        a.requests, "--greedy", "--logit-bias", "2=-100", "--max-tokens", a.tokens, *flags)
    return time.monotonic() - start


def ask(a, mix):
    body = {"prompt": PROMPT, "n_predict": a.tokens, "temperature": 0, "ignore_eos": True, "cache_prompt": False,
            "lora": [{"id": i, "scale": scale} for i, scale in enumerate(mix)]}
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as reply:
        return json.load(reply)


def llama(a, mixes):
    """The same of the server, which runs already."""
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(mixes)) as clients:
        list(clients.map(lambda mix: ask(a, mix), mixes))
    return time.monotonic() - start


def compare(a, work):
    loras = prepare(a, work)
    flags = ["--lora", ",".join(map(str, loras)), "--lora-init-without-apply"]
    server = subprocess.Popen([str(x) for x in (a.peer, "-m", work / "model.gguf", "--port", PORT, "-t", a.threads, "-np", a.requests, "-c",
                                                256 * a.requests, *flags)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=5)
                break
            except OSError:
                time.sleep(0.2)
        n = a.requests
        cases = {"none": [[0] * n] * n, "all the same": [[1] + [0] * (n - 1)] * n,
                 "each its own": [[int(i == j) for j in range(n)] for i in range(n)]}
        print(f"{n} requests of {a.tokens} tokens at once, {a.threads} threads, medians of {a.rounds} alternating runs")
        print("| adapters | malssi tok/s | llama-server | ratio |\n|---|---|---|---|")
        for name, mixes in cases.items():
            runs = [(malssi(a, work, loras, mixes), llama(a, mixes)) for _ in range(a.rounds)]
            ours, theirs = (n * a.tokens / statistics.median(seconds) for seconds in zip(*runs))
            print(f"| {name} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.2f} |", flush=True)
    finally:
        server.kill()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, help="the llama-server program")
    parser.add_argument("--tokenizer", required=True, help="of at most 512 pieces")
    parser.add_argument("--requests", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        compare(a, pathlib.Path(work))


if __name__ == "__main__":
    main()
