#!/usr/bin/env python3
"""The tidy test finds what it is there for, in a small clone with one bad habit at a time."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TIDY = pathlib.Path(__file__).with_name("tidy.py")
GOOD = {
    "CMakeLists.txt": "set(ISTHMUS_ROOMS base store\n    journal)\n",
    "daemon/base/CMakeLists.txt": "isthmus_room(base)\n",
    "daemon/store/CMakeLists.txt": "isthmus_room(store USES base)\n",
    "daemon/journal/CMakeLists.txt": "isthmus_room(journal USES base store LIBS x)\n",
    "daemon/journal/inbox.h": '#pragma once\n#include "store/pool.h"\n',
    "daemon/journal/inbox.cpp": "void f() { lane_taken(); }  // not system_clock::now()\n",
    "interfaces/events.toml": '"lane.taken" = { level = "info" }\n',
    "tests/fuzz/CMakeLists.txt": "isthmus_fuzz(yaml config)\n",
    "tests/fuzz/yaml.cpp": "\n",
    "tests/fuzz/yaml/one": "a: 1\n",
    "docs/a.md": "[b](b.md)\n",
    "docs/b.md": "\n",
}


def tidy(**changed):
    files = {**GOOD, **{name.replace("__", "/"): text for name, text in changed.items()}}
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        for name, text in files.items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(text, encoding="utf-8")
        subprocess.run(["git", "-C", top, "init", "-q"], check=True)
        subprocess.run(["git", "-C", top, "add", "-A"], check=True)
        run = subprocess.run([sys.executable, TIDY, top], capture_output=True, text=True, check=False)
        return run.returncode, run.stdout + run.stderr


class Tidy(unittest.TestCase):
    def refused(self, words, **changed):
        status, said = tidy(**changed)
        self.assertEqual(status, 1, said)
        self.assertIn(words, said)

    def test_a_tree_without_bad_habits_passes(self):
        status, said = tidy()
        self.assertEqual(status, 0, said)

    def test_a_room_that_uses_one_below_it(self):
        self.refused('uses "journal"', **{"daemon/store/CMakeLists.txt": "isthmus_room(store USES base journal)\n"})

    def test_an_include_of_a_room_below(self):
        self.refused("store includes journal", **{"daemon/store/pool.h": '#pragma once\n#include "journal/inbox.h"\n'})

    def test_a_sleep(self):
        self.refused("daemon/journal/inbox.cpp:1", **{
            "daemon/journal/inbox.cpp": "void f() { lane_taken(); std::this_thread::sleep_for(1s); }\n"})

    def test_the_systems_clock_in_a_room(self):
        self.refused("const Clock&", **{"daemon/base/x.cpp": "auto now = std::chrono::system_clock::now();\n"})

    def test_an_open_task_without_an_issue(self):
        self.refused("do it, or an issue", **{"daemon/base/x.cpp": "// TO" "DO later\n"})

    def test_a_header_without_its_guard(self):
        self.refused("#pragma once", **{"daemon/base/x.h": "int f();\n"})

    def test_a_file_of_several_ideas(self):
        self.refused("several ideas", **{"daemon/base/x.cpp": "int f();\n" * 600})

    def test_a_name_that_says_nothing(self):
        self.refused("the noun of the thing", **{"daemon/base/utils.h": "#pragma once\n"})

    def test_an_event_that_nothing_logs(self):
        self.refused("nothing logs lane.lost", **{"interfaces/events.toml": '"lane.lost" = { level = "info" }\n'})

    def test_a_corpus_without_its_target(self):
        self.refused("a corpus without its target", **{"tests/fuzz/saml/one": "x"})

    def test_a_link_that_leads_nowhere(self):
        self.refused("leads nowhere", **{"docs/a.md": "[c](c.md)\n"})


if __name__ == "__main__":
    unittest.main()
