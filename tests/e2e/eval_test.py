"""Measuring a model on a text."""
import json
import unittest

from program import BASE, MODELS, ProgramTest, story


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


if __name__ == "__main__":
    unittest.main()
