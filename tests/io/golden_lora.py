#!/usr/bin/env python3
"""Writes lora/: PEFT folders of LoRA adapters for tiny models, and golden.json with the logits of the models with the adapters
merged into their weights (W + scale B A), computed with PyTorch's operations in float64. Adapters and the safetensors format
are written here by hand; the models' weights follow the formula of tests/models/golden.py.

Run by hand where python3-torch is installed, in this folder: python3 golden_lora.py
"""
import json
import math
import pathlib
import struct
import sys

import numpy
import torch

ROOT = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT.parent / "models"))
import golden  # noqa: E402
import golden_families as families  # noqa: E402

NUMPY = {"F32": numpy.float32, "F16": numpy.float16}


def tensor(name, shape, kind):
    """Numbers by the formula, rounded to the file's format."""
    return golden.value(name, shape).numpy().astype(NUMPY[kind])


def write_safetensors(path, tensors, kind):
    header, data, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, numbers in tensors.items():
        data.append(numbers.tobytes())
        header[name] = {"dtype": kind, "shape": numbers.shape, "data_offsets": [at, at + len(data[-1])]}
        at += len(data[-1])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def gpt2(c):
    return {"vocab": c["vocab_size"], "width": c["n_embd"], "layers": c["n_layer"], "heads": c["n_head"], "context": c["n_positions"]}


def forward(c, ids, w):
    if c["model_type"] == "gpt2":
        return golden.gpt2(gpt2(c), ids, w)
    return (families.encoder if c["model_type"] == "roberta" else families.decoder)(c, ids, w)


def weights(c):
    if c["model_type"] == "gpt2":
        return families.Weights(golden.gpt2_weights(gpt2(c)))
    w = families.Weights()
    forward(c, torch.tensor([1, 2]), w)
    return w


def make_adapter(name, c, ends, kind="F32", inside="", r=2, ranks=(), **settings):
    """Writes the folder; returns {weight: scale B A}. ranks: {end of a module's name: rank}; inside: what the names begin with."""
    folder = ROOT / "lora" / name
    folder.mkdir(parents=True, exist_ok=True)
    alphas = settings.get("alpha_pattern", {})
    tensors, changes = {}, {}
    for weight, value in weights(c).items():
        module = weight[: -len(".weight")]
        if not weight.endswith(".weight") or not any(module.endswith("." + e) for e in ends):
            continue
        rank = next((n for end, n in dict(ranks).items() if module.endswith(end)), r)
        alpha = next((x for end, x in alphas.items() if module.endswith(end)), settings.get("lora_alpha", 8))
        outputs, inputs = reversed(value.shape) if c["model_type"] == "gpt2" else value.shape
        key = f"base_model.model.{inside}{module}.lora_"
        a, b = tensor(key + "A", (rank, inputs), kind), tensor(key + "B", (outputs, rank), kind)
        tensors[key + "A.weight"], tensors[key + "B.weight"] = a, b
        scale = alpha / (math.sqrt(rank) if settings.get("use_rslora") else rank)
        change = scale * torch.tensor(b.astype(float)) @ torch.tensor(a.astype(float))
        changes[weight] = change.T if c["model_type"] == "gpt2" else change
    write_safetensors(folder / "adapter_model.safetensors", tensors, kind)
    config = {"peft_type": "LORA", "base_model_name_or_path": "tiny/" + c["model_type"], "r": r, "target_modules": list(ends),
              "bias": "none", "modules_to_save": None, "use_dora": False, "init_lora_weights": True, "task_type": "CAUSAL_LM",
              "rank_pattern": dict(ranks), **settings}
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=1) + "\n")
    return changes


def case(c, *adapters):
    """adapters: (name, changes, weight)."""
    w = weights(c)
    for _, changes, weight in adapters:
        for name, change in changes.items():
            w[name] = w[name].detach() + weight * change
    pairs = zip(golden.STARTS, golden.STARTS[1:])
    with torch.no_grad():
        logits = torch.cat([forward(c, torch.tensor(golden.IDS[a:b]), w) for a, b in pairs])
    return {"config": c, "adapters": [[name, weight] for name, _, weight in adapters],
            "logits": [round(x, 7) for x in logits.flatten().tolist()]}


def main():
    of = {c["model_type"]: c for c in families.configs()}
    llama, attention = of["llama"], ["q_proj", "k_proj", "v_proj", "o_proj"]
    everything = attention + ["gate_proj", "up_proj", "down_proj"]
    plain = make_adapter("llama", llama, everything, lora_alpha=3, ranks={"down_proj": 3},
                         alpha_pattern={"layers.1.self_attn.q_proj": 5})
    values = make_adapter("llama_values", llama, ["v_proj"], kind="F16", r=1, lora_alpha=0.5)
    cases = [case(llama, ("llama", plain, 1)), case(llama, ("llama", plain, 0.5), ("llama_values", values, -1.25))]
    qwen = make_adapter("qwen2", of["qwen2"], ["q_proj", "v_proj"], kind="F16", r=4, lora_alpha=2, use_rslora=True,
                        target_modules=r".*\.self_attn\.(q|v)_proj")
    cases.append(case(of["qwen2"], ("qwen2", qwen, 1)))
    gpt = {"model_type": "gpt2", "vocab_size": 13, "n_embd": 8, "n_layer": 2, "n_head": 2, "n_positions": 12,
           "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new", "tie_word_embeddings": True}
    cases.append(case(gpt, ("gpt2", make_adapter("gpt2", gpt, ["c_attn", "c_proj", "c_fc"], lora_alpha=1, fan_in_fan_out=True), 1)))
    phi = of["phi3"]
    cases.append(case(phi, ("phi3", make_adapter("phi3", phi, ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"], lora_alpha=1,
                                                 target_modules="all-linear"), 2)))
    mixtral = make_adapter("mixtral", of["mixtral"], ["q_proj", "w1", "w2", "w3", "gate"], lora_alpha=1)
    cases.append(case(of["mixtral"], ("mixtral", mixtral, 1)))
    moe = of["qwen2_moe"]
    cases.append(case(moe, ("qwen2_moe", make_adapter("qwen2_moe", moe, everything + ["shared_expert_gate"], r=1, lora_alpha=1), 1)))
    gemma = make_adapter("gemma2", of["gemma2"], everything, lora_alpha=1)
    cases.append(case(of["gemma2"], ("gemma2", gemma, 1)))
    roberta = next(c for c in families.encoder_configs() if c["model_type"] == "roberta")
    cases.append(case(roberta, ("roberta", make_adapter("roberta", roberta, ["query", "value"], inside="roberta.", lora_alpha=40), 1)))
    (ROOT / "lora" / "golden.json").write_text("[" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "]\n")


if __name__ == "__main__":
    main()
