"""Server-sent events, parsed incrementally from bytes."""

_BOM = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """One event is larger than the parser accepts."""


class SseParser:
    """Turns the bytes of an event stream, cut anywhere, into the data of its events.

    Follows the WHATWG rules: lines end with LF, CRLF or CR, `data` lines of one event are joined with LF, comments and
    other fields are skipped, and an event that the stream's end cuts off is dropped. Event names are not reported,
    because both protocols that are read with this repeat them in the data.
    """

    __slots__ = ("_after_cr", "_limit", "_started", "_tail")

    def __init__(self, *, limit: int = 4 * 1024 * 1024) -> None:
        """Accept events of at most about `limit` bytes."""
        self._tail = b""
        self._after_cr = False
        self._started = False
        self._limit = limit

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of the events that `chunk` completes; raise `EventTooLarge`."""
        if self._after_cr or b"\r" in chunk:
            chunk = self._with_line_feeds(chunk)
        blocks = (self._tail + chunk if self._tail else chunk).split(b"\n\n")
        self._tail = blocks.pop()
        if len(self._tail) > self._limit:
            raise EventTooLarge(self._limit)
        if blocks and not self._started:
            self._started = True
            blocks[0] = blocks[0].removeprefix(_BOM)
        events = []
        for block in blocks:
            # Nearly every event of a model is one line, `data: {...}`.
            data = block[6:] if block.startswith(b"data: ") and b"\n" not in block else _data_of(block)
            if data:
                events.append(data)
        return events

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_cr = False
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _data_of(block: bytes) -> bytes:
    lines = []
    for line in block.split(b"\n"):
        if line.startswith(b"data:"):
            lines.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif line == b"data":
            lines.append(b"")
    return b"\n".join(lines)
