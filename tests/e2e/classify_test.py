"""Classifiers and previews of tuning data on the command line."""
import json
import signal
import time
import unittest

from program import BASE, MODELS, ProgramTest, start


class ClassifyTest(ProgramTest):
    def setUp(self):
        super().setUp()
        rows = "".join(f"{i}\tMina likes tea.\tgood\n{i}\tTom sees rain.\tbad\n" for i in range(40))
        self.data = self.write("moods.tsv", "id\tdocument\tmood\n" + rows)
        self.columns = ["--text-column", "document", "--label-column", "mood"]

    def tune(self, out, *more):
        return ["tune", "classify", "--model", BASE, "--data", self.data, *self.columns, "--out", self.folder / out, "--lr", "0.01",
                "--warmup-steps", "2", "--batch-rows", "8", *more]


class AClassifier(ClassifyTest):
    def test_is_trained_measured_and_asked(self):
        self.good(*self.tune("run"))
        told = json.loads(self.good("eval", "classify", "--model", self.folder / "run", "--data", self.data, *self.columns,
                                    "--json").out)
        self.assertEqual(told["texts"], 80)
        self.assertEqual(told["accuracy"], 1)
        self.assertLess(told["accuracy_low"], 1)
        table = self.good("eval", "classify", "--model", self.folder / "run", "--data", self.data, *self.columns).out
        self.assertIn("accuracy   100.00% (95% interval", table)
        answers = self.good("classify", "--model", self.folder / "run", "Tom sees rain.", "Mina likes tea.").out
        self.assertEqual([line.split("\t")[0] for line in answers.splitlines()], ["bad", "good"])
        lines = self.good("classify", "--model", self.folder / "run", "--json", input=b"Mina likes tea.\n").out
        self.assertEqual(json.loads(lines)["label"], "good")
        self.bad("generate", "--model", self.folder / "run", "--prompt", "a", words=["classifier"])

    def test_killed_and_resumed_ends_with_the_same_weights(self):
        more = ["--checkpoint-every", "5", "--epochs", "8", "--lm-weight", "0.5"]
        self.good(*self.tune("whole", *more))
        process = start(*self.tune("parts", *more))
        checkpoints = self.folder / "parts" / "checkpoints"
        for _ in range(600):
            if any(checkpoints.glob("step-*")) or process.poll() is not None:
                break
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.good("resume", self.folder / "parts")
        weights = [(self.folder / run / "model/model.safetensors").read_bytes() for run in ("whole", "parts")]
        self.assertEqual(*weights)

    def test_what_is_none_is_told(self):
        self.bad("eval", "classify", "--model", BASE, "--data", self.data, words=["no labels"])
        self.bad("classify", "--model", BASE, "text", words=["no labels"])
        self.columns = ["--text-column", "document"]
        self.bad(*self.tune("run"), words=["moods.tsv line 2", "\"label\" is missing"])


class APreview(ProgramTest):
    def test_marks_what_is_learned_in_brackets(self):
        shown = self.good("tune", "preview", BASE, MODELS / "chats.jsonl", "--count", "1").out
        self.assertIn("[Mina.", shown)
        self.assertNotIn("\x1b", shown)
        self.assertIn("conversations: 8", shown)

    def test_shows_both_answers_of_a_preference(self):
        pair = {"prompt": "Who?", "chosen": "Mina.", "rejected": "Nobody."}
        shown = self.good("tune", "preview", BASE, self.write("pairs.jsonl", json.dumps(pair) + "\n")).out
        self.assertIn("[Mina.", shown)
        self.assertIn("[Nobody.", shown)

    def test_names_the_line_that_is_wrong(self):
        self.bad("tune", "preview", BASE, self.write("bad.csv", "Q,A\n1\n"), words=["bad.csv line 2", "1 fields"])


if __name__ == "__main__":
    unittest.main()
