"""LoRA adapters through the program: used beside the weights, merged into them, one mix for each prompt, shown, refused."""
import json
import random
import struct
import unittest

from program import BASE, CHAT, MODELS, ProgramTest

RANK, WIDTH = 2, 16


def write_adapter(folder, seed, labels=0, **settings):
    """A PEFT folder for the Llama of make_models.py: one layer of width 16. labels: rows of a classifier's head."""
    rng = random.Random(seed)
    header, data, at = {}, [], 0
    tensors = {f"model.layers.0.self_attn.{name}.lora_{key}.weight": shape for name in ("q_proj", "v_proj")
               for key, shape in (("A", (RANK, WIDTH)), ("B", (WIDTH, RANK)))}
    if labels > 0:
        tensors["score.weight"] = (labels, WIDTH)
    for name, shape in tensors.items():
        count = shape[0] * shape[1]
        data.append(struct.pack(f"<{count}f", *(rng.gauss(0, 1) for _ in range(count))))
        header[f"base_model.model.{name}"] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + 4 * count]}
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

    def test_one_that_brings_a_head_makes_a_classifier(self):
        judge = write_adapter(self.folder / "judge", "judge", labels=3, modules_to_save=["classifier", "score"])
        lines = self.good("classify", "--model", BASE, "--lora", judge, "--json", "Mina likes tea.", "Tom").out.splitlines()
        self.assertEqual([set(json.loads(line)["probabilities"]) for line in lines], 2 * [{"LABEL_0", "LABEL_1", "LABEL_2"}])
        self.bad("generate", "--model", BASE, "--lora", judge, "--prompt", "Mina", words=["classifier of 3 labels"])
        self.bad("classify", "--model", BASE, "--lora", self.one, "Tom", words=["no labels"])

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
        self.bad("generate", "--model", BASE, "--prompt", "a", "--lora", dora, words=["use_dora", "lora_magnitude_vector"])
        self.bad("generate", "--model", BASE, "--prompt", "a", "--lora", self.folder / "none", words=["none"])
        self.bad("generate", "--model", BASE, "--prompt", "a", "--lora", f"{self.one}:x", code=2, words=["PATH:WEIGHT"])
        self.bad("generate", "--model", BASE, "--prompt", "a", "--lora", BASE, words=["no adapter"])
        self.bad("generate", "--model", self.one, "--prompt", "a", words=["--lora"])
        self.bad("convert", self.one, self.folder / "x.gguf", code=2, words=["--base"])
        self.bad("convert", BASE, self.folder / "x.gguf", "--base", BASE, code=2, words=["--base"])


class Training(ProgramTest):
    """An adapter that is trained, and what it does to the answers of its base."""

    def setUp(self):
        super().setUp()
        self.chats = self.write("chats.jsonl", "".join(
            json.dumps({"messages": [{"role": "user", "content": f"Who likes {thing}?"},
                                     {"role": "assistant", "content": "Juno."}]}) + "\n"
            for thing in ("tea", "rain", "cats", "boats", "books", "plums", "snow", "bread")))

    def tune(self, out, *more, model=CHAT):
        return ["tune", "lora", "--model", model, "--data", self.chats, "--out", self.folder / out, "--steps", "60",
                "--lr", "0.02", "--targets", "all-linear", *more]

    def said(self, *args, model=CHAT):
        return self.good("generate", "--model", model, "--chat", "--prompt", "Who likes tea?", "--greedy", "--max-tokens",
                         "12", *args).out

    def test_changes_the_answer_beside_the_weights_and_in_them(self):
        self.good(*self.tune("run", "--dropout", "0.05", "--rank", "4"))
        adapter, merged = self.folder / "run" / "adapter", self.folder / "merged"
        self.assertNotIn("Juno", self.said())
        self.assertIn("Juno", self.said("--lora", adapter))
        self.assertIn("Juno", self.said("--lora", self.folder / "run"))
        self.assertIn(str(adapter), self.good("inspect", self.folder / "run").out)
        self.good("convert", CHAT, merged, "--lora", adapter)
        self.assertIn("Juno", self.said(model=merged))
        self.good("resume", self.folder / "run")

    def test_of_a_quantised_base_changes_its_answer(self):
        base, gguf = self.folder / "base", self.folder / "base-q8.gguf"
        self.good("pretrain", MODELS / "recipe.toml", "--data", MODELS / "story.txt", "--out", base, "--width", "32",
                  "--context", "128", "--steps", "60", "--lr", "0.01")
        self.good("tune", "sft", "--model", base / "model", "--data", MODELS / "chats.jsonl", "--out", self.folder / "chat",
                  "--steps", "40", "--lr", "0.01")
        self.good("quantize", self.folder / "chat" / "model", gguf, "--type", "q8_0")
        self.good(*self.tune("run", model=gguf))
        self.assertNotIn("Juno", self.said(model=gguf))
        self.assertIn("Juno", self.said("--lora", self.folder / "run" / "adapter", model=gguf))

    def test_of_a_base_without_a_template_brings_one(self):
        self.good(*self.tune("run", model=BASE))
        self.said("--lora", self.folder / "run" / "adapter", model=BASE)

    def test_says_what_it_cannot_do(self):
        self.bad(*self.tune("run", "--targets", "w_query"), words=["q_proj"])
        self.bad(*self.tune("run", "--targets", "("), words=["lora.targets"])
        self.bad(*self.tune("run", "--rank", "0"), words=["rank"], code=2)


if __name__ == "__main__":
    unittest.main()
