"""Runs the program under test, and what the end-to-end tests share."""
import os
import pathlib
import random
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["MALSSI"]
MODELS = pathlib.Path(os.environ["MALSSI_MODELS"])  # what make_models.py trained
BASE, CHAT = MODELS / "base" / "model", MODELS / "chat" / "model"

# A Llama too small to be clever, trained in a second.
RECIPE = """
[model]
family = "llama"
layers = 1
heads = 2
width = 16
context = 32
[tokenizer]
kind = "byte"
[train]
steps = 20
batch_rows = 4
eval_every = 10
eval_rows = 4
checkpoint_every = 5
[log]
every = 1
samples = 0
"""


def story(lines=200):
    """The same text each time."""
    rng = random.Random(7)
    names, verbs, things = ("Mina", "Juno", "Ara", "Tom"), ("likes", "sees", "has"), ("tea", "a cat", "a boat")
    return "".join(f"{rng.choice(names)} {rng.choice(verbs)} {rng.choice(things)}.\n" for _ in range(lines))


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"exit {self.code}\n-- stdout\n{self.out}\n-- stderr\n{self.err}"


def environment(**extra):
    return {**os.environ, "MALSSI_THREADS": "1", **extra}


def malssi(*args, input=b"", timeout=120, **env):
    """Runs the program to its end. Standard output and error come back as text, odd bytes escaped."""
    if isinstance(input, str):
        input = input.encode()
    done = subprocess.run([PROGRAM, *args], input=input, capture_output=True, timeout=timeout, env=environment(**env))
    done.stdout = done.stdout.decode("utf-8", "backslashreplace")
    done.stderr = done.stderr.decode("utf-8", "backslashreplace")
    return Result(done)


def start(*args, **env):
    """Starts the program and returns the running process."""
    return subprocess.Popen([PROGRAM, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=environment(**env))


class ProgramTest(unittest.TestCase):
    """A test with an empty folder of its own, self.folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        os.environ["MALSSI_CACHE"] = str(self.folder / "cache")

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def good(self, *args, **more):
        """Runs the program, which must succeed."""
        result = malssi(*args, **more)
        self.assertEqual(result.code, 0, result)
        return result

    def bad(self, *args, words, code=1, **more):
        """Runs the program, which must fail with one line of error that has all these words, and print no result."""
        result = malssi(*args, **more)
        self.assertEqual(result.code, code, result)
        self.assertEqual(result.out, "", result)
        errors = [line for line in result.err.splitlines() if line.startswith("error: ")]
        self.assertEqual(len(errors), 1, result)
        self.assertTrue(result.err.endswith(errors[0] + "\n"), result)
        for word in words:
            self.assertIn(word, errors[0])
        return result
