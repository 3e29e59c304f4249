"""kill -9 at random moments of a tiny run, each time gone on with: the final weights are those of an undisturbed run.

MALSSI_KILLS says how many (8; the project's own figure is 200), MALSSI_KILL_SEED which moments.
"""
import os
import random
import shutil
import subprocess
import time
import unittest

from program import RECIPE, ProgramTest, start, story

KILLS = int(os.environ.get("MALSSI_KILLS", "8"))
SEED = int(os.environ.get("MALSSI_KILL_SEED", str(random.randrange(1 << 30))))


class KillResumeTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.recipe = self.write("recipe.toml", RECIPE)
        self.data = self.write("data.txt", story())

    def arguments(self, run):
        return ["pretrain", self.recipe, "--data", self.data, "--out", run, "--steps", "120",
                "--set", "train.checkpoint_every=5", "--set", "train.eval_every=15", "--set", "model.dropout=0.1"]

    def left_behind(self, run):
        """What must not depend on the kills: the weights of the model, of the best one and of the last checkpoint."""
        files = [run / "model" / "model.safetensors", run / "best" / "model.safetensors"]
        files += sorted((run / "checkpoints" / "step-00000120").glob("*.safetensors"))
        return {file.relative_to(run): file.read_bytes() for file in files}

    def test_kills_at_random_moments_do_not_change_the_result(self):
        rng = random.Random(SEED)
        whole, run = self.folder / "whole", self.folder / "run"
        began = time.monotonic()
        self.good(*self.arguments(whole))
        seconds = time.monotonic() - began
        expected = self.left_behind(whole)
        self.assertGreaterEqual(len(expected), 4)
        kills = finished = 0
        while kills < KILLS:
            arguments = ["resume", run] if (run / "run.json").exists() else self.arguments(run)
            process = start(*arguments)
            try:
                err = process.communicate(timeout=rng.uniform(0, 0.7 * seconds))[1]
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
                continue
            self.assertEqual(process.returncode, 0, f"seed {SEED}, after {kills} kills: {err}")
            self.assertEqual(self.left_behind(run), expected, f"seed {SEED}, after {kills} kills")
            finished += 1
            shutil.rmtree(run)
        self.good(*(["resume", run] if (run / "run.json").exists() else self.arguments(run)))
        self.assertEqual(self.left_behind(run), expected, f"seed {SEED}")
        print(f"{kills} kills, {finished + 1} runs finished with the same weights (seed {SEED})")


if __name__ == "__main__":
    unittest.main()
