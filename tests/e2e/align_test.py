"""Learning from preferences: every method, what it learns, going on, and what bad preferences are told."""
import json
import unittest

from program import CHAT, ProgramTest

NAMES, THINGS = ("Mina", "Juno", "Ara", "Tom"), ("tea", "a cat", "a boat", "rain", "books", "plums", "snow", "bread")


def pairs():
    return [{"prompt": f"Does {name} like {thing}?", "chosen": "Yes.", "rejected": "No."}
            for name in NAMES for thing in THINGS]


class AlignTest(ProgramTest):
    def lines(self, name, records):
        return self.write(name, "".join(json.dumps(record) + "\n" for record in records))

    def align(self, method, data, *more):
        return ["align", method, "--model", CHAT, "--data", data, "--out", self.folder / method, "--steps", "30",
                "--lr", "0.003", "--warmup-steps", "3", "--val-fraction", "0.25", "--eval-every", "10",
                "--set", "log.every=1", *more]

    def last(self, method):
        return [json.loads(line) for line in (self.folder / method / "metrics.jsonl").read_text().splitlines()][-1]


class Methods(AlignTest):
    def test_each_prefers_the_better_of_answers_it_never_saw(self):
        data = self.lines("pairs.jsonl", pairs())
        for method in ("dpo", "kto", "orpo", "simpo"):
            with self.subTest(method):
                self.good(*self.align(method, data))
                self.assertGreater(self.last(method)["val_reward_accuracy"], 0.9)
                self.good("generate", "--model", self.folder / method / "model", "--chat", "--prompt",
                          "Does Mina like tea?", "--max-tokens", "3")

    def test_the_losses_of_dpo(self):
        data = self.lines("pairs.jsonl", pairs())
        for loss in ("hinge", "ipo", "robust"):
            with self.subTest(loss):
                self.good(*self.align("dpo", data, "--loss", loss, "--label-smoothing", "0.1", "--out",
                                      self.folder / loss))
                self.assertGreater(self.last(loss)["val_reward_accuracy"], 0.9)

    def test_a_run_can_be_resumed(self):
        self.good(*self.align("dpo", self.lines("pairs.jsonl", pairs()), "--steps", "4"))
        self.good("resume", self.folder / "dpo", "--set", "train.steps=6")
        self.assertEqual(self.last("dpo")["step"], 6)


class RewardModels(AlignTest):
    def test_learns_from_rankings_and_tells_how_good_it_is(self):
        ranked = [{"prompt": pair["prompt"], "ranked": ["Yes.", "Maybe.", "No."]} for pair in pairs()]
        result = self.good(*self.align("reward", self.lines("ranked.jsonl", ranked), "--steps", "60",
                                       "--lr", "0.01"))
        self.assertIn("95% interval", result.err)
        self.assertGreater(self.last("reward")["val_reward_accuracy"], 0.9)
        config = json.loads((self.folder / "reward" / "model" / "config.json").read_text())
        self.assertEqual(config["architectures"], ["LlamaForSequenceClassification"])
        self.good("inspect", self.folder / "reward" / "model")
        self.bad("generate", "--model", self.folder / "reward" / "model", "--prompt", "Hi", words=["reward model"])
        self.bad("convert", self.folder / "reward" / "model", self.folder / "x.gguf", words=["reward model"])


class WrongUse(AlignTest):
    def test_names_the_line_that_is_wrong(self):
        for name, record in {"no pair": {"text": "a"}, "a number": {"prompt": "a", "chosen": 1, "rejected": "b"},
                             "judged": {"prompt": "a", "completion": "b", "label": True}}.items():
            with self.subTest(name):
                data = self.lines("pairs.jsonl", [*pairs()[:1], record])
                self.bad(*self.align("dpo", data), words=[str(data), "line 2", "expected"])

    def test_names_what_is_missing(self):
        self.bad("align", "dpo", "--model", CHAT, "--out", self.folder / "run", words=["--data"])
        self.bad("align", "dpo", "--data", "x.jsonl", "--out", self.folder / "run", words=["--model"])
        self.bad("align", "dqo", words=["dpo"], code=2)
        self.bad(*self.align("orpo", self.lines("pairs.jsonl", pairs()), "--gamma", "1"), words=["--gamma"], code=2)
        self.bad(*self.align("dpo", self.lines("pairs.jsonl", pairs()), "--loss", "huber"), words=["hinge"], code=2)


if __name__ == "__main__":
    unittest.main()
