"""Measuring a model on a text."""
import json
import unittest

from program import BASE, CHAT, MODELS, ProgramTest, story


class Perplexity(ProgramTest):
    def measure(self, data, *more):
        return json.loads(self.good("eval", "perplexity", "--model", BASE, "--data", data, "--json", *more).out)

    def test_of_the_training_text_is_far_below_chance(self):
        found = self.measure(MODELS / "story.txt")
        self.assertGreater(found["scored_tokens"], 1000)
        self.assertLess(found["perplexity"], 100)

    def test_falls_with_more_context_before_each_token(self):
        data = self.write("text.txt", story(60))
        whole, overlapping = self.measure(data), self.measure(data, "--stride", "16")
        self.assertGreater(overlapping["windows"], whole["windows"])
        self.assertEqual(overlapping["tokens"], whole["tokens"])

    def test_prints_a_table_without_json(self):
        out = self.good("eval", "perplexity", "--model", BASE, "--data", self.write("text.txt", story(20))).out
        self.assertRegex(out, r"(?m)^perplexity +[\d.]+$")

    def test_of_missing_empty_or_binary_data_is_an_error(self):
        for data in (self.folder / "none.txt", self.write("empty.txt", ""), self.write("bytes.txt", bytes(range(256)))):
            self.bad("eval", "perplexity", "--model", BASE, "--data", data, words=[str(data)])

    def test_of_a_single_token_is_an_error(self):
        self.bad("eval", "perplexity", "--model", BASE, "--data", self.write("one.txt", "a"), words=["token"])


class Behaviour(ProgramTest):
    def prompts(self):
        return self.write("prompts.jsonl", "".join(
            json.dumps({"prompt": f"Who likes {thing}?", "answer": "Mina."}) + "\n"
            for thing in ("tea", "rain", "cats", "boats", "books", "plums", "snow", "bread")))

    def measure(self, base, model, *more):
        return json.loads(self.good("eval", "behaviour", "--base", base, "--model", model, "--prompts", self.prompts(),
                                    "--max-tokens", "40", "--json", *more).out)

    def test_of_a_model_and_itself_finds_nothing(self):
        found = self.measure(CHAT, CHAT)
        self.assertEqual(found["findings"], [])
        self.assertLess(found["after"]["divergence"], 1e-6)
        self.assertEqual(found["before"]["answers"], 8)

    def test_finds_what_a_model_lost(self):
        found = self.measure(CHAT, BASE, "--kl-limit", "0.1")
        self.assertGreater(found["before"]["right"], found["after"]["right"])
        self.assertTrue(any("fewer answers are right" in line for line in found["findings"]), found)
        self.assertTrue(any("far from the base" in line for line in found["findings"]), found)

    def test_finds_refusals_that_a_stage_taught_and_the_reward_that_wanted_them(self):
        refusal = "I cannot help with that."
        data = self.write("refusals.jsonl", "".join(
            json.dumps({"prompt": json.loads(line)["prompt"], "response": refusal}) + "\n"
            for line in self.prompts().read_text().splitlines()))
        self.good("tune", "sft", "--model", CHAT, "--data", data, "--val-fraction", "0", "--steps", "400", "--lr", "0.01", "--out",
                  self.folder / "refusing")
        found = self.measure(CHAT, self.folder / "refusing", "--use", "regex", "--pattern", "cannot")
        self.assertEqual(found["after"]["refusals"], 1)
        self.assertEqual(found["after"]["reward"], 1)
        for warning in ("more answers are refusals: 100.0%, before 0.0%", "answers grow", "reward hacking"):
            self.assertTrue(any(warning in line for line in found["findings"]), (warning, found))

    def test_prints_a_table_and_a_line_for_each_warning(self):
        out = self.good("eval", "behaviour", "--base", CHAT, "--model", BASE, "--prompts", self.prompts(), "--max-tokens",
                        "40").out
        self.assertRegex(out, r"(?m)^right +100.0% +0.0%$")
        self.assertRegex(out, r"(?m)^warning: fewer answers are right")

    def test_what_does_not_fit_is_an_error(self):
        self.bad("eval", "behaviour", "--base", CHAT, "--model", CHAT, words=["--prompts"])
        self.bad("eval", "behaviour", "--base", CHAT, "--model", CHAT, "--prompts", self.prompts(), "--samples", "4",
                 words=["--temperature 1"])


if __name__ == "__main__":
    unittest.main()
