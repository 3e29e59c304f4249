"""Generation: choosing, streaming, JSON, and what bad prompts and models are told."""
import json
import shutil
import unittest

from program import BASE, CHAT, ProgramTest, malssi


class GenerateTest(ProgramTest):
    def generate(self, *args, model=BASE, **more):
        return self.good("generate", "--model", model, "--max-tokens", "20", *args, **more).out


class Choosing(GenerateTest):
    def test_greedy_is_the_same_every_time(self):
        self.assertEqual(self.generate("--greedy", "--prompt", "Mina"), self.generate("--greedy", "--prompt", "Mina"))

    def test_a_seed_repeats_and_another_differs(self):
        draw = lambda seed: self.generate("--temperature", "2", "--seed", seed, "--prompt", "Mina")
        self.assertEqual(draw("1"), draw("1"))
        self.assertNotEqual(draw("1"), draw("2"))

    def test_top_k_of_one_is_greedy(self):
        self.assertEqual(self.generate("--top-k", "1", "--prompt", "Tom"), self.generate("--greedy", "--prompt", "Tom"))

    def test_one_beam_is_greedy(self):
        self.assertEqual(self.generate("--beams", "1", "--prompt", "Tom"), self.generate("--greedy", "--prompt", "Tom"))

    def test_beams_come_best_first(self):
        out = json.loads(self.generate("--beams", "4", "--n-best", "3", "--prompt", "Mina", "--json"))
        scores = [each["score"] for each in out["generations"]]
        self.assertEqual((len(scores), scores), (3, sorted(scores, reverse=True)))

    def test_stops_before_a_stop_string(self):
        whole = self.generate("--greedy", "--prompt", "Mina")
        stop = whole[2:4]
        self.assertEqual(self.generate("--greedy", "--prompt", "Mina", "--stop", stop), whole[: whole.index(stop)] + "\n")

    def test_draws_several_samples(self):
        out = json.loads(self.generate("--samples", "3", "--prompt", "Mina", "--json"))
        self.assertEqual(len(out["generations"]), 3)


class ManyAnswers(GenerateTest):
    def test_prompts_of_a_file_are_answered_in_their_order_as_they_would_be_alone(self):
        file = self.write("prompts.jsonl", '{"prompt": "Mina"}\n"Juno has"\n{"prompt": "Tom"}\n')
        lines = [json.loads(line) for line in self.generate("--greedy", "--prompts", file, "--parallel", "2").splitlines()]
        self.assertEqual([line["prompt"] for line in lines], ["Mina", "Juno has", "Tom"])
        for line in lines:
            self.assertEqual(line["text"] + "\n", self.generate("--greedy", "--prompt", line["prompt"]))

    def test_a_line_that_is_no_prompt_is_named(self):
        file = self.write("prompts.jsonl", '{"prompt": "Mina"}\n{"text": "Tom"}\n')
        self.bad("generate", "--model", BASE, "--prompts", file, words=["prompts.jsonl", "2", "prompt"])
        self.bad("generate", "--model", BASE, "--prompts", self.write("none.jsonl", ""), words=["none.jsonl", "no prompts"])

    def test_the_best_of_many_is_the_likeliest(self):
        draw = lambda *more: json.loads(self.generate("--temperature", "2", "--seed", "5", "--prompt", "Mina", "--json", *more))
        mean = lambda answer: answer["logprob"] / len(answer["tokens"])
        drawn = draw("--samples", "6")["generations"]
        best = draw("--samples", "2", "--best-of", "6")["generations"]
        self.assertEqual([each["text"] for each in best],
                         [each["text"] for each in sorted(drawn, key=mean, reverse=True)[:2]])

    def test_best_of_fewer_than_are_shown_is_refused(self):
        self.bad("generate", "--model", BASE, "--prompt", "a", "--samples", "3", "--best-of", "2", words=["--best-of"], code=2)


