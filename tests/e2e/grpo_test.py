"""Reinforcement learning from checked answers: what it learns, that kill -9 at random moments does not change it, and what wrong
use is told. MALSSI_KILLS says how many kills (4), MALSSI_KILL_SEED which moments."""
import json
import os
import random
import shutil
import subprocess
import time
import unittest

from program import CHAT, ProgramTest, start

KILLS = int(os.environ.get("MALSSI_KILLS", "4"))
SEED = int(os.environ.get("MALSSI_KILL_SEED", str(random.randrange(1 << 30))))


class GrpoTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.prompts = self.write("prompts.jsonl", "".join(
            json.dumps({"prompt": f"Does {name} like {thing}?", "answer": "e"}) + "\n"
            for name in ("Mina", "Juno", "Ara", "Tom") for thing in ("tea", "rain", "snow")))

    def arguments(self, run, *more, rewards=("--use", "regex", "--pattern", "Mina")):
        return ["align", "grpo", "--model", CHAT, "--data", self.prompts, "--out", run, "--max-tokens", "6", "--batch-rows", "3",
                "--group", "4", "--lr", "0.01", "--eval-every", "6", "--checkpoint-every", "3", "--samples", "1", *rewards, *more]

    def records(self, run):
        return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


class Runs(GrpoTest):
    def test_the_reward_rises_and_the_report_tells_it(self):
        run = self.folder / "run"
        result = self.good(*self.arguments(run, "--steps", "40"))
        self.assertIn("held-out reward", result.err)
        lines = self.records(run)
        rewards = [line["reward"] for line in lines if "reward" in line]
        self.assertGreater(sum(rewards[-8:]), sum(rewards[:8]))
        page = (run / "report.html").read_text()
        for word in ("Reward regex", "Entropy", "Answer tokens", "Before and after"):
            self.assertIn(word, page)
        self.good("generate", "--model", run / "model", "--chat", "--prompt", "Does Mina like tea?", "--max-tokens", "3")

    def test_rewards_by_commands(self):
        run = self.folder / "run"
        result = self.good(*self.arguments(run, "--steps", "2", "--test-command", "grep -q e", "--judge-command", "echo nothing",
                                           rewards=("--use", "tests,judge=0.5")))
        self.assertIn("printed no number", result.err)
        line = self.records(run)[-1]
        self.assertEqual(line["reward_judge"], 0)
        self.assertIn("reward_tests", line)

    def test_the_best_of_many_answers_can_be_tuned_on(self):
        best = self.folder / "best.jsonl"
        self.good("align", "best-of", "--model", CHAT, "--data", self.prompts, "--out", best, "--samples", "8", "--max-tokens", "12",
                  "--use", "regex", "--pattern", "[A-Z]")
        records = [json.loads(line) for line in best.read_text().splitlines()]
        self.assertGreater(len(records), 0)
        for record in records:
            self.assertEqual(record["reward"], 1)
            self.assertRegex(record["messages"][-1]["content"], "[A-Z]")
        self.good("tune", "sft", "--model", CHAT, "--data", best, "--out", self.folder / "tuned", "--steps", "2")

    def test_wrong_use_is_told_in_a_line(self):
        run = self.folder / "run"
        for more, told, code in ((["--use", "exakt"], "is no reward", 1), (["--group", "1"], "needs 2 at least", 1),
                                 (["--use", "schema"], "--schema", 1), (["--loss", "ppo"], "grpo, dr_grpo", 2),
                                 (["--use", "regex", "--pattern", "("], "parenthesis", 1)):
            with self.subTest(more):
                self.bad(*self.arguments(run, rewards=(), *more), words=[told], code=code)
                self.assertFalse((run / "run.json").exists())


class Kills(GrpoTest):
    def left_behind(self, run):
        files = [*run.glob("model/*.safetensors"), *run.glob("adapter/*.safetensors"), *run.glob("best/*.safetensors")]
        files += sorted(run.glob("checkpoints/step-*/*.safetensors"))
        return {file.relative_to(run): file.read_bytes() for file in files}

    def disturb(self, *more):
        """Once in peace, then with kills: the same files must be left behind."""
        rng = random.Random(SEED)
        whole, run = self.folder / "whole", self.folder / "run"
        arguments = lambda folder: self.arguments(folder, "--steps", "30", "--mini-batches", "2", "--inner-epochs", "2", *more)
        began = time.monotonic()
        self.good(*arguments(whole))
        seconds, expected = time.monotonic() - began, self.left_behind(whole)
        self.assertGreaterEqual(len(expected), 4)
        for _ in range(KILLS):
            process = start(*(["resume", run] if (run / "run.json").exists() else arguments(run)))
            try:
                process.communicate(timeout=rng.uniform(0, 0.7 * seconds))
                self.assertEqual(self.left_behind(run), expected, f"seed {SEED}")
                shutil.rmtree(run)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        self.good(*(["resume", run] if (run / "run.json").exists() else arguments(run)))
        self.assertEqual(self.left_behind(run), expected, f"seed {SEED}")

    def test_all_weights(self):
        self.disturb("--beta", "0.01")

    def test_an_adapter(self):
        self.disturb("--beta", "0.01", "--lora", "--loss", "dapo")


if __name__ == "__main__":
    unittest.main()
