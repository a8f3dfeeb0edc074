"""Server-sent events give the same data however their bytes are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_core.adapters.llm.sse import EventTooLarge, SseParser


def parsed(*chunks: bytes) -> list[bytes]:
    parser = SseParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@pytest.mark.parametrize(
    "stream,events",
    [
        (b"data: one\n\n", [b"one"]),
        (b"data:one\n\n", [b"one"]),
        (b"data:  one\n\n", [b" one"]),
        (b"data: one\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data: one\ndata: two\n\n", [b"one\ntwo"]),
        (b"event: delta\nid: 7\nretry: 9\ndata: one\n\n", [b"one"]),
        (b"data: one\nevent: delta\n\n", [b"one"]),
        (b": keep-alive\n\ndata: one\n\n", [b"one"]),
        (b"\n\n\n\ndata: one\n\n\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data: one\r\n\r\ndata: two\r\n\r\n", [b"one", b"two"]),
        (b"data: one\r\rdata: two\r\r", [b"one", b"two"]),
        (b"data: one\r\n\ndata: two\n\r\n", [b"one", b"two"]),
        (b"\xef\xbb\xbfdata: one\n\n", [b"one"]),
        (b"data\n\ndata: \n\nevent: ping\n\n", []),
        (b"database: no\n\n", []),
        (b"data: cut off\n", []),
        (b"data: cut off", []),
        (b"", []),
    ],
)
def test_follows_the_rules(stream, events):
    assert parsed(stream) == events
    assert parsed(*(bytes([byte]) for byte in stream)) == events


_pieces = st.sampled_from(
    [
        b"data: ",
        b"data:",
        b"data",
        b"event: x",
        b":",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n",
        b"\xef\xbb\xbf",
        b"{}",
        b" ",
        b"\xc3\xa9",
    ]
)
_streams = st.lists(_pieces | st.binary(max_size=4), max_size=30).map(b"".join)


@given(_streams, st.lists(st.integers(min_value=0, max_value=200)))
def test_cutting_changes_nothing(stream, cuts):
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    assert parsed(*chunks) == parsed(stream)


@given(_streams)
def test_agrees_with_a_parser_that_reads_line_by_line(stream):
    events: list[bytes] = []
    lines: list[bytes] = []
    text = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for line in text.split(b"\n")[:-1]:
        if not line:
            if any(lines) or len(lines) > 1:
                events.append(b"\n".join(lines))
            lines = []
            continue
        field, _, value = line.partition(b":")
        if field == b"data":
            lines.append(value.removeprefix(b" "))
    assert parsed(stream) == events


def test_an_event_without_end_is_refused():
    parser = SseParser(limit=100)
    parser.feed(b"data: " + b"x" * 90)
    with pytest.raises(EventTooLarge):
        parser.feed(b"x" * 90)
