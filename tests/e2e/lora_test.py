"""LoRA adapters through the program: used beside the weights, merged into them, one mix for each prompt, shown, refused."""
import json
import random
import struct
import unittest

from program import BASE, CHAT, ProgramTest

RANK, WIDTH = 2, 16


def write_adapter(folder, seed, **settings):
    """A PEFT folder for the Llama of make_models.py: one layer of width 16."""
    rng = random.Random(seed)
    header, data, at = {}, [], 0
    for name in ("q_proj", "v_proj"):
        for key, shape in (("A", (RANK, WIDTH)), ("B", (WIDTH, RANK))):
            count = shape[0] * shape[1]
            data.append(struct.pack(f"<{count}f", *(rng.gauss(0, 1) for _ in range(count))))
            header[f"base_model.model.model.layers.0.self_attn.{name}.lora_{key}.weight"] = {
                "dtype": "F32", "shape": shape, "data_offsets": [at, at + 4 * count]}
            at += 4 * count
    folder.mkdir()
    text = json.dumps(header).encode()
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))
    (folder / "adapter_config.json").write_text(json.dumps(
        {"peft_type": "LORA", "r": RANK, "lora_alpha": 4, "target_modules": ["q_proj", "v_proj"],
         "base_model_name_or_path": "tiny/base", **settings}))
    return folder


class Lora(ProgramTest):
    def setUp(self):
        super().setUp()
        self.one, self.two = (write_adapter(self.folder / name, name) for name in ("one", "two"))

    def said(self, *args, model=BASE):
        return self.good("generate", "--model", model, "--prompt", "Mina", "--greedy", "--max-tokens", "20", "--dtype", "f32",
                         *args).out

    def test_beside_the_weights_and_in_them_says_the_same(self):
        merged, gguf = self.folder / "merged", self.folder / "merged.gguf"
        self.good("convert", BASE, merged, "--lora", self.one, "--lora", f"{self.two}:-0.5")
        self.good("convert", BASE, gguf, "--lora", self.one, "--lora", f"{self.two}:-0.5")
        want = self.said("--lora", self.one, "--lora", f"{self.two}:-0.5")
        self.assertNotEqual(want, self.said())
        self.assertEqual(self.said(model=merged), want)
        self.assertEqual(self.said(model=gguf), want)
        self.assertEqual(self.said("--lora", f"{self.one}:0"), self.said())

    def test_as_gguf_it_acts_alike(self):
        file = self.folder / "one.gguf"
        self.good("convert", self.one, file, "--base", BASE)
        self.assertEqual(self.said("--lora", file), self.said("--lora", self.one))
        for path in (file, self.one):
            shown = json.loads(self.good("inspect", path, "--json").out)
            self.assertEqual((shown["kind"], shown["adapter"]["base"]), ("adapter", "tiny/base"))
            self.assertIn("rank", self.good("inspect", path).out)

    def test_each_prompt_of_a_file_has_its_own_mix(self):
        mixes = ([1, 0], [0, 1], [0, 0], [0.5, -2])
        file = self.write("prompts.jsonl", "".join(json.dumps({"prompt": "Mina", "lora": m}) + "\n" for m in mixes))
        out = self.good("generate", "--model", BASE, "--prompts", file, "--greedy", "--max-tokens", "20", "--dtype", "f32",
                        "--lora", self.one, "--lora", self.two).out
        for line, (first, second) in zip(out.splitlines(), mixes):
            alone = self.said("--lora", f"{self.one}:{first}", "--lora", f"{self.two}:{second}")
            self.assertEqual(json.loads(line)["text"] + "\n", alone)
        short = self.write("short.jsonl", '{"prompt": "Mina", "lora": [1]}\n')
        self.bad("generate", "--model", BASE, "--prompts", short, "--lora", self.one, "--lora", self.two,
                 words=["short.jsonl", "1 weights for the 2 adapters"])

    def test_measured_and_embedded_with_it(self):
        text = self.write("text.txt", "Mina likes tea.\nJuno sees a cat.\n")
        plain, adapted = (json.loads(self.good("eval", "perplexity", "--model", BASE, "--data", text, "--json", *more).out)["loss"]
                          for more in ((), ("--lora", self.one)))
        self.assertNotEqual(plain, adapted)
        self.assertNotEqual(self.good("embed", "--model", BASE, "tea").out,
                            self.good("embed", "--model", BASE, "--lora", self.one, "tea").out)

    def test_weights_change_in_the_middle_of_a_chat(self):
        chat = lambda text: self.good("chat", "--model", CHAT, "--lora", self.one, "--greedy", "--max-tokens", "8", input=text)
        same = chat("Who likes tea?\n/reset\nWho likes tea?\n").out.splitlines()
        self.assertEqual(same[0], same[1])
        other = chat("Who likes tea?\n/reset\n/lora 0\nWho likes tea?\n")
        self.assertEqual(other.out.splitlines()[0], same[0])
        self.assertNotEqual(other.out.splitlines()[1:], same[1:])
        self.assertIn("weights of the adapters: 0", other.err)
        self.bad("chat", "--model", CHAT, input="/lora 1\n", words=["--lora"])

    def test_what_cannot_be_is_said_in_a_line(self):
        dora = write_adapter(self.folder / "dora", 1, use_dora=True)
        self.bad("generate", "--model", BASE, "--prompt", "a", "--lora", dora, words=["use_dora", "DoRA"])
        self.bad("generate", "--model", BASE, "--prompt", "a", "--lora", self.folder / "none", words=["none"])
        self.bad("generate", "--model", BASE, "--prompt", "a", "--lora", f"{self.one}:x", code=2, words=["PATH:WEIGHT"])
        self.bad("generate", "--model", BASE, "--prompt", "a", "--lora", BASE, words=["no adapter"])
        self.bad("generate", "--model", self.one, "--prompt", "a", words=["--lora"])
        self.bad("convert", self.one, self.folder / "x.gguf", code=2, words=["--base"])
        self.bad("convert", BASE, self.folder / "x.gguf", "--base", BASE, code=2, words=["--base"])


if __name__ == "__main__":
    unittest.main()
