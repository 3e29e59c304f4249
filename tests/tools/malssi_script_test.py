"""./malssi: installs what is missing, builds what changed, passes arguments and exit code on. Each test has a small project
of its own around a copy of the script, and a fake apt-get."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CMAKE = """cmake_minimum_required(VERSION 3.25)
project(malssi LANGUAGES CXX)
add_executable(malssi main.cc)
"""
MAIN = """#include <cstdio>
int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) std::printf("[%s]", argv[i]);
  return argc;
}
"""
FAKE_APT = """#!/bin/sh
echo "$@" >>"$APT_LOG"
case "$*" in *update*) : >"$APT_LOG.updated" ;; esac
[ ! -e "$APT_LOG.needs-update" ] || [ -e "$APT_LOG.updated" ] || exit 100
[ ! -e "$APT_LOG.fails" ] || { echo "E: no such package"; exit 100; }
"""


class Script(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copy(ROOT / "malssi", self.root)
        shutil.copy(ROOT / "CMakePresets.json", self.root)
        shutil.copytree(ROOT / "tools", self.root / "tools")
        (self.root / "CMakeLists.txt").write_text(CMAKE)
        (self.root / "main.cc").write_text(MAIN)
        (self.root / "bin").mkdir()
        self.tool("apt-get", FAKE_APT)
        self.tool("sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n')
        self.apt_log = self.root / "apt.log"
        self.packages("")

    def tool(self, name, text):
        path = self.root / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def packages(self, text):
        (self.root / "tools/packages.txt").write_text("# a comment\n" + text)

    def start(self, *args):
        env = {**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}", "APT_LOG": str(self.apt_log)}
        return subprocess.Popen([self.root / "malssi", *args], env=env, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run_it(self, *args):
        process = self.start(*args)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def test_builds_then_passes_arguments_output_and_exit_code_on(self):
        code, out, err = self.run_it("a b", "", "*")
        self.assertEqual((code, out), (4, "[a b][][*]"), err)
        self.assertIn("malssi: building release (", err)

    def test_is_quiet_and_quick_when_nothing_changed_and_builds_when_something_did(self):
        self.run_it()
        began = time.monotonic()
        self.assertEqual(self.run_it("x"), (2, "[x]", ""))
        self.assertLess(time.monotonic() - began, 2)  # 0.1 s; slack for a busy machine
        (self.root / "main.cc").write_text(MAIN.replace("return argc", "return 7"))
        self.assertEqual(self.run_it("x")[:2], (7, "[x]"))

    def test_works_from_another_folder_and_through_a_link(self):
        self.run_it()
        link = self.root / "link"
        link.symlink_to(self.root / "malssi")
        self.assertEqual(subprocess.run([link, "y"], cwd="/", capture_output=True).stdout, b"[y]")

    def test_shows_what_the_compiler_says_and_stops(self):
        (self.root / "main.cc").write_text("int main() { return nothing; }\n")
        code, out, err = self.run_it()
        self.assertEqual((code, out), (1, ""))
        self.assertIn("‘nothing’ was not declared" if "‘" in err else "'nothing' was not declared", err)
        self.assertTrue(err.endswith("error: the build failed (see above)\n"), err)

    def test_two_at_once_both_run(self):
        results = [process.communicate(timeout=120) + (process.returncode,)
                   for process in [self.start("1"), self.start("2"), self.start("3")]]
        self.assertEqual([(out, code) for out, _, code in results], [("[1]", 2), ("[2]", 2), ("[3]", 2)], results)

    def test_installs_only_what_is_missing(self):
        self.packages("bash build a shell\nno-such-package build a dream\nother-package check another\n")
        code, _, err = self.run_it()
        self.assertEqual(code, 1, err)
        self.assertIn("installing 1 Debian packages (log: build/install.log): no-such-package", err)
        self.assertEqual(self.apt_log.read_text().count("\n"), 1)
        self.assertTrue(self.apt_log.read_text().endswith("install --no-install-recommends no-such-package\n"))

    def test_fetches_the_lists_of_packages_when_it_must(self):
        self.packages("no-such-package build a dream\n")
        pathlib.Path(f"{self.apt_log}.needs-update").touch()
        self.assertEqual(self.run_it()[0], 1)
        self.assertEqual([line.split()[-1] for line in self.apt_log.read_text().splitlines()],
                         ["no-such-package", "update", "no-such-package"])

    def test_says_when_packages_cannot_be_installed(self):
        self.packages("no-such-package build a dream\n")
        pathlib.Path(f"{self.apt_log}.fails").touch()
        code, out, err = self.run_it()
        self.assertEqual((code, out), (1, ""))
        self.assertIn("E: no such package", err)
        self.assertIn("error: apt-get could not install: no-such-package", err)


if __name__ == "__main__":
    unittest.main()
