"""A program of its own: opens an xls workbook given on standard input, to learn whether that can be survived.

The workbook reader gives up by ending the process when a damaged xls asks for absurd memory. So an xls is first opened
here, in a process with bounded memory. Exit status: 0 it opens, or is refused in an orderly way, which the caller may
repeat; anything else means that no process with work to lose should open it.
"""

from __future__ import annotations

import io
import resource
import sys

import python_calamine

_MEMORY = 4 * 1024**3  # bytes of address space


def main() -> None:
    """Open the workbook and every sheet of it."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    content = sys.stdin.buffer.read()
    try:
        with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            for name in book.sheet_names:
                for _ in book.get_sheet_by_name(name).iter_rows():
                    pass
    except python_calamine.CalamineError:
        return


if __name__ == "__main__":
    main()
