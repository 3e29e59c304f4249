#!/usr/bin/env python3
"""Compares this program with llama.cpp on LoRA adapters of tiny random models: greedy answers with one adapter, and with two at
weights of their own. Adapters are made as PEFT folders, and turned into GGUF by `malssi convert` for llama.cpp; this program
answers with either. Prints a line for each; exits with 1 where answers differ.

Run by hand where python3-torch and llama.cpp's programs are:
  python3 lora_peer.py build/release/malssi LLAMA_CPP/build/bin TOKENIZER
TOKENIZER: as for tests/models/peer_agreement.py, from which models and questions come.
"""
import json
import pathlib
import struct
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "models"))
import peer_agreement as peer  # noqa: E402

WIDTH = 64
ENDS = ("q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj", "gate_proj", "up_proj", "down_proj", "gate_up_proj", "c_attn", "c_proj", "c_fc", "w1", "w2", "w3")


def write_adapter(folder, c, name, rank, **settings):
    """A PEFT folder that adapts every matrix whose name ends so."""
    folder.mkdir()
    header, data, at = {}, [], 0
    for weight, shape in peer.shapes(c).items():
        module = weight[: -len(".weight")]
        if not weight.endswith(".weight") or module.split(".")[-1] not in ENDS:
            continue
        outputs, inputs = reversed(shape) if c["model_type"] == "gpt2" else shape
        for key, size in (("A", (rank, inputs)), ("B", (outputs, rank))):
            tensor = f"base_model.model.{module}.lora_{key}.weight"
            data.append(peer.hashed(name + tensor, size).tobytes())
            header[tensor] = {"dtype": "F32", "shape": size, "data_offsets": [at, at + len(data[-1])]}
            at += len(data[-1])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))
    config = {"peft_type": "LORA", "base_model_name_or_path": "tiny", "r": rank, "target_modules": list(ENDS), "bias": "none", **settings}
    (folder / "adapter_config.json").write_text(json.dumps(config))


def check(label, want, got):
    ids = [t["id"] for t in got["generations"][0]["tokens"]]
    same = ids == want["ids"][: len(ids)] and len(ids) == len(want["ids"])
    off = max((abs(t["logprob"] - p) for t, p in zip(got["generations"][0]["tokens"], want["logprobs"]) if p is not None), default=0)
    print(f"{label}: {'the same' if same else 'OTHER'} {len(ids)} tokens; log-probabilities within {off:.2g}", flush=True)
    return same


def compare(malssi, bin_, tokenizer, work, c):
    kind = c["model_type"]
    base, gguf = work / "base", work / "base.gguf"
    peer.write_folder(base, c)
    peer.must(malssi, "convert", base, gguf, "--tokenizer", tokenizer)
    write_adapter(work / "one", c, "one", 4, lora_alpha=2)
    write_adapter(work / "two", c, "two", 3, lora_alpha=1, use_rslora=True)
    for name in ("one", "two"):
        peer.must(malssi, "convert", work / name, work / f"{name}.gguf", "--base", base)
    plain = peer.theirs(bin_, gguf)
    good = True
    for label, theirs, ours in (
            ("one adapter", ["--lora", work / "one.gguf"], ["--lora", "{one}"]),
            ("two adapters", ["--lora-scaled", f"{work}/one.gguf:0.5,{work}/two.gguf:-0.75"], ["--lora", "{one}:0.5", "--lora", "{two}:-0.75"])):
        want = peer.theirs(bin_, gguf, *theirs)
        good &= want["ids"] != plain["ids"]
        for form in ("", ".gguf"):
            flags = [f.format(one=f"{work}/one{form}", two=f"{work}/two{form}") for f in ours]
            good &= check(f"{kind}, {label} as {form or 'PEFT'}", want, peer.ours(malssi, gguf, "--logit-bias", "2=-100", *flags))
    return good


def main():
    malssi, bin_, tokenizer = map(pathlib.Path, sys.argv[1:])
    kinds, good = set(), True
    for c in peer.configs(WIDTH):
        if c["model_type"] in ("llama", "qwen2", "gpt2", "phi3", "gemma2", "mixtral", "qwen2_moe") and c["model_type"] not in kinds:
            kinds.add(c["model_type"])
            with tempfile.TemporaryDirectory() as work:
                good &= compare(malssi, bin_, tokenizer, pathlib.Path(work), c)
    sys.exit(0 if good else 1)


main()
