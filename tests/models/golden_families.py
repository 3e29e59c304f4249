#!/usr/bin/env python3
"""Writes golden_families.json: logits, loss and norms of gradients of tiny models of every family, computed with PyTorch's
operations in float64 from a config.json. Weights follow golden.py's formula.

Run by hand where python3-torch is installed: python3 golden_families.py > golden_families.json
"""
import json
import math

import torch
import torch.nn.functional as F

from golden import IDS, STARTS, TARGETS, value

torch.set_default_dtype(torch.float64)


class Weights(dict):
    """Makes a weight when it is first asked for, so that a forward pass is also the list of names."""

    def __call__(self, name, *shape):
        if name not in self:
            self[name] = value(name, shape).requires_grad_()
        return self[name]


def rms(x, weight, eps):
    return x * (x.pow(2).mean(-1, keepdim=True) + eps).rsqrt() * weight


def divisors(rope, d, theta):
    """What divides each rotary frequency, and the factor of cosines and sines."""
    half = torch.arange(d // 2)
    frequency = theta ** (-2.0 * half / d)
    kind, factor = rope.get("rope_type"), rope.get("factor", 1.0)
    if kind == "linear":
        return torch.full((d // 2,), factor), 1.0
    if kind == "llama3":
        wave, original = 2 * math.pi / frequency, rope["original_max_position_embeddings"]
        low, high = original / rope["low_freq_factor"], original / rope["high_freq_factor"]
        smooth = (original / wave - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"])
        middle = 1 / ((1 - smooth) / factor + smooth)
        return torch.where(wave < high, torch.ones(d // 2), torch.where(wave > low, torch.full((d // 2,), factor), middle)), 1.0
    if kind == "yarn":
        original = rope["original_max_position_embeddings"]
        at = lambda turns: d * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))
        low, high = max(math.floor(at(rope["beta_fast"])), 0), min(math.ceil(at(rope["beta_slow"])), d - 1)
        ramp = ((half - low) / max(high - low, 0.001)).clamp(0, 1)
        return 1 / (ramp / factor + 1 - ramp), 0.1 * math.log(factor) + 1
    if kind == "longrope":
        original = rope["original_max_position_embeddings"]
        longer = rope["tokens"] > original
        return torch.tensor(rope["long_factor" if longer else "short_factor"]), math.sqrt(1 + math.log(factor) / math.log(original))
    return torch.ones(d // 2), 1.0


def rotate(x, theta, rope):
    T, d = x.shape[-2:]
    divisor, size = divisors(dict(rope, tokens=T), d, theta)
    angle = torch.arange(T)[:, None] * (theta ** (-2.0 * torch.arange(d // 2) / d) / divisor)[None]
    a, b = x.chunk(2, -1)
    return size * torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)


def attention(q, k, v, scale, window=0, cap=0, whole=False):
    T = q.shape[-2]
    k, v = (t.repeat_interleave(q.shape[0] // t.shape[0], 0) for t in (k, v))
    scores = q @ k.transpose(-1, -2) * scale
    if cap:
        scores = cap * torch.tanh(scores / cap)
    ago = torch.arange(T)[:, None] - torch.arange(T)[None]
    hidden = torch.zeros(T, T).bool() if whole else (ago < 0) | ((ago >= window) if window else False)
    return (scores.masked_fill(hidden, -math.inf).softmax(-1) @ v).transpose(0, 1).reshape(T, -1)


LLAMA = dict(embed="model.embed_tokens", layers="model.layers", norm="model.norm", q="self_attn.q_proj", k="self_attn.k_proj",
             v="self_attn.v_proj", o="self_attn.o_proj", gate="mlp.gate_proj", up="mlp.up_proj", down="mlp.down_proj",
             before=("input_layernorm", "post_attention_layernorm"))
EXAONE = dict(embed="transformer.wte", layers="transformer.h", norm="transformer.ln_f", q="attn.attention.q_proj",
              k="attn.attention.k_proj", v="attn.attention.v_proj", o="attn.attention.out_proj", gate="mlp.c_fc_0",
              up="mlp.c_fc_1", down="mlp.c_proj", before=("ln_1", "ln_2"))
GEMMA2 = dict(LLAMA, before=("input_layernorm", "pre_feedforward_layernorm"),
              after=("post_attention_layernorm", "post_feedforward_layernorm"))
EXAONE4 = dict(LLAMA, before=(), after=("post_attention_layernorm", "post_feedforward_layernorm"))


def experts(c, x, p, w):
    """Each token's own experts, one after the other."""
    mixtral = c["model_type"] == "mixtral"
    place = "block_sparse_moe." if mixtral else "mlp."
    gate, up, down = ("w1", "w3", "w2") if mixtral else ("gate_proj", "up_proj", "down_proj")
    E = c["num_local_experts"] if mixtral else c["num_experts"]
    D, H = c["hidden_size"], c["intermediate_size"] if mixtral else c["moe_intermediate_size"]
    run = lambda x, n, h: (F.silu(x @ w(n + gate + ".weight", h, D).T) * (x @ w(n + up + ".weight", h, D).T)) @ w(n + down + ".weight", D, h).T
    probabilities = (x @ w(p + place + "gate.weight", E, D).T).softmax(-1)
    top, chosen = probabilities.topk(c["num_experts_per_tok"], -1)
    if mixtral or c["norm_topk_prob"]:
        top = top / top.sum(-1, keepdim=True)
    results = torch.stack([run(x, p + place + f"experts.{e}.", H) for e in range(E)], 1)
    y = (results.gather(1, chosen[..., None].expand(-1, -1, D)) * top[..., None]).sum(1)
    if "shared_expert_intermediate_size" in c:
        share = torch.sigmoid(x @ w(p + "mlp.shared_expert_gate.weight", 1, D).T)
        y = y + share * run(x, p + "mlp.shared_expert.", c["shared_expert_intermediate_size"])
    return y


def decoder(c, ids, w):
    kind = c["model_type"]
    gemma = kind.startswith("gemma")
    n = {"exaone": EXAONE, "exaone4": EXAONE4, "gemma2": GEMMA2, "gemma3_text": GEMMA2}.get(kind, LLAMA)
    T, D, V, H, L = len(ids), c["hidden_size"], c["vocab_size"], c["num_attention_heads"], c.get("num_layers") or c["num_hidden_layers"]
    KV, d, I = c["num_key_value_heads"], c.get("head_dim", D // H), c["intermediate_size"]
    eps = c.get("rms_norm_eps") or c["layer_norm_epsilon"]
    norm = lambda x, name: rms(x, w(name + ".weight", x.shape[-1]) + (1 if gemma else 0), eps)
    bias = lambda name, rows: w(name + ".bias", rows) if kind.startswith("qwen2") else 0
    lin = lambda x, name, rows: x @ w(name + ".weight", rows, x.shape[-1]).T
    x = w(n["embed"] + ".weight", V, D)[ids] * (math.sqrt(D) if gemma else 1)
    types = c.get("layer_types") or ["full_attention" if not c.get("sliding_window") else "sliding_attention"] * L
    scale = 1 / math.sqrt(c.get("query_pre_attn_scalar", d))
    for i in range(L):
        p, local = f"{n['layers']}.{i}.", types[i] == "sliding_attention"
        h = norm(x, p + n["before"][0]) if n["before"] else x
        if kind == "phi3":
            q, k, v = lin(h, p + "self_attn.qkv_proj", (H + 2 * KV) * d).split([H * d, KV * d, KV * d], -1)
        else:
            q, k, v = (lin(h, p + n[t], m * d) + bias(p + n[t], m * d) for t, m in (("q", H), ("k", KV), ("v", KV)))
        q, k, v = (t.reshape(T, -1, d).transpose(0, 1) for t in (q, k, v))
        if kind in ("qwen3", "qwen3_moe", "gemma3_text", "exaone4"):
            q, k = norm(q, p + "self_attn.q_norm"), norm(k, p + "self_attn.k_norm")
        plain = (kind == "smollm3" and not c["no_rope_layers"][i]) or (kind == "exaone4" and not local)
        if not plain:
            theta, rope = c["rope_theta"], c.get("rope_scaling") or {}
            if local and "rope_local_base_freq" in c:
                theta, rope = c["rope_local_base_freq"], {}
            q, k = rotate(q, theta, rope), rotate(k, theta, rope)
        y = attention(q, k, v, scale, c["sliding_window"] if local else 0, c.get("attn_logit_softcapping") or 0)
        y = lin(y, p + n["o"], D)
        x = x + (norm(y, p + n["after"][0]) if "after" in n else y)
        h = norm(x, p + n["before"][1]) if n["before"] else x
        if "num_experts_per_tok" in c:
            y = experts(c, h, p, w)
        else:
            gate, up = lin(h, p + "mlp.gate_up_proj", 2 * I).chunk(2, -1) if kind == "phi3" else (lin(h, p + n["gate"], I), lin(h, p + n["up"], I))
            gate = 0.5 * gate * (1 + torch.tanh(math.sqrt(2 / math.pi) * (gate + 0.044715 * gate**3))) if gemma else F.silu(gate)
            y = lin(gate * up, p + n["down"], D)
        x = x + (norm(y, p + n["after"][1]) if "after" in n else y)
    logits = lin(norm(x, n["norm"]), n["embed"] if c["tie_word_embeddings"] else "lm_head", V)
    cap = c.get("final_logit_softcapping")
    return cap * torch.tanh(logits / cap) if cap else logits


def opt(c, ids, w):
    T, D, H, I = len(ids), c["hidden_size"], c["num_attention_heads"], c["ffn_dim"]
    lin = lambda x, name, rows: x @ w(name + ".weight", rows, x.shape[-1]).T + w(name + ".bias", rows)
    norm = lambda x, name: F.layer_norm(x, (D,), w(name + ".weight", D), w(name + ".bias", D), 1e-5)
    m = "model.decoder."
    x = w(m + "embed_tokens.weight", c["vocab_size"], D)[ids] + w(m + "embed_positions.weight", c["max_position_embeddings"] + 2, D)[2 : T + 2]
    for i in range(c["num_hidden_layers"]):
        p = f"{m}layers.{i}."
        h = norm(x, p + "self_attn_layer_norm")
        q, k, v = (lin(h, p + f"self_attn.{t}_proj", D).reshape(T, H, -1).transpose(0, 1) for t in "qkv")
        x = x + lin(attention(q, k, v, 1 / math.sqrt(D // H)), p + "self_attn.out_proj", D)
        x = x + lin(F.relu(lin(norm(x, p + "final_layer_norm"), p + "fc1", I)), p + "fc2", D)
    return norm(x, m + "final_layer_norm") @ w(m + "embed_tokens.weight", c["vocab_size"], D).T


def encoder(c, ids, w):
    kind, T = c["model_type"], len(ids)
    distil = kind == "distilbert"
    D, H, I, L = (c[k] for k in (("dim", "n_heads", "hidden_dim", "n_layers") if distil else
                                 ("hidden_size", "num_attention_heads", "intermediate_size", "num_hidden_layers")))
    first = c["pad_token_id"] + 1 if kind == "roberta" else 0
    lin = lambda x, name, rows: x @ w(name + ".weight", rows, x.shape[-1]).T + w(name + ".bias", rows)
    norm = lambda x, name: F.layer_norm(x, (D,), w(name + ".weight", D), w(name + ".bias", D), c.get("layer_norm_eps", 1e-12))
    e = "embeddings."
    x = w(e + "word_embeddings.weight", c["vocab_size"], D)[ids]
    x = x + w(e + "position_embeddings.weight", c["max_position_embeddings"], D)[first : first + T]
    if not distil:
        x = x + w(e + "token_type_embeddings.weight", c["type_vocab_size"], D)[0]
    x = norm(x, e + "LayerNorm")
    q, k, v, o, n1, up, down, n2 = (
        ("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm", "ffn.lin1", "ffn.lin2",
         "output_layer_norm") if distil else
        ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
         "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm"))
    for i in range(L):
        p = f"{'transformer.layer' if distil else 'encoder.layer'}.{i}."
        heads = [lin(x, p + t, D).reshape(T, H, -1).transpose(0, 1) for t in (q, k, v)]
        x = norm(x + lin(attention(*heads, 1 / math.sqrt(D // H), whole=True), p + o, D), p + n1)
        x = norm(x + lin(F.gelu(lin(x, p + up, I)), p + down, D), p + n2)
    return x @ w(e + "word_embeddings.weight", c["vocab_size"], D).T


def run(c, forward):
    w = Weights()
    logits = torch.cat([forward(c, torch.tensor(IDS[a:b]), w) for a, b in zip(STARTS, STARTS[1:])])
    loss = F.cross_entropy(logits, torch.tensor(TARGETS), ignore_index=-1, reduction="sum") / 10
    loss.backward()
    return {"config": c, "last_logits": [round(x, 7) for x in logits[-1].tolist()], "loss": round(loss.item(), 7),
            "gradient_norms": {name: float(f"{t.grad.norm().item():.6g}") for name, t in w.items()}}


def configs():
    base = {"vocab_size": 13, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
            "num_key_value_heads": 2, "max_position_embeddings": 12, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
            "hidden_act": "silu", "tie_word_embeddings": False}
    mixed = {"sliding_window": 3, "layer_types": ["sliding_attention", "full_attention"]}
    tanh = {"hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": True, "head_dim": 6}
    moe = {"num_experts": 5, "num_experts_per_tok": 2, "moe_intermediate_size": 6, "decoder_sparse_step": 1}
    factors = {"short_factor": [1.1, 1.4], "long_factor": [1.5, 3.0], "factor": 4.0}
    yield dict(base, model_type="llama", rope_scaling={"rope_type": "linear", "factor": 2.5})
    yield dict(base, model_type="llama", head_dim=8, rope_scaling={
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 200})
    yield dict(base, model_type="qwen2", head_dim=8, rope_scaling={
        "rope_type": "yarn", "factor": 4.0, "beta_fast": 32.0, "beta_slow": 1.0, "original_max_position_embeddings": 64})
    yield dict(base, model_type="mistral", sliding_window=3)
    yield dict(base, model_type="smollm3", num_hidden_layers=4, no_rope_layers=[1, 1, 1, 0], no_rope_layer_interval=4)
    yield dict(base, model_type="qwen3", head_dim=6)
    for original in (3, 8):
        yield dict(base, model_type="phi3", original_max_position_embeddings=original,
                   rope_scaling=dict(factors, rope_type="longrope", original_max_position_embeddings=original))
    yield dict({**base, **tanh}, model_type="gemma")
    yield dict({**base, **tanh, **mixed}, model_type="gemma2", query_pre_attn_scalar=9, attn_logit_softcapping=2.0, final_logit_softcapping=3.0)
    yield dict({**base, **tanh, **mixed}, model_type="gemma3_text", query_pre_attn_scalar=9, rope_local_base_freq=100.0, rope_scaling={"rope_type": "linear", "factor": 8.0})
    yield dict(base, model_type="mixtral", num_local_experts=4, num_experts_per_tok=2)
    yield dict({**base, **moe}, model_type="qwen2_moe", shared_expert_intermediate_size=10, norm_topk_prob=False)
    yield dict({**base, **moe}, model_type="qwen3_moe", norm_topk_prob=True)
    exaone = dict(base, model_type="exaone", num_layers=2, layer_norm_epsilon=1e-5, activation_function="silu")
    yield {k: v for k, v in exaone.items() if k not in ("num_hidden_layers", "rms_norm_eps", "hidden_act")}
    yield dict(base, model_type="exaone4", num_hidden_layers=4, sliding_window=3,
               layer_types=["sliding_attention"] * 3 + ["full_attention"])


def encoder_configs():
    base = {"vocab_size": 13, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
            "max_position_embeddings": 12, "type_vocab_size": 2, "layer_norm_eps": 1e-6, "hidden_act": "gelu", "pad_token_id": 1}
    yield dict(base, model_type="bert")
    yield dict(base, model_type="roberta", type_vocab_size=1)
    yield {"model_type": "distilbert", "vocab_size": 13, "dim": 16, "hidden_dim": 24, "n_layers": 2, "n_heads": 4,
           "max_position_embeddings": 12, "activation": "gelu"}


def main():
    opt_config = {"model_type": "opt", "vocab_size": 13, "hidden_size": 16, "ffn_dim": 20, "num_hidden_layers": 2,
                  "num_attention_heads": 4, "max_position_embeddings": 12, "activation_function": "relu"}
    models = [run(c, decoder) for c in configs()] + [run(opt_config, opt)] + [run(c, encoder) for c in encoder_configs()]
    print("[" + ",\n".join(json.dumps(m, separators=(",", ":")) for m in models) + "]")


if __name__ == "__main__":
    main()
