"""Figures as a table, for a terminal and for a page. The first two columns are words, the others numbers."""

from collections.abc import Sequence

Row = Sequence[str]
WORDS = 2


def plain(head: Row, rows: Sequence[Row]) -> str:
    """Return columns of equal width, numbers to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < WORDS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (head, *rows)
    )


def markdown(head: Row, rows: Sequence[Row]) -> str:
    """Return the table of a Markdown page."""
    rule = ["---" if column < WORDS else "---:" for column in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))
