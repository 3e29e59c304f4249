"""The command line itself: help, exit codes, and what wrong use is told."""
import subprocess
import unittest

from program import PROGRAM, ProgramTest, malssi

COMMANDS = {
    "demo": [],
    "tokenizer": ["train", "encode", "decode", "info"],
    "pretrain": [],
    "resume": [],
    "tune": ["sft"],
    "align": ["dpo", "kto", "orpo", "simpo", "reward", "ppo"],
    "generate": [],
    "chat": [],
    "eval": ["perplexity"],
    "inspect": [],
    "bench": [],
}


class Help(ProgramTest):
    def test_lists_every_command(self):
        out = self.good("--help").out
        for command in COMMANDS:
            self.assertRegex(out, rf"(?m)^  {command} +\S")

    def test_of_every_command_says_what_it_does_with_an_example(self):
        for command, inner in COMMANDS.items():
            for words in [[command]] + [[command, name] for name in inner]:
                with self.subTest(" ".join(words)):
                    result = self.good(*words, "--help")
                    self.assertEqual(result.err, "")
                    self.assertIn("Usage: ", result.out)
                    self.assertIn("malssi " + " ".join(words), result.out)

    def test_without_a_command_is_wrong_use(self):
        result = malssi()
        self.assertEqual((result.code, result.out), (2, ""))
        self.assertIn("Subcommands:", result.err)

    def test_version(self):
        self.assertRegex(self.good("--version").out, r"^malssi \d+\.\d+\.\d+\n$")


class WrongUse(ProgramTest):
    def test_unknown_command_suggests_the_nearest(self):
        self.bad("pretrian", code=2, words=["unknown command 'pretrian'", "did you mean 'pretrain'?"])

    def test_unknown_inner_command_suggests_the_nearest(self):
        self.bad("tokenizer", "encod", code=2, words=["'encod'", "did you mean 'encode'?"])

    def test_unknown_flag_suggests_the_nearest(self):
        self.bad("generate", "--modle=x", code=2, words=["unknown flag '--modle'", "did you mean '--model'?"])

    def test_missing_flag_points_to_help(self):
        for words in (["generate"], ["chat"], ["eval", "perplexity"], ["tokenizer", "train"], ["resume"]):
            with self.subTest(" ".join(words)):
                self.bad(*words, code=2, words=["see malssi " + " ".join(words) + " --help"])

    def test_missing_inner_command_points_to_help(self):
        self.bad("tokenizer", code=2, words=["see malssi tokenizer --help"])

    def test_threads_must_be_a_positive_number(self):
        for count in ("0", "-1", "many"):
            self.bad("--threads", count, "inspect", "x", code=2, words=["--threads"])


class Output(ProgramTest):
    def test_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual((done.returncode, done.stderr), (1, "error: standard output cannot be written\n"))


if __name__ == "__main__":
    unittest.main()
