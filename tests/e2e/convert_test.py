"""Models through `malssi convert`, `quantize` and `inspect`: what comes out runs, and says what the original says."""
import json
import unittest

from program import ProgramTest, story

TRAIN = ("--family", "llama", "--layers", "2", "--heads", "4", "--kv-heads", "2", "--width", "64", "--hidden", "128",
         "--context", "64", "--kind", "bpe", "--vocab-size", "300", "--steps", "30", "--batch-rows", "4",
         "--eval-rows", "4", "--samples", "0")


class Convert(ProgramTest):
    def setUp(self):
        super().setUp()
        self.text = self.write("text.txt", story(300))
        self.good("pretrain", "--data", self.text, "--out", self.folder / "run", *TRAIN)
        self.model = self.folder / "run" / "model"

    def said(self, model):
        return self.good("generate", "--model", model, "--prompt", "Mina likes", "--greedy", "--max-tokens", "20",
                         "--dtype", "f32").out

    def test_a_model_says_the_same_in_every_format(self):
        gguf, back, shards = self.folder / "m.gguf", self.folder / "back", self.folder / "shards"
        want = self.said(self.model)
        self.good("convert", self.model, gguf)
        self.assertEqual(self.said(gguf), want)
        self.good("convert", gguf, back)
        self.assertEqual(self.said(back), want)
        self.good("convert", back, shards, "--shard-size", "100KB")
        self.assertGreater(len(list(shards.glob("model-*.safetensors"))), 1)
        self.assertEqual(self.said(shards), want)
        self.good("inspect", gguf, "--context", "1000")
        self.assertIn("at_context", json.loads(self.good("inspect", gguf, "--context", "10", "--json").out)["memory"])

    def test_fewer_bits_stay_near_the_original(self):
        small = self.folder / "small.gguf"
        last = 100
        for kind, most in (("q4_0", 5.5), ("q8_0", 9), ("f16", 16.5)):
            result = json.loads(self.good("quantize", self.model, small, "--type", kind, "--measure", self.text,
                                          "--tokens", "500", "--json").out)
            self.assertLess(result["bits_per_weight"], most)
            self.assertLess(result["divergence"]["mean_kl"], last)
            last = result["divergence"]["mean_kl"]
        calibrated = self.good("quantize", self.model, small, "--type", "q4_k_m", "--calibrate", self.text)
        self.assertIn("bits per weight", calibrated.out)
        self.good("generate", "--model", small, "--prompt", "Mina", "--greedy", "--max-tokens", "5")

    def test_what_cannot_be_is_said_in_a_line(self):
        self.bad("convert", self.folder / "none", self.folder / "x.gguf", words=["none"])
        self.bad("convert", self.model, self.folder / "run", words=["run"])
        self.bad("quantize", self.model, self.folder / "x.gguf", "--type", "q9", words=["q9", "Q4_K_M"])
        self.bad("quantize", self.model, self.folder / "x.gguf", "--calibrate", self.folder / "none", words=["none"])
        broken = self.write("broken.gguf", b"GGUF\x03\0\0\0" + b"\xff" * 16)
        self.bad("inspect", broken, words=["broken.gguf", "damaged"])
        self.bad("quantize", broken, self.folder / "x.gguf", words=["broken.gguf"])
        self.assertFalse((self.folder / "x.gguf").exists())


if __name__ == "__main__":
    unittest.main()
