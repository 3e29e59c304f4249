"""Instruction tuning: formats, what is learned, and what bad conversations are told."""
import json
import unittest

from program import BASE, CHAT, MODELS, ProgramTest


def turn(role, content):
    return {"role": role, "content": content}


class TuneTest(ProgramTest):
    def tune(self, data, *more):
        return ["tune", "sft", "--model", BASE, "--data", data, "--out", self.folder / "tuned", "--steps", "3", *more]

    def lines(self, name, *records):
        return self.write(name, "".join(json.dumps(record) + "\n" for record in records))


class Formats(TuneTest):
    def test_messages_and_alpaca_make_a_model_that_chats(self):
        messages = {"messages": [turn("system", "Be brief."), turn("user", "Hi"), turn("assistant", "Hello."),
                                 turn("user", "Bye"), turn("assistant", "Bye.")]}
        alpaca = {"instruction": "Name a cat.", "input": "", "output": "Nabi"}
        self.good(*self.tune(self.lines("mixed.jsonl", messages, alpaca, messages, alpaca)))
        self.good("generate", "--model", self.folder / "tuned" / "model", "--chat", "--prompt", "Hi", "--max-tokens", "3")

    def test_the_chat_template_is_saved_for_other_programs(self):
        self.good(*self.tune(MODELS / "chats.jsonl"))
        config = json.loads((self.folder / "tuned" / "model" / "tokenizer_config.json").read_text())
        self.assertIn("messages", config["chat_template"])

    def test_a_run_can_be_resumed(self):
        self.good(*self.tune(MODELS / "chats.jsonl"))
        self.good("resume", self.folder / "tuned")


class Distillation(TuneTest):
    def distill(self, teacher, *more):
        return ["tune", "distill", "--model", BASE, "--teacher", teacher, "--data", MODELS / "chats.jsonl", "--out",
                self.folder / "student", "--steps", "40", "--lr", "0.01", *more]

    def losses(self):
        lines = [json.loads(line) for line in (self.folder / "student" / "metrics.jsonl").read_text().splitlines()]
        return [line["val_loss"] for line in lines if "val_loss" in line]

    def test_a_student_learns_to_answer_as_its_teacher(self):
        self.good(*self.distill(CHAT))
        self.assertLess(self.losses()[-1], 0.3 * self.losses()[0])
        said = self.good("generate", "--model", self.folder / "student" / "model", "--chat", "--prompt", "Who likes tea?",
                         "--max-tokens", "12", "--temperature", "0").out
        self.assertIn("Mina.", said)
        self.good("resume", self.folder / "student")

    def test_the_teacher_may_be_a_quantised_file(self):
        packed = self.folder / "teacher.gguf"
        self.good("quantize", CHAT, packed, "--type", "q8_0")
        self.good(*self.distill(packed, "--temperature", "2", "--hard", "0.5"))
        self.assertLess(self.losses()[-1], 0.5 * self.losses()[0])


class BadConversations(TuneTest):
    def bad_data(self, data, *words):
        self.bad(*self.tune(data), words=[str(data), *words])

    def test_missing_empty_or_binary_files(self):
        self.bad_data(self.folder / "none.jsonl")
        self.bad_data(self.write("empty.jsonl", ""))
        self.bad_data(self.write("bytes.jsonl", bytes(range(256))))

    def test_name_the_line_that_is_wrong(self):
        good = {"messages": [turn("user", "a"), turn("assistant", "b")]}
        wrong = {
            "no json": "{",
            "no conversation": json.dumps({"text": "a"}),
            "unknown role": json.dumps({"messages": [turn("robot", "a"), turn("assistant", "b")]}),
            "content is a number": json.dumps({"messages": [turn("user", 1), turn("assistant", "b")]}),
            "no messages": json.dumps({"messages": []}),
        }
        for name, line in wrong.items():
            with self.subTest(name):
                self.bad_data(self.write("chats.jsonl", json.dumps(good) + "\n" + line + "\n"), "line 2")

    def test_a_model_that_is_none(self):
        self.bad("tune", "sft", "--model", self.folder, "--data", MODELS / "chats.jsonl", "--out", self.folder / "t",
                 words=[str(self.folder)])


if __name__ == "__main__":
    unittest.main()
