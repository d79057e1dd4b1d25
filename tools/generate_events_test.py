#!/usr/bin/env python3
"""What the table of log events may say, and what is refused."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

GENERATOR = pathlib.Path(__file__).with_name("generate_events.py")
ROW = '"lane.taken" = { level = "info", fields = "lane:int", en = "Taken.", fr = "Prise." }\n'


def generate(table, *options):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "events.toml"
        path.write_text(table, encoding="utf-8")
        out = pathlib.Path(folder) / "out"
        run = subprocess.run(
            [sys.executable, GENERATOR, path, *(options or ("--header", out))], capture_output=True, text=True, check=False
        )
        return run.returncode, run.stdout + run.stderr, out.read_text(encoding="utf-8") if out.exists() else None


class TheTable(unittest.TestCase):
    def test_becomes_a_typed_function(self):
        code, _, text = generate("[events]\n" + ROW)
        self.assertEqual(code, 0)
        self.assertIn("struct LaneTaken {\n  Integer lane;\n};", text)
        self.assertIn("inline void lane_taken(Log& log, const LaneTaken& event)", text)
        self.assertIn('log.write(LogLevel::info, "lane.taken", {{"lane", event.lane.value}});', text)

    def test_names_every_mistake_and_writes_nothing(self):
        rows = ROW + ROW.replace("lane.taken", "Lane.lost") + ROW.replace("lane.taken", "lane.two").replace("info", "loud")
        code, said, text = generate("[events]\n" + rows)
        self.assertEqual(code, 1)
        self.assertIn("Lane.lost: a name is", said)
        self.assertIn('lane.two: level "loud"', said)
        self.assertIsNone(text)

    def refuse(self, fields, message):
        code, said, text = generate("[events]\n" + ROW.replace("lane:int", fields))
        self.assertEqual((code, text), (1, None))
        self.assertIn(message, said)

    def test_refuses_fields_that_may_not_be_logged(self):
        self.refuse("token:text", 'field "token" may not be logged')
        self.refuse("body:text", 'field "body" may not be logged')
        self.refuse("event:text", 'field "event" may not be logged')
        self.refuse("public:text", "is a word of C++")

    def test_refuses_unknown_types_repeats_and_durations_without_a_unit(self):
        self.refuse("lane:number", 'has type "number"')
        self.refuse("lane:int lane:text", "is there twice")
        self.refuse("took:ms", "end in _ms")
        self.refuse("took_ms:int", "end in _ms")

    def test_refuses_two_rows_of_one_name(self):
        code, said, _ = generate("[events]\n" + ROW + ROW)
        self.assertEqual(code, 1)
        self.assertIn("overwrite", said)

    def test_refuses_a_missing_translation(self):
        code, said, _ = generate("[events]\n" + ROW.replace(', fr = "Prise."', ""))
        self.assertEqual(code, 1)
        self.assertIn("exactly level, fields, en, fr", said)


class ThePage(unittest.TestCase):
    def test_that_is_out_of_date_is_shown_as_a_difference(self):
        with tempfile.NamedTemporaryFile("w", suffix=".md") as page:
            page.write("# old\n")
            page.flush()
            code, said, _ = generate("[events]\n" + ROW, "--check-page", page.name)
        self.assertEqual(code, 1)
        self.assertIn("-# old", said)
        self.assertIn("+| `lane.taken` | info | `lane` int | Taken. | Prise. |", said)


if __name__ == "__main__":
    unittest.main()
