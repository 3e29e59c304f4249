"""tools/check_layers and tools/lint find what they are for. Each test works on a copy of the sources."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class ToolTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copy(ROOT / "CMakeLists.txt", self.root)
        for name in ("src", "tools"):
            shutil.copytree(ROOT / name, self.root / name)

    def run_tool(self, name):
        done = subprocess.run([ROOT / "tools" / name, self.root], capture_output=True, text=True)
        return done.returncode, done.stdout

    def prepend(self, file, text):
        path = self.root / file
        path.write_text(text + path.read_text())

    def assert_finds(self, tool, *words):
        code, out = self.run_tool(tool)
        self.assertEqual(code, 1, out)
        for word in words:
            self.assertIn(word, out)


class CheckLayers(ToolTest):
    def test_passes_the_sources_as_they_are(self):
        code, out = self.run_tool("check_layers")
        self.assertEqual(code, 0, out)

    def test_fails_when_a_lower_layer_includes_a_higher_one(self):
        self.prepend("src/base/error.h", '#include "cli/commands.h"\n')
        self.assert_finds("check_layers", "src/base/error.h:1", "cli is a higher layer")

    def test_fails_for_neighbouring_layers_too(self):
        self.prepend("src/tensor/shape.h", '#include  "ops/linear.h"\n')
        self.assert_finds("check_layers", "src/tensor/shape.h:1", "ops is a higher layer")

    def test_is_not_fooled_by_angle_brackets(self):
        self.prepend("src/base/error.h", "# include <train/loop.h>\n")
        self.assert_finds("check_layers", "src/base/error.h:1")

    def test_fails_for_a_header_that_does_not_exist(self):
        self.prepend("src/cli/main.cc", '#include "base/no_such_header.h"\n')
        self.assert_finds("check_layers", "base/no_such_header.h does not exist")

    def test_fails_when_a_library_leaves_its_home(self):
        self.prepend("src/cli/main.cc", "#include <dnnl.hpp>\n")
        self.assert_finds("check_layers", "<dnnl.hpp> belongs into kernels/")

    def test_fails_for_a_folder_that_is_not_listed(self):
        (self.root / "src/extra").mkdir()
        (self.root / "src/extra/extra.h").write_text("// extra\n")
        self.assert_finds("check_layers", "src/extra/extra.h:1: its folder is not listed")


class Lint(ToolTest):
    def add(self, file, text):
        (self.root / file).write_text(text)

    def test_passes_the_sources_as_they_are(self):
        code, out = self.run_tool("lint")
        self.assertEqual(code, 0, out)

    def test_finds_a_long_file(self):
        self.add("src/base/long.cc", "int x;\n" * 501)
        self.assert_finds("lint", "src/base/long.cc:1: 501 lines")

    def test_finds_a_long_function_in_a_namespace_and_in_a_class(self):
        body = "  // { a brace in a comment\n" * 60
        self.add("src/base/long.cc", "namespace a {\nint f(const char* s = \"{\") {\n" + body + "  return '{';\n}\n}\n")
        self.add("src/base/long.h", "// x\n#pragma once\nclass A : public B<int> {\n public:\n  A(int x) : x_{x} {}\n"
                 "  int g() const {\n" + body + "  }\n  int x_;\n};\n")
        self.assert_finds("lint", "src/base/long.cc:2: f has 63 lines", "src/base/long.h:6: g has 62 lines")

    def test_lets_a_function_of_sixty_lines_pass(self):
        self.add("src/base/fits.cc", "void f() {\n" + "  g();\n" * 58 + "}\n")
        self.assertEqual(self.run_tool("lint")[0], 0)

    def test_exceptions_need_a_reason_and_a_use(self):
        self.add("src/base/long.cc", "int x;\n" * 501)
        self.add("tools/lint_exceptions.txt", "src/base/long.cc a table of facts\n")
        self.assertEqual(self.run_tool("lint")[0], 0)
        self.add("tools/lint_exceptions.txt", "src/base/long.cc\nsrc/base/gone.cc was long once upon\n")
        self.assert_finds("lint", "states no reason", "src/base/gone.cc no longer needs")

    def test_finds_headers_without_a_contract_and_stray_spaces(self):
        self.add("src/base/bare.h", "#pragma once\nint x; \n")
        self.assert_finds("lint", "src/base/bare.h:1: a header opens", "src/base/bare.h:2: tab, or space")


if __name__ == "__main__":
    unittest.main()
