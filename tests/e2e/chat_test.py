"""The chat, through a pipe and on a terminal."""
import json
import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

from program import BASE, CHAT, PROGRAM, ProgramTest, environment


class Piped(ProgramTest):
    def chat(self, text, **more):
        return self.good("chat", "--model", CHAT, "--greedy", "--max-tokens", "20", input=text, **more)

    def test_answers_each_line(self):
        out = self.chat("Who likes tea?\nWho likes rain?\n").out
        self.assertEqual(out.count("\n"), 2, out)

    def test_saves_what_tuning_reads(self):
        file = self.folder / "talk.jsonl"
        self.chat(f"/system Be brief.\n/reset\nWho likes tea?\n/save {file}\n")
        roles = [message["role"] for message in json.loads(file.read_text())["messages"]]
        self.assertEqual(roles, ["system", "user", "assistant"])
        self.chat("Who likes rain?\n")

    def test_reset_forgets(self):
        first = self.chat("Who likes tea?\n").out
        self.assertEqual(self.chat("Who likes snow?\n/reset\nWho likes tea?\n").out.splitlines()[-1], first.rstrip("\n"))

    def test_unknown_commands_suggest_the_nearest(self):
        result = self.bad("chat", "--model", CHAT, input="/rest\n", words=["/rest", "did you mean '/reset'?"])
        self.assertIn("/help", result.err)

    def test_speculation_changes_no_answer(self):
        talk = "Who likes tea?\nWho likes tea?\n/retry\nWho likes rain?\n"
        plain = self.chat(talk).out
        for draft in ("lookup", CHAT):
            done = self.good("chat", "--model", CHAT, "--greedy", "--max-tokens", "20", "--speculate", draft, input=talk)
            self.assertEqual(done.out, plain)
            self.assertRegex(done.err, r"speculation: \d+ of \d+ drafted tokens accepted")

    def test_a_cache_in_q8_0_answers(self):
        self.assertEqual(self.good("chat", "--model", CHAT, "--greedy", "--max-tokens", "20", "--cache-type", "q8_0",
                                   input="Who likes tea?\n").out.count("\n"), 1)

    def test_ends_with_the_input(self):
        self.assertEqual(self.chat("").out, "")


class OnATerminal(ProgramTest):
    def setUp(self):
        super().setUp()
        self.open("--model", CHAT, "--temperature", "3", "--seed", "1", "--max-tokens", "120")

    def open(self, *flags):
        self.screen, inner = pty.openpty()
        self.process = subprocess.Popen(
            [PROGRAM, "chat", *flags],
            stdin=inner, stdout=inner, stderr=inner, start_new_session=True, env=environment(TERM="dumb"),
            preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0))
        os.close(inner)
        self.addCleanup(os.close, self.screen)
        self.addCleanup(self.process.kill)
        self.wait_for(r"> $")

    def wait_for(self, pattern, seconds=30):
        """Reads the screen until what came since the last call matches."""
        text, until = "", time.monotonic() + seconds
        while time.monotonic() < until:
            if select.select([self.screen], [], [], 0.1)[0]:
                try:
                    text += os.read(self.screen, 4096).decode("utf-8", "replace")
                except OSError:  # the program has ended
                    break
            if re.search(pattern, text):
                return text
        self.fail(f"waited for {pattern!r}, saw {text!r}")

    def expect_good_end(self):
        text = ""
        while select.select([self.screen], [], [], 30)[0]:
            try:
                text += os.read(self.screen, 4096).decode("utf-8", "replace")
            except OSError:  # the program has ended
                break
        self.assertEqual(self.process.wait(timeout=30), 0, text)

    def type(self, text):
        os.write(self.screen, text.encode())

    def test_ctrl_c_stops_the_line_and_not_the_program(self):
        self.type("half a quest\x03")
        self.wait_for(r"\(Ctrl-D or /quit leaves\)[\s\S]*> $")
        self.type("Who likes tea?\n")
        self.wait_for(r"\n> $")
        self.type("\x04")
        self.expect_good_end()

    def test_a_mistake_is_told_and_the_conversation_goes_on(self):
        self.type("/sav x\n")
        self.wait_for(r"did you mean '/save'\?[\s\S]*> $")
        self.type("/quit\n")
        self.expect_good_end()

    def test_ctrl_c_stops_the_answer_and_not_the_program(self):
        self.process.kill()
        self.process.wait()
        self.open("--model", endless(BASE, self.folder / "endless"), "--template", "malssi", "--greedy",
                  "--context", "50000", "--max-tokens", "50000")
        for _ in range(2):
            self.type("Tell me everything.\n")
            self.wait_for(r"[\s\S]{300}")
            self.type("\x03")
            self.wait_for(r"\(stopped\)\s+> $")
        self.type("/quit\n")
        self.expect_good_end()


def endless(model, folder):
    """A copy of the model with a long context, which does not know the tokens that would end an answer."""
    shutil.copytree(model, folder)
    config = json.loads((folder / "config.json").read_text())
    config["max_position_embeddings"] = 50000
    (folder / "config.json").write_text(json.dumps(config))
    weights = bytearray((folder / "model.safetensors").read_bytes())
    header = 8 + int.from_bytes(weights[:8], "little")
    table = json.loads(weights[8:header])["model.embed_tokens.weight"]
    begin, end = table["data_offsets"]
    begin += (end - begin) // table["shape"][0] * 256  # the bytes' own rows come first
    weights[header + begin:header + end] = bytes(end - begin)
    (folder / "model.safetensors").write_bytes(weights)
    return folder


if __name__ == "__main__":
    unittest.main()
