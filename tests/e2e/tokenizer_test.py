"""Tokenizers from the command line: every byte survives, files are Hugging Face's, mistakes are told."""
import json
import os
import subprocess
import unittest

from program import PROGRAM, ProgramTest, environment, story


class TokenizerTest(ProgramTest):
    def train(self, *args):
        self.good("tokenizer", "train", "--out", self.folder / "tok", *args)
        return self.folder / "tok"

    def trained(self):
        return self.train("--data", self.write("text.txt", story()), "--vocab-size", "280")

    def ids(self, tokenizer, text, *args):
        return json.loads(self.good("tokenizer", "encode", tokenizer, "--json", *args, input=text).out)["ids"]


class RoundTrip(TokenizerTest):
    def survives(self, tokenizer, data):
        file = self.write("ids.txt", " ".join(map(str, self.ids(tokenizer, data))))
        done = subprocess.run([PROGRAM, "tokenizer", "decode", tokenizer, "--file", file], capture_output=True,
                              env=environment())
        self.assertEqual(done.stdout, data, done.stderr)

    def test_of_text_in_any_language_and_of_any_bytes(self):
        tokenizer = self.trained()
        for data in ("말씨는 말의 씨앗이다. \U0001f331 a\r\n\tb".encode(), bytes(range(256)), os.urandom(5000), b"\xff\xfe"):
            with self.subTest(data[:20]):
                self.survives(tokenizer, data)

    def test_of_bytes_and_characters(self):
        self.survives(self.train("--type", "byte"), "씨 seed".encode() + b"\x80")
        text = self.write("few.txt", "abc 가나")
        self.survives(self.train("--type", "char", "--no-special", "--data", text), "가 cab 나".encode())


class Files(TokenizerTest):
    def test_are_hugging_faces(self):
        content = json.loads((self.trained() / "tokenizer.json").read_text())
        self.assertEqual(content["model"]["type"], "BPE")
        self.assertEqual(content["version"], "1.0")

    def test_train_to_the_size_asked_for_and_the_same_each_time(self):
        first = (self.trained() / "tokenizer.json").read_bytes()
        self.assertEqual(json.loads(self.good("tokenizer", "info", self.folder / "tok", "--json").out)["vocab_size"], 280)
        os.rename(self.folder / "tok", self.folder / "old")
        self.assertEqual((self.trained() / "tokenizer.json").read_bytes(), first)

    def test_special_tokens_are_read_only_when_asked_for(self):
        tokenizer = self.train("--data", self.write("text.txt", story()), "--special", "<|stop|>")
        self.assertEqual(len(self.ids(tokenizer, "<|stop|>", "--special")), 1)
        self.assertGreater(len(self.ids(tokenizer, "<|stop|>")), 1)


class Mistakes(TokenizerTest):
    def test_in_the_data(self):
        for data in (self.folder / "none.txt", self.write("empty.txt", ""), self.write("bytes.txt", bytes(range(256)))):
            self.bad("tokenizer", "train", "--data", data, "--out", self.folder / "tok", words=[str(data)])

    def test_in_the_file(self):
        whole = (self.trained() / "tokenizer.json").read_bytes()
        for part in (0, 1, len(whole) // 2, len(whole) - 2):
            cut = self.write("cut.json", whole[:part])
            self.bad("tokenizer", "encode", cut, "text", words=["cut.json"])

    def test_in_the_ids(self):
        tokenizer = self.trained()
        self.bad("tokenizer", "decode", tokenizer, "99999", words=["99999", "279"])
        self.bad("tokenizer", "decode", tokenizer, "seven", words=["seven"])


if __name__ == "__main__":
    unittest.main()
