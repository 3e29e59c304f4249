"""Pretraining: what a run leaves behind, stopping and going on, and what bad input is told."""
import json
import math
import signal
import time
import unittest

from program import RECIPE, ProgramTest, start, story

METRICS = {"step", "tokens", "loss", "val_loss", "lr", "grad_norm", "tokens_per_second", "elapsed_seconds", "memory_bytes"}


class PretrainTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.recipe = self.write("recipe.toml", RECIPE)
        self.data = self.write("data.txt", story())
        self.run_folder = self.folder / "run"

    def arguments(self, *more, out=None):
        return ["pretrain", self.recipe, "--data", self.data, "--out", out or self.run_folder, *more]

    def wait_for_checkpoint(self, process):
        """Returns once the running process has written one."""
        for _ in range(600):
            if any((self.run_folder / "checkpoints").glob("step-*")):
                return
            self.assertIsNone(process.poll(), "it ended too early")
            time.sleep(0.05)
        self.fail("no checkpoint after 30 s")

    def weights(self, run):
        return (run / "model" / "model.safetensors").read_bytes()


class ARun(PretrainTest):
    def test_leaves_model_metrics_report_and_events(self):
        self.good(*self.arguments())
        for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
                     "generation_config.json", "README.md"):
            self.assertTrue((self.run_folder / "model" / name).is_file(), name)
        self.assertIn("<svg", (self.run_folder / "report.html").read_text())
        self.assertTrue(list(self.run_folder.glob("events.out.tfevents.*")))
        records = [json.loads(line) for line in (self.run_folder / "metrics.jsonl").read_text().splitlines()]
        self.assertLessEqual(METRICS, set().union(*records))
        self.assertEqual(records[-1]["step"], 20)
        measured = [record["val_loss"] for record in records if record["val_loss"] is not None]
        self.assertLess(measured[-1], measured[0])

    def test_says_before_it_starts_what_it_will_take(self):
        err = self.good(*self.arguments()).err
        for word in ("parameters", "tokens", "FLOP"):
            self.assertIn(word, err)

    def test_begins_at_the_loss_of_a_model_that_knows_nothing(self):
        self.good(*self.arguments("--steps", "1"))
        config = json.loads((self.run_folder / "model" / "config.json").read_text())
        first = json.loads((self.run_folder / "metrics.jsonl").read_text().splitlines()[0])
        loss = first.get("val_loss") or first["loss"]
        self.assertAlmostEqual(loss / math.log(config["vocab_size"]), 1, delta=0.01)

    def test_with_the_same_seed_ends_with_the_same_weights(self):
        runs = [self.folder / name for name in ("a", "b", "c")]
        for run, seed in zip(runs, ("5", "5", "6")):
            self.good(*self.arguments("--seed", seed, out=run))
        self.assertEqual(self.weights(runs[0]), self.weights(runs[1]))
        self.assertNotEqual(self.weights(runs[0]), self.weights(runs[2]))

    def test_takes_flags_over_the_recipe(self):
        self.good(*self.arguments("--layers", "2", "--set", "train.steps=3"))
        config = json.loads((self.run_folder / "model" / "config.json").read_text())
        self.assertEqual(config["num_hidden_layers"], 2)
        self.assertEqual((self.run_folder / "metrics.jsonl").read_text().splitlines()[-1][:9], '{"step":3')

    def test_reads_folders_and_json_lines_in_both_languages(self):
        texts = self.folder / "texts"
        self.write("texts/a.txt", story(50))
        self.write("texts/deep/b.jsonl", "".join(json.dumps({"body": f"고양이 {i}마리가 잔다."}) + "\n" for i in range(50)))
        self.good("pretrain", self.recipe, "--data", texts, "--field", "body", "--out", self.run_folder, "--steps", "2")


