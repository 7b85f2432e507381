"""Runs benchmarks by name, or all of them: `scripts/bench [append] [rebuild] [books] …`. Each prints what it is measured beside."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

NAMES = sorted(file.stem for file in Path(__file__).parent.glob("[a-z]*.py"))


def main(arguments: list[str]) -> int:
    """Exit code 2 for a name that is none."""
    unknown = [name for name in arguments if name not in NAMES]
    if unknown:
        sys.stderr.write(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}\n")
        return 2
    for name in arguments or NAMES:
        print(f"\n## {name}\n", flush=True)
        code = importlib.import_module(f"tests.benchmarks.{name}").main([])
        if code:
            return int(code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
