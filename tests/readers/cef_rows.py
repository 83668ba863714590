"""Prints the rows of objects in CEF as pycef reads them, with its values unescaped."""

import gzip
import json
import re
import sys

import pycef

ESCAPES = {"n": "\n", "r": "\r"}


def unescaped(text):
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text)


def main(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        rows = [pycef.parse(line.removesuffix("\n")) for line in lines]
    json.dump([{name: unescaped(value) for name, value in row.items()} for row in rows], sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
