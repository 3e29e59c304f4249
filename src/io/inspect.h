// What a path holds, read without running anything: a model folder, a checkpoint, a run, a file of weights, a tokenizer.
#pragma once

#include "base/file.h"
#include "base/json.h"

namespace malssi {

// An object with "kind" ("model", "checkpoint", "run", "gguf", "llama2c", "weights", "adapter", "tokenizer"), "path" and what there is of:
//   config        config.json as read by this program; config_problem where it cannot be used
//   parameters    numbers in the weights, masks and tied copies left out
//   memory        bytes: weights (as the files have them), weights_f32, weights_bf16, training (f32 masters, two moments, gradients),
//                 kv_cache_per_token {f32, bf16, f16, q8_0}
//   files         [{name, bytes}]
//   tokenizer     kind, tokens, merges, pattern, special, bos, eos, pad;  chat_template
//   tensors       [{name, dtype, shape, bytes, file}]
//   metadata      a GGUF file's keys, lists as their length; a safetensors file's
//   adapter       format, type, base, architecture, ranks, alpha, scales [least, most], matrices, targets (ends of their names)
//   training      a checkpoint's train_state.json
//   damage        why MANIFEST.json does not agree with the files, null when it does
//   models, checkpoints   of a run: paths;  [{step, path, damage}]
// Error: nothing of these, or a damaged one.
Json inspect(const fs::path& path);

}  // namespace malssi
