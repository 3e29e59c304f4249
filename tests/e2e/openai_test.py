"""OpenAI's own client, unmodified, against `malssi serve` (tests/serve/openai/suite.mjs)."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

from program import CHAT, MODELS, ProgramTest
from serving import Served

SUITE = pathlib.Path(__file__).resolve().parent.parent / "serve" / "openai"
KEY = "a-key-for-the-suite"
# Tools as Hermes' models are told of them, in our own tokens.
TOOLED = ("{% if tools %}<|system|>{% for t in tools %}{{ t | tojson }}{% endfor %} Call: <tool_call>...</tool_call><|end|>"
          "{% endif %}{% for m in messages %}<|{{ 'user' if m.role == 'tool' else m.role }}|>{{ m.content }}"
          "{% if m.tool_calls %}{% for c in m.tool_calls %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}"
          "{% endif %}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}")


def client_folder():
    """A folder with the suite and the client, made once for each build; raises SkipTest where it cannot be had."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise unittest.SkipTest("skipped: OpenAI's client needs node and npm")
    folder = MODELS.parent / "openai"
    lock = (SUITE / "package-lock.json").read_bytes()
    kept = folder / "installed.json"
    if not kept.is_file() or kept.read_bytes() != lock:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SUITE / name, folder / name)
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"], cwd=folder,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        if done.returncode:
            raise unittest.SkipTest("skipped: npm could not fetch OpenAI's client")
        kept.write_bytes(lock)
    shutil.copy(SUITE / "suite.mjs", folder / "suite.mjs")
    return folder


def longer_model(folder, template=None):
    """The chat model with room for 2048 tokens, which rotary positions allow."""
    shutil.copytree(CHAT, folder)
    config = json.loads((folder / "config.json").read_text())
    config["max_position_embeddings"] = 2048
    (folder / "config.json").write_text(json.dumps(config))
    if template:
        words = json.loads((folder / "tokenizer_config.json").read_text())
        words["chat_template"] = template
        (folder / "tokenizer_config.json").write_text(json.dumps(words))
    return folder


class OpenAiTest(ProgramTest):
    def test_the_official_client_is_content(self):
        client = client_folder()
        plain, tooled = longer_model(self.folder / "plain"), longer_model(self.folder / "tooled", TOOLED)
        served = Served("--model", plain, "--model", tooled, MALSSI_API_KEYS=KEY)
        self.addCleanup(served.close)
        done = subprocess.run(["node", "--test", "--test-reporter=tap", "suite.mjs"], cwd=client, capture_output=True, text=True,
                              timeout=300, stdin=subprocess.DEVNULL,
                              env={**os.environ, "BASE_URL": served.url, "API_KEY": KEY, "PLAIN": "plain", "TOOLED": "tooled",
                                   "NODE_NO_WARNINGS": "1"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"# pass [1-9]")


unittest.main()
