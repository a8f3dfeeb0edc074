import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from omni_core.domain.tenancy.errors import KeyRejected
from omni_core.domain.tenancy.keys import (
    PREFIX,
    PUBLIC_ID_BYTES,
    PUBLIC_ID_LENGTH,
    SECRET_BYTES,
    SECRET_LENGTH,
    KeyToken,
)

entropy = st.binary(min_size=PUBLIC_ID_BYTES + SECRET_BYTES, max_size=PUBLIC_ID_BYTES + SECRET_BYTES)
almost = st.builds(
    lambda public_id, secret: f"{PREFIX}{public_id}_{secret}",
    st.text(min_size=PUBLIC_ID_LENGTH, max_size=PUBLIC_ID_LENGTH),
    st.text(min_size=SECRET_LENGTH, max_size=SECRET_LENGTH),
)


@given(entropy)
def test_a_key_reads_as_it_was_written(raw):
    token = KeyToken.generate(raw)
    assert KeyToken.parse(token.reveal()) == token


@given(entropy, entropy)
def test_different_bits_make_different_keys(one, other):
    assert (one == other) == (KeyToken.generate(one).reveal() == KeyToken.generate(other).reveal())


@given(st.text() | almost)
@example("\ud800" * 59)
def test_reading_a_key_fails_in_one_way_only(text):
    with contextlib.suppress(KeyRejected):
        assert KeyToken.parse(text).reveal() == text


@given(entropy, st.integers(min_value=0, max_value=58))
def test_a_key_that_lost_a_character_is_rejected(raw, position):
    text = KeyToken.generate(raw).reveal()
    with pytest.raises(KeyRejected):
        KeyToken.parse(text[:position] + text[position + 1 :])
