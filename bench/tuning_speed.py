#!/usr/bin/env python3
"""Tuning side by side: malssi against PyTorch (bench/torch_lora.py, bench/torch_dpo.py) on a Llama of 125M random weights, the same
tokens a step, alternating runs, medians; PyTorch in each of its precisions, ratios against the fastest.

    bench/tuning_speed.py lora
    bench/tuning_speed.py dpo
    bench/tuning_speed.py lora --base-types bf16,nf4 --peers ""      # the quantised base against the dense one
    bench/tuning_speed.py lora --shape 1.1b --context 1024 --rows 2 --peers "" --steps 3

Memory is the peak resident size of the whole process. Needs a built program (./malssi --version), python3-numpy and, for the peer, a
Python with torch (--python).
"""
import argparse
import json
import os
import pathlib
import statistics
import struct
import subprocess
import tempfile

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/malssi"
SHAPES = {  # vocabulary, width, hidden, layers, heads, heads of keys and values
    "tiny": (512, 64, 176, 2, 4, 4),
    "125m": (32000, 768, 2048, 12, 12, 12),
    "0.5b": (151936, 896, 4864, 24, 14, 2),
    "1.1b": (32000, 2048, 5632, 22, 32, 4),
}
# What we found to make the peer faster: memory that malloc keeps, in huge pages, an OpenBLAS told of AVX-512, and (where cores are
# shared with others: many times faster) threads that wait asleep.
TUNED = {"OMP_WAIT_POLICY": "PASSIVE", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184"}
if " avx512bw " in pathlib.Path("/proc/cpuinfo").read_text():
    TUNED["OPENBLAS_CORETYPE"] = "SkylakeX"
PEERS = {"f32": ("f32", TUNED), "autocast": ("autocast", TUNED), "bf16": ("bf16", TUNED),
         "f32-plain": ("f32", {}), "autocast-plain": ("autocast", {}), "bf16-plain": ("bf16", {})}


def run(command, **env):
    """Standard output and peak resident bytes of a command that must succeed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([str(c) for c in command], stdout=out, stderr=errors, env={**os.environ, **env})
        _, status, usage = os.wait4(process.pid, 0)
        out.seek(0)
        errors.seek(0)
        if status != 0:
            raise SystemExit(f"{command[0]} failed: {errors.read().decode()[-2000:]}")
        return out.read().decode(), usage.ru_maxrss * 1024


def write_model(folder, shape, context):
    """A Hugging Face folder of random numbers in bf16, with a tokenizer of bytes."""
    vocab, width, hidden, layers, heads, kv_heads = SHAPES[shape]
    head = width // heads
    matrices = {"self_attn.q_proj": (width, width), "self_attn.k_proj": (kv_heads * head, width), "self_attn.v_proj": (kv_heads * head, width),
                "self_attn.o_proj": (width, width), "mlp.gate_proj": (hidden, width), "mlp.up_proj": (hidden, width), "mlp.down_proj": (width, hidden)}
    shapes = {f"model.layers.{i}.{name}.weight": s for i in range(layers) for name, s in matrices.items()}
    shapes |= {f"model.layers.{i}.{n}_layernorm.weight": (width,) for i in range(layers) for n in ("input", "post_attention")}
    shapes |= {"model.embed_tokens.weight": (vocab, width), "model.norm.weight": (width,)}
    tied = shape == "0.5b"
    if tied:
        shapes |= {f"model.layers.{i}.self_attn.{n}_proj.bias": (s,) for i in range(layers) for n, s in (("q", width), ("k", kv_heads * head), ("v", kv_heads * head))}
    else:
        shapes["lm_head.weight"] = (vocab, width)
    folder.mkdir()
    header, at = {}, 0
    for name, s in shapes.items():
        size = 2 * int(numpy.prod(s))
        header[name] = {"dtype": "BF16", "shape": s, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)  # so that the numbers can be used where they lie
    rng = numpy.random.default_rng(0)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, s in shapes.items():
            numbers = numpy.ones(s, numpy.float32) if "norm" in name else 0.02 * rng.standard_normal(s, dtype=numpy.float32)
            file.write((numbers.view(numpy.uint32) >> 16).astype(numpy.uint16).tobytes())
    (folder / "config.json").write_text(json.dumps({
        "model_type": "qwen2" if tied else "llama", "vocab_size": vocab, "hidden_size": width, "intermediate_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "max_position_embeddings": max(context, 1024), "rms_norm_eps": 1e-5,
        "tie_word_embeddings": tied}))
    run([PROGRAM, "tokenizer", "train", "--type", "byte", "--out", folder / "tok"])
    for file in (folder / "tok").iterdir():
        file.rename(folder / file.name)


def write_data(file, task, records, context):
    """Answers that all but fill the context with their prompt; a token is a byte."""
    rng = numpy.random.default_rng(1)

    def answer():
        return "".join(map(chr, rng.integers(97, 123, context - 64)))

    with open(file, "w", encoding="utf-8") as out:
        for _ in range(records):
            record = {"prompt": "go", "chosen": answer(), "rejected": answer()} if task == "dpo" else {"messages": [
                {"role": "user", "content": "go"}, {"role": "assistant", "content": answer()}]}
            out.write(json.dumps(record) + "\n")


class Malssi:
    def __init__(self, a, work, base_type):
        self.a, self.work, self.name, self.base_type = a, work, f"malssi {base_type}", base_type
        self.runs = 0

    def run(self):
        a = self.a
        self.runs += 1
        out = self.work / f"{self.name} {self.runs}"
        common = ["--model", self.work / "model", "--data", self.work / "data.jsonl", "--out", out, "--context", a.context, "--val-fraction", 0,
                  "--steps", a.steps, "--batch-rows", a.rows // 2 if a.task == "dpo" else a.rows, "--micro-batch-tokens", a.piece_tokens or a.rows * a.context,
                  "--every", 1, "--samples", 0, "--checkpoint-every", 0, "--threads", a.threads, "--recompute", a.recompute]
        if a.task == "lora":
            common += ["--rank", a.rank, "--alpha", 2 * a.rank, "--targets", "all-linear"]
            if self.base_type not in ("bf16", "f32"):
                common += ["--base-type", self.base_type, "--base-tables", a.base_tables]
        if self.base_type == "f32":
            common += ["--compute", "f32"]
        if a.task != "lora":
            common += ["--moments", a.moments]
        command = ["align", "dpo"] if a.task == "dpo" else ["tune", a.task]
        _, memory = run([PROGRAM, *command, *common])
        lines = [json.loads(line) for line in open(out / "metrics.jsonl", encoding="utf-8")]
        speed = statistics.median(line["tokens_per_second"] for line in lines[2 if len(lines) > 2 else 0:] if line.get("tokens_per_second"))
        return {"tokens_per_second": speed, "memory_bytes": memory}


class Torch:
    def __init__(self, a, name):
        self.a, self.name = a, f"torch {name}"
        self.dtype, self.env = PEERS[name]

    def run(self):
        a = self.a
        extra = ["--rank", a.rank] if a.task == "lora" else []
        text, _ = run([a.python, ROOT / f"bench/torch_{a.task}.py", "--shape", a.shape, "--dtype", self.dtype, "--rows", a.rows, "--context", a.context,
                       "--steps", a.steps, "--threads", a.threads, *extra], **self.env)
        return json.loads(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["lora", "dpo", "sft"])
    parser.add_argument("--shape", choices=SHAPES, default="125m")
    parser.add_argument("--rows", type=int, default=4, help="sequences of a step; two make a pair")
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--piece-tokens", type=int, default=0, help="computed at once; 0 = the whole step")
    parser.add_argument("--recompute", default="off")
    parser.add_argument("--moments", default="f32")
    parser.add_argument("--base-types", default="bf16", help="of malssi: bf16, f32, or for lora a quantised one")
    parser.add_argument("--base-tables", default="auto", help="of malssi, what a quantised base's embedding and output layer are")
    parser.add_argument("--peers", default="f32,autocast,bf16", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--python", default="/usr/bin/python3", help="one that has torch")
    parser.add_argument("--work", help="a folder to keep model and data in, for the next time")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch)
        store = pathlib.Path(a.work) / f"{a.shape}-{a.context}" if a.work else work / "store"
        if not store.exists():
            store.parent.mkdir(parents=True, exist_ok=True)
            write_model(store, a.shape, a.context)
        (work / "model").symlink_to(store)
        write_data(work / "data.jsonl", a.task, a.rows * 4, a.context)
        sides = [Malssi(a, work, name) for name in a.base_types.split(",")] + [Torch(a, name) for name in a.peers.split(",") if name]
        found = {side.name: [] for side in sides}
        for _ in range(a.rounds):
            for side in sides:
                found[side.name].append(side.run())
                last = found[side.name][-1]
                print(f"  {side.name}: {last['tokens_per_second']:.0f} tokens/s, {last['memory_bytes'] / 2**30:.2f} GiB", flush=True)
    middle = {name: {key: statistics.median(r[key] for r in runs) for key in ("tokens_per_second", "memory_bytes")} for name, runs in found.items()}
    for name, m in middle.items():
        print(f"{name:22} {m['tokens_per_second']:8.0f} tokens/s  {m['memory_bytes'] / 2**30:6.2f} GiB", flush=True)
    peers = {name: m for name, m in middle.items() if name.startswith("torch")}
    first = sides[0].name
    if peers:
        best = max(peers, key=lambda name: peers[name]["tokens_per_second"])
        least = min(peers, key=lambda name: peers[name]["memory_bytes"])
        print(f"{first}: {middle[first]['tokens_per_second'] / peers[best]['tokens_per_second']:.2f} times the speed of {best}, "
              f"{middle[first]['memory_bytes'] / peers[best]['memory_bytes']:.2f} of its memory "
              f"({middle[first]['memory_bytes'] / peers[least]['memory_bytes']:.2f} of {least}'s)")
    for side in sides[1:]:
        if side.name.startswith("malssi"):
            print(f"{side.name} / {first}: {middle[side.name]['tokens_per_second'] / middle[first]['tokens_per_second']:.2f} of the speed, "
                  f"{middle[side.name]['memory_bytes'] / middle[first]['memory_bytes']:.2f} of the memory")


main()
