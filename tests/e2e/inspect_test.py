"""What `malssi inspect` shows of what this program writes, damaged or not."""
import json
import shutil
import unittest

from program import BASE, MODELS, ProgramTest


class Inspect(ProgramTest):
    def test_shows_models_runs_weights_and_tokenizers(self):
        for path in (BASE, MODELS / "base", BASE / "model.safetensors", BASE / "tokenizer.json"):
            with self.subTest(path.name):
                self.assertGreater(len(self.good("inspect", path).out.splitlines()), 2)
                json.loads(self.good("inspect", path, "--json").out)

    def test_finds_a_damaged_checkpoint_in_a_run(self):
        run = self.folder / "run"
        shutil.copytree(MODELS / "base", run, symlinks=True)
        weights = sorted((run / "checkpoints").glob("step-*"))[-1] / "model.safetensors"
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
        self.assertIn("DAMAGED", self.good("inspect", run).out)

    def test_tells_the_memory_of_a_context_by_the_type_of_the_cache(self):
        needed = lambda *kind: json.loads(self.good("inspect", BASE, "--context", "100", *kind, "--json").out)["memory"]
        cache = needed()["kv_cache_per_token"]
        self.assertEqual((cache["f32"], cache["f16"]), (2 * cache["bf16"], cache["bf16"]))
        self.assertEqual(34 * cache["f32"], 128 * cache["q8_0"])
        for kind in cache:
            memory = needed("--cache-type", kind)
            self.assertEqual(memory["at_context"]["bytes"], memory["weights"] + 100 * cache[kind])

    def test_of_nothing_or_something_else_is_an_error(self):
        self.bad("inspect", self.folder / "none", words=["none"])
        self.bad("inspect", self.write("x.bin", b"\x00\x01\x02"), words=["x.bin"])
        self.bad("inspect", self.folder, words=[str(self.folder)])


if __name__ == "__main__":
    unittest.main()
