"""The README's examples of a server, tried as they stand there."""
import json
import pathlib
import re
import shutil
import subprocess
import unittest

from program import CHAT, ProgramTest
from serving import Served

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def curl_examples(readme):
    """The curl commands of the section on the server."""
    section = re.search(r"^## (?:A server|서버)$(.*?)^## ", readme, re.MULTILINE | re.DOTALL).group(1)
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return re.findall(r"^curl (?:[^'\n]|'[^']*')*", "\n".join(blocks).replace("\\\n", " "), re.MULTILINE)


class ReadmeTest(ProgramTest):
    @unittest.skipUnless(shutil.which("curl"), "skipped: curl is not installed")
    def test_every_curl_example_works(self):
        served = Served("--model", f"chat={CHAT}", "--model", f"small={CHAT}")
        self.addCleanup(served.close)
        for name in ("README.md", "README.ko.md"):
            examples = curl_examples((ROOT / name).read_text())
            self.assertGreaterEqual(len(examples), 4)
            for example in examples:
                self.try_example(example.replace("http://127.0.0.1:8080", served.url))

    def try_example(self, example):
        done = subprocess.run(["bash", "-c", example.replace("curl", "curl -sS --fail-with-body", 1)], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 0, (example, done.stdout, done.stderr))
        if '"stream": true' in example:
            self.assertTrue(done.stdout.endswith("data: [DONE]\n\n"), done.stdout)
            return
        answer = json.loads(done.stdout)
        if "json_schema" in example:
            self.assertIn(json.loads(answer["choices"][0]["message"]["content"]), ("yes", "no"))
        else:
            self.assertTrue(answer.get("data") or answer.get("tokens") or answer.get("choices"), answer)


unittest.main()
