// The fuzzers' targets: each feeds bytes from outside to one reader, and what the reader accepts to what comes after it. An
// Error is an answer; anything else that is thrown, a crash, a second's computing or 512 MiB are findings.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace malssi::fuzz {

struct Target {
  std::string_view name;
  void (*run)(std::string_view input);                          // may throw
  std::vector<std::pair<std::string, std::string>> (*seeds)();  // name and content
};
using Seeds = std::vector<std::pair<std::string, std::string>>;

std::span<const Target> targets();
// Throws InternalError where there is none of this name.
const Target& target_named(std::string_view name);
// Runs the target. Throws InternalError where the reader breaks a promise.
void run(const Target& target, std::string_view input);

// Where seeds hold several texts: the one before the first zero byte, which is taken away with it.
std::string_view take_part(std::string_view& input);

// GGUF: header, keys, tensors, tokenizer, and a pass of the model.
void run_gguf(std::string_view input);
Seeds gguf_seeds();
void run_safetensors(std::string_view input);
Seeds safetensors_seeds();
// What torch.save() wrote.
void run_torch_file(std::string_view input);
Seeds torch_file_seeds();
// tokenizer.json, then a text to encode.
void run_tokenizer_json(std::string_view input);
Seeds tokenizer_json_seeds();
// SentencePiece's tokenizer.model.
void run_sentencepiece(std::string_view input);
Seeds sentencepiece_seeds();
// llama2.c's tokenizer.bin and BERT's vocab.txt, as the first byte says.
void run_vocabulary(std::string_view input);
Seeds vocabulary_seeds();
// llama2.c's model, and a pass of it.
void run_llama2c(std::string_view input);
Seeds llama2c_seeds();
// A Jinja template, then messages as JSON.
void run_chat_template(std::string_view input);
Seeds chat_template_seeds();
// A JSON schema, a regular expression or GBNF, as the first byte says, then an answer.
void run_grammar(std::string_view input);
Seeds grammar_seeds();
void run_json(std::string_view input);
Seeds json_seeds();
// config.json, and a pass of the model.
void run_config(std::string_view input);
Seeds config_seeds();
// A model folder: config.json, tokenizer.json, tokenizer_config.json, model.safetensors.
void run_folder(std::string_view input);
Seeds folder_seeds();
// A LoRA adapter: GGUF, or PEFT's adapter_config.json and safetensors file; it is attached to a small model.
void run_adapter(std::string_view input);
Seeds adapter_seeds();
// HTTP requests on one connection, and who may ask.
void run_http(std::string_view input);
Seeds http_seeds();
// What another server answers.
void run_response(std::string_view input);
Seeds response_seeds();
// A request's body for the endpoint that the first byte says, and the answer.
void run_request(std::string_view input);
Seeds request_seeds();
// A model's answer, read as the first byte says: thoughts, words, calls of tools.
void run_answer(std::string_view input);
Seeds answer_seeds();

}  // namespace malssi::fuzz
