"""The command line itself: help, exit codes, and what wrong use is told."""
import pathlib
import re
import subprocess
import unittest

from program import PROGRAM, ProgramTest, malssi

COMMANDS = {
    "demo": [],
    "tokenizer": ["train", "encode", "decode", "info"],
    "pretrain": [],
    "resume": [],
    "tune": ["sft", "lora", "adapter", "ia3", "norms", "prefix", "prompt", "merge", "combine", "classify", "preview"],
    "align": ["dpo", "kto", "orpo", "simpo", "reward", "ppo", "grpo", "best-of"],
    "generate": [],
    "chat": [],
    "classify": [],
    "eval": ["perplexity", "classify"],
    "inspect": [],
    "bench": [],
}


class Recipes(ProgramTest):
    """Each recipe's comment tells a command; it must read every key of the recipe before it misses the model or the data."""

    def test_are_read_by_the_commands_that_they_tell(self):
        recipes = sorted((pathlib.Path(__file__).resolve().parents[2] / "recipes").glob("*.toml"))
        self.assertGreater(len(recipes), 10)
        for recipe in recipes:
            with self.subTest(recipe.name):
                told = re.search(r"(?m)^#   malssi (.*)$", recipe.read_text()).group(1).split()
                self.assertEqual(f"recipes/{recipe.name}", next(word for word in told if word.startswith("recipes/")))
                told = [word for word in told if word != "\\"]
                words = [str(recipe) if word.startswith("recipes/") else word for word in told]
                for i in range(1, len(words)):
                    if words[i - 1].startswith("--"):
                        words[i] = str(self.folder / f"no-such-{words[i - 1][2:]}")
                result = malssi(*words)
                self.assertEqual(result.code, 1, result.err)
                self.assertRegex(result.err, r"no-such-\w+: .*[Nn]o such (file|folder)")


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