class Bias(GenerateTest):
    def test_a_token_can_be_forced_or_forbidden(self):
        first = json.loads(self.generate("--greedy", "--prompt", "Mina", "--json"))["generations"][0]["tokens"][0]["id"]
        forced = ord("z")  # a byte's id is the byte
        ids = lambda *bias: [token["id"] for token in json.loads(
            self.generate("--greedy", "--prompt", "Mina", "--json", *bias))["generations"][0]["tokens"]]
        self.assertEqual(set(ids("--logit-bias", f"{forced}=100")), {forced})
        self.assertNotIn(first, ids("--logit-bias", f"{first}=-100"))

    def test_of_a_token_that_is_not_there_is_refused(self):
        self.bad("generate", "--model", BASE, "--prompt", "a", "--logit-bias", "99999=1", words=["99999"])


class Speculation(GenerateTest):
    def test_look_up_changes_no_answer_and_tells_what_it_drafted(self):
        args = ("generate", "--model", BASE, "--greedy", "--max-tokens", "60", "--prompt", "Mina likes tea.\nMina likes")
        done = self.good(*args, "--speculate", "lookup")
        self.assertEqual(done.out, self.good(*args).out)
        self.assertRegex(done.err, r"speculation: \d+ of \d+ drafted tokens accepted")

    def test_the_model_itself_as_its_draft_is_always_right(self):
        args = ("generate", "--model", BASE, "--greedy", "--max-tokens", "60", "--prompt", "Mina")
        done = self.good(*args, "--speculate", BASE)
        self.assertEqual(done.out, self.good(*args).out)
        self.assertRegex(done.err, r"speculation: (\d+) of \1 drafted")

    def test_a_draft_model_that_is_not_there_is_named(self):
        self.bad("generate", "--model", BASE, "--prompt", "a", "--speculate", self.folder / "none", words=["none"])

    def test_is_for_one_answer(self):
        self.bad("generate", "--model", BASE, "--prompt", "a", "--samples", "2", "--speculate", "lookup",
                 words=["--speculate"], code=2)


class Cache(GenerateTest):
    def test_keeps_keys_and_values_in_every_type(self):
        usual = self.generate("--greedy", "--prompt", "Mina")
        for kind in ("f32", "bf16", "f16", "q8_0"):
            self.assertEqual(self.generate("--greedy", "--prompt", "Mina", "--cache-type", kind), usual, kind)

    def test_an_unknown_type_is_refused(self):
        self.bad("generate", "--model", BASE, "--prompt", "a", "--cache-type", "q4_0", words=["--cache-type", "q8_0"], code=2)


class Timings(GenerateTest):
    def test_tell_what_took_how_long(self):
        done = self.good("generate", "--model", BASE, "--regex", "[a-z]{8}", "--prompt", "Mina", "--timings")
        times = json.loads(done.err)
        self.assertEqual((times["prompt_tokens"], times["written_tokens"], times["grammar"]["tokens"]), (4, 7, 8))
        self.assertGreater(times["tokens_per_second"], 0)
        self.assertGreaterEqual(times["grammar"]["seconds"], times["grammar"]["longest_seconds"])


class Grammars(GenerateTest):
    def test_an_answer_fits_its_json_schema(self):
        schema = {"properties": {"name": {"type": "string", "maxLength": 8}, "age": {"type": "integer", "minimum": 1,
                                                                                   "maximum": 99}}, "required": ["name", "age"]}
        for seed in "123":
            answer = json.loads(self.good("generate", "--model", BASE, "--json-schema", json.dumps(schema), "--prompt", "Mina",
                                          "--seed", seed, "--max-tokens", "200").out)
            self.assertEqual(list(answer), ["name", "age"])
            self.assertTrue(1 <= answer["age"] <= 99 and len(answer["name"]) <= 8)

    def test_an_answer_matches_its_expression(self):
        self.assertRegex(self.generate("--regex", "[0-9]{3}-[a-z]{2}", "--prompt", "Mina"), r"^[0-9]{3}-[a-z]{2}\n$")

    def test_a_wrong_grammar_is_told(self):
        self.bad("generate", "--model", BASE, "--prompt", "x", "--regex", "(a", words=["not closed"])


