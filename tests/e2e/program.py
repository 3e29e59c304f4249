"""Runs the program under test, and what the end-to-end tests share."""
import os
import pathlib
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["MALSSI"]
MODELS = pathlib.Path(os.environ["MALSSI_MODELS"])  # what make_models.py trained
ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"exit {self.code}\n-- stdout\n{self.out}\n-- stderr\n{self.err}"


def environment(**extra):
    return {**os.environ, "OMP_NUM_THREADS": "1", **extra}


def malssi(*args, input=b"", timeout=120, **env):
    """Runs the program to its end. Standard output and error come back as text, odd bytes escaped."""
    if isinstance(input, str):
        input = input.encode()
    done = subprocess.run([PROGRAM, *map(str, args)], input=input, capture_output=True, timeout=timeout,
                          env=environment(**env))
    done.stdout = done.stdout.decode("utf-8", "backslashreplace")
    done.stderr = done.stderr.decode("utf-8", "backslashreplace")
    return Result(done)


def start(*args, **env):
    """Starts the program and returns the running process."""
    return subprocess.Popen([PROGRAM, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=environment(**env))


class ProgramTest(unittest.TestCase):
    """A test with an empty folder of its own, self.folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

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
        errors = [line for line in result.err.splitlines() if line.startswith("error: ")]
        self.assertEqual(len(errors), 1, result)
        self.assertTrue(result.err.endswith(errors[0] + "\n"), result)
        for word in words:
            self.assertIn(word, errors[0])
        return result
