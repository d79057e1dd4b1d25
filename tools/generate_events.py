#!/usr/bin/env python3
"""Makes events/events.h and docs/reference/events.md from interfaces/events.toml.

    generate_events.py TABLE --header FILE     write the C++ functions
    generate_events.py TABLE --page FILE       write the reference page
    generate_events.py TABLE --check-page FILE exit 1 when the page is not what the table says

Every mistake in the table is printed as file: event: message; nothing is written then. Standard library only.
"""

import argparse
import difflib
import pathlib
import re
import sys
import tomllib

LEVELS = ("debug", "info", "warning", "error")
# type in the table -> (C++ type of the member, expression that makes the log field's value)
TYPES = {
    "text": ("std::string_view", "event.{}"),
    "int": ("Integer", "event.{}.value"),
    "real": ("double", "event.{}"),
    "bool": ("bool", "event.{}"),
    "ms": ("std::chrono::milliseconds", "static_cast<std::int64_t>(event.{}.count())"),
}
NAME = re.compile(r"^[a-z][a-z0-9]*(\.[a-z][a-z0-9]*){1,3}$")
FIELD = re.compile(r"^[a-z][a-z0-9_]*$")
# The line itself has these; and no field may carry what the log must never hold.
RESERVED = {"time", "level", "event"}
FORBIDDEN = {"body", "token", "password", "secret", "authorization", "content"}
# A field becomes a member of a structure.
KEYWORDS = {"public", "private", "protected", "class", "new", "delete", "default", "operator", "register", "export", "union"}

HEADER = """\
// Made by tools/generate_events.py from interfaces/events.toml. Do not edit.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string_view>

#include "base/log.h"

/// The events of the log: one structure and one function a row of interfaces/events.toml.
///
///     events::lane_taken(log, {.lane = 7, .epoch = 3});
///
/// Every field must be given, in the order of the table. Text is borrowed for the call. Threads: as the Log.
namespace isthmus::events {

/// A count or number of any integer type; beyond 64 signed bits it stays at the largest.
struct Integer {
  std::int64_t value;
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  constexpr Integer(T number)  // implicit, so that calls read as the table does
      : value(static_cast<std::uint64_t>(number > 0 ? number : 0) > std::uint64_t{std::numeric_limits<std::int64_t>::max()}
                  ? std::numeric_limits<std::int64_t>::max()
                  : static_cast<std::int64_t>(number)) {}
};
"""

PAGE = """\
# Log events

<!-- Made by tools/generate_events.py from interfaces/events.toml. Do not edit. -->

The daemon writes one JSON object a line to standard error: `event`, `time` (RFC 3339, UTC, microseconds), `level`, then the
fields below. Names are stable. Fields of type `ms` are whole milliseconds.

Le démon écrit un objet JSON par ligne sur la sortie d'erreur : `event`, `time` (RFC 3339, UTC, microsecondes), `level`, puis
les champs ci-dessous. Les noms sont stables. Les champs de type `ms` sont des millisecondes entières.

| event | level | fields | meaning | sens |
| --- | --- | --- | --- | --- |
"""


def judge_fields(text):
    """The (name, type) pairs of a row and the mistakes found in it."""
    fields, mistakes = [], []
    for word in text.split():
        name, _, kind = word.partition(":")
        if not FIELD.match(name):
            mistakes.append(f'"{name}" is not a field name (a-z, 0-9 and _)')
        if kind not in TYPES:
            mistakes.append(f'field "{name}" has type "{kind}"; known are {", ".join(TYPES)}')
        if name in RESERVED or name in FORBIDDEN:
            mistakes.append(f'field "{name}" may not be logged')
        if name in KEYWORDS:
            mistakes.append(f'field "{name}" is a word of C++')
        if (kind == "ms") != name.endswith("_ms"):
            mistakes.append(f'field "{name}": durations, and only they, end in _ms')
        if name in (known for known, _ in fields):
            mistakes.append(f'field "{name}" is there twice')
        fields.append((name, kind))
    return fields, mistakes


def judge_row(name, row):
    fields, mistakes = [], []
    if not NAME.match(name):
        mistakes.append("a name is area.thing.happened in a-z, 0-9")
    if not isinstance(row, dict) or set(row) != {"level", "fields", "en", "fr"}:
        return fields, mistakes + ["a row has exactly level, fields, en, fr"]
    if any(not isinstance(value, str) for value in row.values()):
        return fields, mistakes + ["level, fields, en and fr are texts"]
    if row["level"] not in LEVELS:
        mistakes.append(f'level "{row["level"]}"; known are {", ".join(LEVELS)}')
    for language in ("en", "fr"):
        if not row[language].endswith(".") or "|" in row[language]:
            mistakes.append(f"{language} is one or more sentences without |")
    fields, found = judge_fields(row["fields"])
    return fields, mistakes + found


def read_table(path):
    """[(event, level, [(field, type)], english, french)], or the mistakes printed and exit 1."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        sys.exit(f"{path}: {error}")
    rows, mistakes, functions = [], [], {}
    if set(table) != {"events"}:
        mistakes.append(f"{path}: the only table is [events]")
    for name, row in table.get("events", {}).items():
        fields, found = judge_row(name, row)
        other = functions.setdefault(name.replace(".", "_"), name)
        if other != name:
            found.append(f"would be the same function as {other}")
        mistakes += [f"{path}: {name}: {mistake}" for mistake in found]
        if not found:
            rows.append((name, row["level"], fields, row["en"], row["fr"]))
    if mistakes:
        sys.exit("\n".join(mistakes))
    return rows


def make_function(name, level, fields, english):
    function = name.replace(".", "_")
    structure = "".join(part.capitalize() for part in name.split("."))
    members = "".join(f"  {TYPES[kind][0]} {field};\n" for field, kind in fields)
    values = ", ".join('{"%s", %s}' % (field, TYPES[kind][1].format(field)) for field, kind in fields)
    parameter = f"const {structure}& event" if fields else f"const {structure}&"
    return (
        f"\nstruct {structure} {{\n{members}}};\n"
        f"/// {name} ({level}). {english}\n"
        f"inline void {function}(Log& log, {parameter}) {{\n"
        f'  log.write(LogLevel::{level}, "{name}", {{{values}}});\n}}\n'
    )


def make_header(rows):
    functions = "".join(make_function(name, level, fields, english) for name, level, fields, english, _ in rows)
    return HEADER + functions + "\n}  // namespace isthmus::events\n"


def make_page(rows):
    lines = []
    for name, level, fields, english, french in rows:
        shown = ", ".join(f"`{field}` {kind}" for field, kind in fields)
        lines.append(f"| `{name}` | {level} | {shown} | {english} | {french} |\n")
    return PAGE + "".join(lines)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def check_page(path, wanted):
    found = path.read_text(encoding="utf-8") if path.exists() else ""
    if found == wanted:
        return 0
    difference = difflib.unified_diff(found.splitlines(), wanted.splitlines(), str(path), "from the table", lineterm="")
    print("\n".join(difference))
    return 1


def main():
    parser = argparse.ArgumentParser(description="Log events: C++ functions and reference page from one table.")
    parser.add_argument("table", type=pathlib.Path)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--header", type=pathlib.Path)
    what.add_argument("--page", type=pathlib.Path)
    what.add_argument("--check-page", type=pathlib.Path)
    options = parser.parse_args()
    rows = read_table(options.table)
    if options.header:
        write(options.header, make_header(rows))
    elif options.page:
        write(options.page, make_page(rows))
    else:
        return check_page(options.check_page, make_page(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