class Stopping(PretrainTest):
    LONG = ("--steps", "100000", "--eval-every", "0")

    def test_by_ctrl_c_or_sigterm_saves_a_checkpoint_and_succeeds(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                self.run_folder = self.folder / str(number)
                process = start(*self.arguments(*self.LONG))
                self.wait_for_checkpoint(process)
                process.send_signal(number)
                err = process.communicate(timeout=60)[1]
                self.assertEqual(process.returncode, 0, err)
                self.assertIn("malssi resume", err)

    def test_and_going_on_ends_with_the_weights_of_an_undisturbed_run(self):
        whole, parts = self.folder / "whole", self.run_folder
        steps = ("--steps", "300", "--eval-every", "100", "--checkpoint-every", "60")
        self.good(*self.arguments(*steps, out=whole))
        process = start(*self.arguments(*steps))
        self.wait_for_checkpoint(process)
        process.kill()
        process.communicate()
        self.good("resume", parts)
        self.assertEqual(self.weights(whole), self.weights(parts))
        steps_seen = [json.loads(line)["step"] for line in (parts / "metrics.jsonl").read_text().splitlines()]
        self.assertEqual(steps_seen, sorted(set(steps_seen)))

    def test_resume_takes_another_number_of_threads(self):
        self.good(*self.arguments("--steps", "4", "--threads", "1"))
        self.good("resume", self.run_folder, "--set", "train.steps=6", "--threads", "2")
        self.assertIn("threads = 2 ", (self.run_folder / "config.toml").read_text())

    def test_two_runs_on_one_folder_are_refused(self):
        process = start(*self.arguments(*self.LONG))
        self.wait_for_checkpoint(process)
        try:
            self.bad("resume", self.run_folder, words=[str(self.run_folder), "another"])
        finally:
            process.kill()
            process.communicate()

    def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(self):
        self.good(*self.arguments("--steps", "10"))
        newest = sorted((self.run_folder / "checkpoints").glob("step-*"))[-1]
        weights = newest / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1])
        result = self.good("resume", self.run_folder)
        self.assertIn(newest.name, result.err)

    def test_resuming_what_is_no_run_is_an_error(self):
        self.bad("resume", self.folder, words=[str(self.folder)])
        self.bad("resume", self.folder / "nowhere", words=["nowhere"])


class BadInput(PretrainTest):
    def bad_data(self, data, *words):
        self.bad("pretrain", self.recipe, "--data", data, "--out", self.run_folder, words=[str(data), *words])
        self.assertFalse((self.run_folder / "model").exists())

    def test_data_that_is_missing(self):
        self.bad_data(self.folder / "no-such-file.txt")

    def test_data_that_is_empty(self):
        self.bad_data(self.write("empty.txt", ""), "empty")

    def test_data_that_is_binary(self):
        self.bad_data(self.write("image.txt", bytes(range(256)) * 20))

    def test_data_that_cannot_be_read(self):
        loop = self.folder / "loop.txt"  # not even root can
        loop.symlink_to(loop)
        self.bad_data(loop)

    def test_a_folder_without_text(self):
        (self.folder / "bare").mkdir()
        self.bad_data(self.folder / "bare")

    def test_json_lines_that_are_broken_or_lack_the_field_name_the_line(self):
        self.bad_data(self.write("broken.jsonl", '{"text":"a"}\n{"text":\n'), "line 2")
        self.bad_data(self.write("other.jsonl", '{"text":"a"}\n{"body":"b"}\n'), "line 2", "text")

    def test_sequences_longer_than_the_data(self):
        short = self.write("short.txt", "a short text")
        self.bad("pretrain", self.recipe, "--data", short, "--out", self.run_folder, words=["token"])

    def test_unknown_recipe_keys_suggest_the_nearest(self):
        recipe = self.write("bad.toml", "[optim]\nshedule = 'linear'\n")
        self.bad("pretrain", recipe, "--data", self.data, "--out", self.run_folder,
                 words=["bad.toml:2", "unknown key 'optim.shedule'", "did you mean 'optim.schedule'?"])
        self.bad(*self.arguments("--set", "model.layer=3"), code=2, words=["did you mean 'model.layers'?"])

    def test_recipes_that_are_missing_or_no_toml(self):
        self.bad("pretrain", self.folder / "none.toml", "--data", self.data, "--out", self.run_folder, words=["none.toml"])
        self.bad("pretrain", self.write("x.toml", "[model\n"), "--data", self.data, "--out", self.run_folder,
                 words=["x.toml:1"])

    def test_impossible_shapes(self):
        self.bad(*self.arguments("--heads", "3"), words=["16", "3"])
        self.bad(*self.arguments("--heads", "2", "--kv-heads", "3"), words=["3"])
        self.bad(*self.arguments("--layers", "0"), code=2, words=["model.layers", "at least 1"])
        self.bad(*self.arguments("--width", "1000000000"), words=["width is 1000000000", "expected"])
        self.bad(*self.arguments("--width", "200000", "--heads", "200"), words=["memory"])
        self.bad(*self.arguments("--width", "wide"), code=2, words=["--width", "whole number"])

    def test_a_folder_that_holds_another_run(self):
        self.good(*self.arguments("--steps", "1"))
        before = self.weights(self.run_folder)
        self.bad(*self.arguments("--steps", "2"), words=[str(self.run_folder), "resume"])
        self.assertEqual(self.weights(self.run_folder), before)

    def test_a_disk_that_is_full_or_a_place_that_cannot_be_written(self):
        self.bad(*self.arguments(out="/proc/run"), words=["/proc/run"])


if __name__ == "__main__":
    unittest.main()
