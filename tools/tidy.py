#!/usr/bin/env python3
"""Reads the source for habits that no compiler refuses, and names what to write instead.

usage: tidy.py [FOLDER]     the clone; default: the one this file is in. Exit status 1 when something was found.
"""
import pathlib
import re
import subprocess
import sys

FILE_LINES_MAX = 550
LINE_CHARS_MAX = 120

CODE = (".cpp", ".h")
TEXT = CODE + (".mjs", ".py", ".sh", ".cmake", ".md", ".yaml", ".toml", ".sql", ".thrift", ".txt")
# (pattern, what instead, files it is about, files where it is right)
HABITS = [
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", "wait for a condition with a deadline, or move the simulated clock", r"\.(cpp|h)$", None),
    (r"\bsystem_clock::now\b", "const Clock&", r"^(daemon|cli)/.*\.(cpp|h)$", r"^daemon/base/clock\.cpp$|_test\.(cpp|h)$"),
    (r"\b(s?rand|drand48)\s*\(|\brandom_device\b|\bmt19937", "Random&", r"^(daemon|cli|verify)/.*\.(cpp|h)$", r"^daemon/base/random\.(cpp|h)$|_test\.(cpp|h)$"),
    (r"\.detach\(\)", "a std::jthread that its owner joins", r"\.(cpp|h)$", None),
    (r"\bstd::thread\b(?!::)", "std::jthread", r"^(daemon|cli|verify)/.*\.(cpp|h)$", None),
    (r"\bthread_local\b", "state that its owner passes on", r"\.(cpp|h)$", None),
    (r"\bgetenv\b", "a setting, or a credential; the environment is read in config, ops and main only",
     r"^(daemon|cli|verify)/.*\.(cpp|h)$", r"^daemon/(config|ops)/|^(cli|verify)/main\.cpp$|_test\.(cpp|h)$"),
    (r"\bstd::(cout|cerr|clog)\b|\bprintf\s*\(", "an event of interfaces/events.toml", r"^daemon/.*\.(cpp|h)$",
     r"^daemon/main\.cpp$|_test\.(cpp|h)$"),
    (r"\bcatch\s*\(\.\.\.\)\s*\{\s*\}", "catch the library's type at its edge and return an Error", r"\.(cpp|h)$", None),
    (r"\busing namespace\b", "names in full", r"\.h$", None),
    (r"#\s*ifdef\s+TESTING\b|\bfriend class \w*Test\b", "a parameter that production passes too", r"\.(cpp|h)$", None),
    (r"\bEXPECT_TRUE\(true\)|\bASSERT_TRUE\(true\)", "a consequence that can be seen", r"\.(cpp|h)$", None),
    (r"\b(TODO|FIXME|XXX|HACK)\b", "do it, or an issue", r"\.(cpp|h|mjs|py|sh|cmake|sql|toml|thrift)$", r"^tools/tidy\.py$"),
    (r"#\s*include\s*<(format|expected|source_location)>", "fmt, base/result.h, __FILE__ (g++ 12 and clang 14 have none)", r"\.(cpp|h)$", None),
    (r"\bnlohmann\b|#include <Poco/JSON", "simdjson to read, JsonWriter to write", r"^(daemon|cli)/.*\.(cpp|h)$", None),
]
FILE_NAMES_REFUSED = re.compile(r"(^|/)(utils?|helpers?|common|misc|manager)\.(h|cpp)$")


class Findings:
    def __init__(self):
        self.lines = []

    def add(self, path, line, what):
        self.lines.append(f"{path}:{line}: {what}" if line else f"{path}: {what}")


def tracked(top):
    git = ["git", "-c", "safe.directory=*", "-C", top, "ls-files", "-z"]
    out = subprocess.run(git, check=True, capture_output=True).stdout
    return [name for name in out.decode().split("\0") if name and (top / name).is_file()]


def code_of(line):
    """The line without its comment and the text of its strings: habits are about code."""
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    return line.split("//")[0]


def check_habits(name, lines, found):
    rules = [(re.compile(p), better) for p, better, about, but in HABITS
             if re.search(about, name) and not (but and re.search(but, name))]
    for number, line in enumerate(lines, 1):
        include = line.lstrip().startswith("#")
        code = line if include or not name.endswith(CODE) else code_of(line)
        for pattern, better in rules:
            hit = pattern.search(line if "TODO" in pattern.pattern else code)
            if hit:
                found.add(name, number, f'"{hit.group(0).strip()}": write {better} instead')