class Output(GenerateTest):
    def test_json_has_log_probabilities_of_the_tokens(self):
        out = json.loads(self.generate("--greedy", "--prompt", "Mina", "--json", "--logprobs", "2"))
        tokens = out["generations"][0]["tokens"]
        for token in tokens:
            self.assertLessEqual(token["logprob"], 0)
            self.assertEqual(token["top"][0]["id"], token["id"])
        text = b"".join(bytes(token["bytes"]) for token in tokens)
        self.assertTrue(text.startswith(out["generations"][0]["text"].encode()))

    def test_is_whole_characters_even_from_a_byte_model(self):
        done = malssi("generate", "--model", BASE, "--temperature", "5", "--seed", "3", "--prompt", "고양이", "--max-tokens", "60")
        self.assertEqual(done.code, 0, done)
        self.assertNotIn("\\x", done.out)

    def test_takes_the_prompt_from_a_file_or_standard_input(self):
        wanted = self.generate("--greedy", "--prompt", "Juno")
        self.assertEqual(self.generate("--greedy", "--prompt-file", self.write("p.txt", "Juno\n")), wanted)
        self.assertEqual(self.generate("--greedy", input="Juno\n"), wanted)

    def test_does_not_depend_on_the_number_of_threads(self):
        one = self.generate("--greedy", "--prompt", "Ara", "--threads", "1")
        self.assertEqual(self.generate("--greedy", "--prompt", "Ara", "--threads", "2"), one)


class BadPrompts(GenerateTest):
    def bad_prompt(self, *args, words, code=1, **more):
        self.bad("generate", "--model", BASE, *args, words=words, code=code, **more)

    def test_longer_than_the_context(self):
        self.bad_prompt("--prompt", "a" * 500, words=["500", "128"])

    def test_that_are_not_utf8(self):
        self.bad_prompt("--prompt", b"ab\xff\xfe", words=["UTF-8"])
        self.bad_prompt(words=["UTF-8"], input=b"ab\xc3")

    def test_and_settings_out_of_range(self):
        for flag, value in (("--temperature", "-1"), ("--top-p", "2"), ("--top-k", "-3"), ("--max-tokens", "-1"),
                            ("--repetition-penalty", "0"), ("--beams", "0"), ("--temperature", "nan")):
            with self.subTest(f"{flag} {value}"):
                result = malssi("generate", "--model", BASE, "--prompt", "a", flag, value)
                self.assertIn(result.code, (1, 2), result)
                self.assertRegex(result.err, r"^error: [^\n]*" + flag.strip("-").replace("-", "[-_ ]") + r"[^\n]*\n$")


class BadModels(GenerateTest):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "model"
        shutil.copytree(BASE, self.model)

    def bad_model(self, *words):
        self.bad("generate", "--model", self.model, "--prompt", "a", words=words)

    def test_a_folder_that_is_not_there(self):
        self.bad("generate", "--model", self.folder / "none", "--prompt", "a", words=["none"])

    def test_a_folder_without_weights(self):
        (self.model / "model.safetensors").unlink()
        self.bad_model("model.safetensors")

    def test_weights_config_or_tokenizer_cut_short(self):
        for name in ("model.safetensors", "config.json", "tokenizer.json"):
            whole = (self.model / name).read_bytes()
            for part in (0, 1, len(whole) // 3, len(whole) - 2):
                with self.subTest(f"{name}, {part} bytes"):
                    (self.model / name).write_bytes(whole[:part])
                    self.bad_model(name)
            (self.model / name).write_bytes(whole)

    def test_an_unknown_architecture_is_named_with_the_known_ones(self):
        config = json.loads((self.model / "config.json").read_text())
        config.update(architectures=["ZebraForCausalLM"], model_type="zebra")
        (self.model / "config.json").write_text(json.dumps(config))
        self.bad_model("ebra", "gpt2", "llama")

    def test_weights_that_do_not_fit_the_config(self):
        config = json.loads((self.model / "config.json").read_text())
        config["intermediate_size"] *= 2
        (self.model / "config.json").write_text(json.dumps(config))
        self.bad_model("mlp")


class Chatting(GenerateTest):
    def test_answers_a_message_through_the_template(self):
        out = self.generate("--greedy", "--chat", "--prompt", "Who likes tea?", model=CHAT)
        self.assertNotIn("<|", out)

    def test_needs_a_model_with_a_chat_template(self):
        self.bad("generate", "--model", BASE, "--chat", "--prompt", "a", words=["template"])


if __name__ == "__main__":
    unittest.main()
