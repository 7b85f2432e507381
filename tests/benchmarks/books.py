"""How a book of growing size is imported by the whole program: seconds, events a second, peak memory; and again, recording nothing.

    python -m tests.benchmarks.books [--sizes 5000 20000 80000]

Each size runs in a process of its own on an embedded server of its own, durable, ledgers folded meanwhile, as `qingling import` does.
Peak memory is that of the importing process (`ru_maxrss`), without the server's.
"""

from __future__ import annotations

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

QINGLING = Path(sys.executable).with_name("qingling")
_HEAD = ["案件编号", "属地", "受理日期", "欠薪单位", "欠薪人数", "欠薪金额", "核实金额", "已发金额", "案件状态"]
_PLACES = ("城区", "矿区", "郊区", "平定县", "盂县")


def write_book(file: Path, cases: int) -> None:
    """A book with one row a case."""
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(_HEAD)
        for n in range(cases):
            place = _PLACES[n % len(_PLACES)]
            paid = n % 3 * 5_000
            writer.writerow([f"N-{n}", place, "2019-11-01", f"公司{n % 999}", "3", "12000", "10000", str(paid), "在办"])


def run(*arguments: str | Path) -> tuple[float, int, str]:
    """Seconds, peak memory in MiB, and what the program printed."""
    began = time.perf_counter()
    done = subprocess.run([QINGLING, *map(str, arguments)], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, done.stdout


def measure(cases: int) -> None:
    """One size, in this process, whose children's memory nothing else has touched yet."""
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book.csv"
        write_book(book, cases)
        data = Path(folder) / "data"
        run("--data", data, "init", "--origin", "bench")
        first, memory, _ = run("--data", data, "import", book)
        again, _, _ = run("--data", data, "import", book)
    events = cases * 4 + sum(2 for n in range(cases) if n % 3)
    print(f"| {cases:,} | {events:,} | {first:.1f} | {events / first:,.0f} | {memory} | {again:.1f} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5_000, 20_000, 80_000])
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.only:
        measure(options.only)
        return 0
    print("| cases | about events | s, first | events/s | peak MiB | s, again |\n|---|---|---|---|---|---|", flush=True)
    for size in options.sizes:
        subprocess.run([sys.executable, "-m", "tests.benchmarks.books", "--only", str(size)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
