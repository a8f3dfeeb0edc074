import pytest

from omni_core.domain.tenancy.errors import KeyRejected
from omni_core.domain.tenancy.keys import KeyToken, base62

# Fixed, because it is part of the names of tests, which every worker has to agree on.
TOKEN = KeyToken.generate(bytes(range(36)))
TEXT = TOKEN.reveal()


def test_a_token_reads_as_it_was_written():
    assert KeyToken.parse(TEXT) == TOKEN
    assert f"omni_sk_{TOKEN.public_id}_{TOKEN.secret}" == TEXT


def test_a_double_click_selects_all_of_it():
    assert TEXT.replace("_", "").isalnum()
    assert TEXT.isascii()


def test_every_bit_of_the_secret_counts():
    assert base62(b"\xff" * 24, 33) != base62(b"\xff" * 23 + b"\xfe", 33)
    assert base62(bytes(24), 33) == "0" * 33
    assert 62**33 > 2**192


@pytest.mark.parametrize(
    "text",
    [
        "",
        "omni_sk_",
        TEXT[:-1],
        TEXT + "0",
        TEXT[1:],
        TEXT.upper(),
        TEXT.replace("omni_sk_", "omni_pk_"),
        f" {TEXT[1:]}",
        f"{TEXT[:-1]}\n",
        f"{TEXT[:-1]}²",
        f"{TEXT[:-1]}é",
        TEXT.replace(f"_{TOKEN.secret}", f"-{TOKEN.secret}"),
        f"omni_sk_{TOKEN.public_id[:-1]}_{TOKEN.secret}0",
        f"omni_sk_{TOKEN.public_id}0_{TOKEN.secret[:-1]}",
        f"omni_sk_{TOKEN.public_id}_{TOKEN.secret[:-2]}_0",
    ],
)
def test_what_is_no_key_is_rejected_and_not_repeated(text):
    with pytest.raises(KeyRejected) as rejected:
        KeyToken.parse(text)
    assert not text or text not in f"{rejected.value!r} {rejected.value.fields}"


def test_a_token_does_not_show_its_secret():
    assert TOKEN.secret not in repr(TOKEN)
    assert TOKEN.secret not in f"{TOKEN}"
    assert TOKEN.public_id in repr(TOKEN)
