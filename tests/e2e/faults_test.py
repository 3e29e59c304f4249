"""A whole training run while the Nth write, fsync or rename fails, or the process is killed there: a clear error, every
checkpoint whole, and a resumed run that ends with the weights of an undisturbed one.

MALSSI_FAULT_STRIDE=1 tries every N (minutes); without it a handful, spread over the run."""
import json
import os
import shutil
import unittest

from program import RECIPE, ProgramTest, malssi, story

INJECTOR = os.environ["MALSSI_FAULT_INJECTOR"]
STRIDE = int(os.environ.get("MALSSI_FAULT_STRIDE", 0))
POINTS = 7  # of each kind, without a stride


class Faults(ProgramTest):
    def setUp(self):
        super().setUp()
        self.recipe = self.write("recipe.toml", RECIPE)
        self.data = self.write("data.txt", story())
        self.place = self.folder / "place"  # all that a run writes
        self.run_folder = self.place / "run"

    def pretrain(self, **env):
        """A run into the same place, its old content gone."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        return self.again(**env)

    def again(self, **env):
        return malssi("pretrain", self.recipe, "--data", self.data, "--out", self.run_folder, "--steps", "6",
                      "--eval-every", "3", "--checkpoint-every", "2", MALSSI_CACHE=str(self.place / "cache"), **env)

    def disturbed(self, **fault):
        settings = {"MALSSI_FAULT_" + key.upper(): str(value) for key, value in fault.items() if key != "kind"}
        return self.pretrain(LD_PRELOAD=INJECTOR, MALSSI_FAULT_PATH=str(self.place), MALSSI_FAULT=fault.get("kind", ""),
                             **settings)

    def weights(self):
        return (self.run_folder / "model" / "model.safetensors").read_bytes()

    def calls_of_a_run(self):
        count = self.folder / "count"
        result = self.disturbed(count=count)
        self.assertEqual(result.code, 0, result)
        self.expected = self.weights()
        return int(count.read_text())

    def expect_one_error(self, result):
        self.assertEqual(result.code, 1, result)
        errors = [line for line in result.err.splitlines() if line.startswith("error: ")]
        self.assertEqual(len(errors), 1, result)
        self.assertIn("cannot ", errors[0])

    def expect_whole_checkpoints(self):
        if not (self.run_folder / "checkpoints").exists():
            return
        shown = malssi("inspect", self.run_folder, "--json")
        self.assertEqual(shown.code, 0, shown)
        for checkpoint in json.loads(shown.out).get("checkpoints", []):
            self.assertIsNone(checkpoint["damage"])

    def expect_going_on_works(self):
        resumable = (self.run_folder / "run.json").exists()
        env = {"MALSSI_CACHE": str(self.place / "cache")}
        result = malssi("resume", self.run_folder, **env) if resumable else self.again()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.weights(), self.expected)

    def sweep(self, check, **fault):
        calls = self.calls_of_a_run()
        self.assertGreater(calls, 50)
        for at in range(1, calls + 1, STRIDE or max(calls // POINTS, 1)):
            with self.subTest(at=at, of=calls, **fault):
                check(self.disturbed(at=at, **fault))
                self.expect_whole_checkpoints()
                self.expect_going_on_works()

    def expect_error_or_success(self, result):
        # A call whose failure changes nothing (telling the file system about a removed file) may pass.
        if result.code == 0:
            self.assertEqual(self.weights(), self.expected)
        else:
            self.expect_one_error(result)

    def expect_success(self, result):
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.weights(), self.expected)

    def test_a_disk_that_is_full(self):
        self.sweep(self.expect_one_error, kind="enospc", sticky=1)

    def test_a_disk_that_is_full_for_a_moment(self):
        self.sweep(self.expect_error_or_success, kind="enospc")

    def test_a_disk_that_fails(self):
        self.sweep(self.expect_error_or_success, kind="eio")

    def test_short_writes(self):
        self.sweep(self.expect_success, kind="short", sticky=1)

    def test_interrupted_calls(self):
        self.sweep(self.expect_success, kind="eintr")

    def test_being_killed(self):
        self.sweep(lambda result: self.assertEqual(result.code, -9, result), kind="kill")


if __name__ == "__main__":
    unittest.main()
