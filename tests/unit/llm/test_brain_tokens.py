from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_core.adapters.llm.brain.tokens import MESSAGE_OVERHEAD, count_messages, count_tokens, first_tokens, pieces
from omni_core.domain.llm.model import Message, Role, ToolCall

TEXTS = st.text() | st.text(alphabet="ab 1.,'\u0301\u200d漢かกั-\n\u2019é")


@pytest.mark.parametrize(
    "text, tokens",
    [
        ("", 0),
        (" \n\t\u00a0", 0),
        ("Hello, world!", 4),
        ("don't", 1),
        ("don\u2019t", 1),
        ("rock'n'roll", 3),
        ("1,234.5", 1),
        ("3.", 2),
        ("192.168.1.1", 1),
        ("snake_case", 3),
        ("internationalisation", 2),
        ("a" * 33, 3),
        ("...", 3),
        ("東京タワー", 5),
        ("안녕", 2),
        ("หมา", 3),
        ("नमस्ते दुनिया", 2),
        ("cafe\u0301 café", 2),
        ("👍🏽", 2),
        ("e\u0301" * 3, 1),
    ],
)
def test_counts_by_its_four_rules(text, tokens):
    assert count_tokens(text) == tokens


@given(TEXTS, st.integers(1, 9))
def test_pieces_add_up(text, size):
    cut = list(pieces(text, size))
    counts = [count_tokens(piece) for piece in cut]
    assert "".join(cut) == text
    assert all(cut)
    assert sum(counts) == count_tokens(text)
    assert all(count == size for count in counts[:-1])
    assert all(count <= size for count in counts)


@given(TEXTS, st.integers(1, 30))
def test_a_limit_cuts_where_a_token_ends(text, limit):
    beginning = first_tokens(text, limit)
    assert text.startswith(beginning)
    assert count_tokens(beginning) == min(limit, count_tokens(text))
    assert count_tokens(beginning) + count_tokens(text[len(beginning) :]) == count_tokens(text)


@given(TEXTS)
def test_longer_limits_never_give_less(text):
    lengths = [len(first_tokens(text, limit)) for limit in range(1, 8)]
    assert all(one <= other for one, other in pairwise(lengths))


def test_a_message_costs_its_overhead_its_words_its_name_and_its_tool_calls():
    assert count_messages([Message.of(Role.USER, "Hello there")]) == MESSAGE_OVERHEAD + 2
    called = Message(Role.ASSISTANT, name="ada", tool_calls=(ToolCall("call_1", "search", '{"q": 1}'),))
    assert count_messages([called]) == MESSAGE_OVERHEAD + 1 + 1 + 7