def check_form(name, lines, found):
    if name.endswith(CODE) and len(lines) > FILE_LINES_MAX:
        found.add(name, 0, f"{len(lines)} lines are several ideas; {FILE_LINES_MAX} is the most")
    if name.endswith(".h") and "#pragma once" not in lines[:3]:
        found.add(name, 1, "a header begins with #pragma once")
    if FILE_NAMES_REFUSED.search(name):
        found.add(name, 0, "say what is in it: the noun of the thing")
    for number, line in enumerate(lines, 1):
        if "\t" in line and name.endswith(CODE + (".py", ".mjs", ".sql", ".toml")):
            found.add(name, number, "a tab")
        if line != line.rstrip() and not name.endswith(".md"):
            found.add(name, number, "spaces at the end of the line")
        if name.endswith(CODE) and len(line) > LINE_CHARS_MAX and "://" not in line and 'R"' not in line and '"' not in line:
            found.add(name, number, f"{len(line)} characters; {LINE_CHARS_MAX} is the most")


def rooms(top):
    """Rooms in the order of CMakeLists.txt, each with what it USES."""
    order = re.search(r"set\(ISTHMUS_ROOMS([^)]*)\)", (top / "CMakeLists.txt").read_text()).group(1).split()
    uses = {}
    for room in order:
        said = (top / "daemon" / room / "CMakeLists.txt").read_text()
        block = re.search(r"isthmus_room\(\s*(\w+)([^)]*)\)", said)
        words = block.group(2).split()
        used = []
        if "USES" in words:
            for word in words[words.index("USES") + 1:]:
                if word.isupper():
                    break
                used.append(word)
        uses[room] = used
    return order, uses


def check_direction(top, names, found):
    order, uses = rooms(top)
    order_of = {room: place for place, room in enumerate(order)}  # what is no room (main, node) is below them all
    for room, used in uses.items():
        for other in used:
            if other in order and order.index(other) >= order.index(room):
                found.add(f"daemon/{room}/CMakeLists.txt", 0, f'uses "{other}", which is not above it in CMakeLists.txt')
    for name in names:
        if not name.startswith("daemon/") or not name.endswith(CODE) or name.count("/") < 2:
            continue
        room = name.split("/")[1]
        for number, line in enumerate((top / name).read_text().split("\n"), 1):
            hit = re.match(r'#include "(\w+)/', line)
            other = hit.group(1) if hit else room
            if other != room and order_of.get(other, -1) > order_of.get(room, len(order)):
                found.add(name, number, f'{room} includes {other}, which is below it')


def check_links(top, name, lines, found):
    """A link from page to page must lead somewhere."""
    for number, line in enumerate(lines, 1):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", line):
            if "://" in target or target.startswith("mailto:"):
                continue
            if not (top / pathlib.Path(name).parent / target).exists():
                found.add(name, number, f"the link to {target} leads nowhere")


def check_fuzz(top, names, found):
    """Each fuzz target has a corpus, and each corpus a target."""
    folder = top / "tests" / "fuzz"
    listed = "".join((top / n).read_text() for n in names if n.endswith("CMakeLists.txt"))
    for corpus in sorted(p for p in folder.iterdir() if p.is_dir()):
        if not (folder / f"{corpus.name}.cpp").exists() or corpus.name not in listed:
            found.add(f"tests/fuzz/{corpus.name}", 0, "a corpus without its target")


def check_events(top, names, found):
    """An event that nothing logs is a promise to operators that is not kept."""
    table = (top / "interfaces" / "events.toml").read_text()
    code = "\n".join((top / n).read_text() for n in names if n.endswith(CODE) and n.startswith(("daemon/", "cli/")))
    for event in re.findall(r'^"([a-z0-9_.-]+)" = ', table, re.M):
        function = re.sub(r"[.-]", "_", event)
        if not re.search(rf"\b{function}\b", code):
            found.add("interfaces/events.toml", 0, f"nothing logs {event}")


def main():
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    found = Findings()
    names = tracked(top)
    for name in names:
        if not name.endswith(TEXT):
            continue
        lines = (top / name).read_text(errors="replace").split("\n")
        check_habits(name, lines, found)
        check_form(name, lines, found)
        if name.endswith(".md"):
            check_links(top, name, lines, found)
    check_direction(top, names, found)
    check_fuzz(top, names, found)
    check_events(top, names, found)
    print("\n".join(found.lines) if found.lines else f"{len(names)} files read: nothing found")
    return 1 if found.lines else 0


if __name__ == "__main__":
    sys.exit(main())
