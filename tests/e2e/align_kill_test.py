"""Alignment runs that are interrupted and killed -9 at random moments, each time gone on with: the result is that of an
undisturbed run, bit for bit. MALSSI_KILLS says how many kills for each method (2), MALSSI_KILL_SEED which moments."""
import json
import os
import random
import signal
import subprocess
import time
import unittest

from program import CHAT, ProgramTest, start

KILLS = int(os.environ.get("MALSSI_KILLS", "2"))
SEED = int(os.environ.get("MALSSI_KILL_SEED", str(random.randrange(1 << 30))))
STEADY = ["--set", "train.checkpoint_every=4", "--set", "train.eval_every=8", "--set", "log.every=1",
          "--set", "log.samples=0"]


class AlignKillTest(ProgramTest):
    def setUp(self):
        super().setUp()
        asked = [f"Does {name} like {thing}?" for name in ("Mina", "Juno", "Ara", "Tom") for thing in ("tea", "rain", "snow")]
        self.prompts = self.write("prompts.jsonl", "".join(json.dumps({"prompt": text}) + "\n" for text in asked))
        self.pairs = self.write("pairs.jsonl", "".join(
            json.dumps({"prompt": text, "chosen": "Yes.", "rejected": "No."}) + "\n" for text in asked))

    def left_behind(self, run):
        files = [*run.glob("model/*.safetensors"), *run.glob("adapter/*.safetensors")]
        files += sorted(run.glob("checkpoints/step-*/*.safetensors"))
        return {file.relative_to(run): file.read_bytes() for file in files}

    def disturb(self, *arguments):
        """Runs the command once in peace, once with kills and an interruption; the same files must be left behind."""
        rng = random.Random(SEED)
        whole, run = self.folder / "whole", self.folder / "run"
        began = time.monotonic()
        self.good(*arguments, *STEADY, "--out", whole)
        seconds, expected = time.monotonic() - began, self.left_behind(whole)
        self.assertTrue(expected)
        for number in range(KILLS + 1):
            process = start(*(["resume", run] if (run / "run.json").exists() else [*arguments, *STEADY, "--out", run]))
            try:
                process.communicate(timeout=rng.uniform(0, 0.5 * seconds))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT if number == KILLS else signal.SIGKILL)
                process.communicate()
        self.good(*(["resume", run] if (run / "run.json").exists() else [*arguments, *STEADY, "--out", run]))
        self.assertEqual(self.left_behind(run), expected, f"seed {SEED}")

    def test_an_adapter_by_preferences(self):
        self.disturb("align", "dpo", "--model", CHAT, "--data", self.pairs, "--lora", "--dropout", "0.1", "--steps", "24",
                     "--lr", "0.01")

    def test_a_reward_model(self):
        self.disturb("align", "reward", "--model", CHAT, "--data", self.pairs, "--steps", "24", "--lr", "0.003")

    def test_by_a_reward_model(self):
        judge = self.folder / "judge"
        self.good("align", "reward", "--model", CHAT, "--data", self.pairs, "--out", judge, "--steps", "30", "--lr", "0.01")
        self.disturb("align", "ppo", "--model", CHAT, "--data", self.prompts, "--reward", judge, "--lora", "--answers", "8",
                     "--batch-rows", "4", "--max-tokens", "12", "--inner-epochs", "2", "--steps", "24", "--lr", "0.003")


if __name__ == "__main__":
    unittest.main()
