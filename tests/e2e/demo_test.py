"""The demo's stages: stopping, going on, and folders that are taken. `./check` runs a whole one."""
import json
import signal
import time
import unittest

from program import ProgramTest, start


class Stages(ProgramTest):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "demo"

    def stages(self):
        """Names of the finished ones."""
        record = self.out / "demo.json"
        return [stage["name"] for stage in json.loads(record.read_text())["stages"]] if record.exists() else []

    def begin(self):
        """A demo that has come to its pretraining."""
        process = start("demo", "--quick", "--out", self.out)
        for _ in range(1200):
            if (self.out / "base" / "metrics.jsonl").exists():
                return process
            self.assertIsNone(process.poll(), "it ended too early")
            time.sleep(0.05)
        self.fail("no pretraining after 60 s")

    def test_stop_politely_and_go_on_where_they_were(self):
        process = self.begin()
        self.assertEqual(self.stages(), ["world", "tokenizer"])
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("go on with the same command", err)
        made = (self.out / "world" / "sft.jsonl").stat().st_mtime_ns
        process = start("demo", "--quick", "--out", self.out)
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("done before", err)
        self.assertEqual((self.out / "world" / "sft.jsonl").stat().st_mtime_ns, made)

    def test_of_two_demos_on_one_folder_the_second_is_refused(self):
        process = self.begin()
        try:
            self.bad("demo", "--quick", "--out", self.out, words=[str(self.out), "another"])
        finally:
            process.kill()
            process.communicate()

    def test_do_not_touch_a_folder_that_holds_something_else(self):
        self.write("demo/model/precious.txt", "mine")
        self.bad("demo", "--quick", "--out", self.out, words=["model", "--out"])
        self.assertEqual((self.out / "model" / "precious.txt").read_text(), "mine")

    def test_do_not_touch_what_stands_where_a_lesson_would_be_written(self):
        for lesson in ("manners", "reward", "dpo", "ppo", "thinking", "grpo", "tales", "voice", "gains"):
            with self.subTest(lesson):
                folder = self.folder / f"with-{lesson}"
                self.write(f"with-{lesson}/{lesson}/precious.txt", "mine")
                self.bad("demo", "--quick", "--out", folder, words=[lesson, "--out"])
                self.assertEqual((folder / lesson / "precious.txt").read_text(), "mine")
                self.assertFalse((folder / "world").exists())

    def test_write_all_that_the_lessons_learn_from(self):
        process = self.begin()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        world = self.out / "world"
        for name, keys in (("manners", {"messages"}), ("choices", {"prompt", "chosen", "rejected"}), ("prompts", {"prompt"}),
                           ("thoughts", {"messages"}), ("problems", {"prompt", "answer"}), ("tales", {"messages"})):
            records = [json.loads(line) for line in (world / f"{name}.jsonl").read_text().splitlines()]
            self.assertGreater(len(records), 100)
            for record in records:
                self.assertEqual(set(record), keys)

    def test_refuse_wrong_flags(self):
        self.bad("demo", "--seed", "minus one", code=2, words=["--seed"])
        self.bad("demo", "--fast", code=2, words=["--fast"])


if __name__ == "__main__":
    unittest.main()
