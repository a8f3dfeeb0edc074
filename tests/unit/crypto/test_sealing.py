import pytest

from omni_core.adapters.crypto import AesGcmSeal, HmacDigest, MasterKey
from omni_core.adapters.crypto.sealing import SealBroken

MASTER = MasterKey(bytes(range(32)))
OTHER = MasterKey(bytes(32))
SECRET = "sk-live-0123-ключ"
CONTEXT = "provider/openai"


def test_what_was_sealed_opens_in_its_context():
    assert AesGcmSeal(MASTER).open(AesGcmSeal(MASTER).seal(SECRET, CONTEXT), CONTEXT) == SECRET
    assert AesGcmSeal(MASTER).open(AesGcmSeal(MASTER).seal("", CONTEXT), CONTEXT) == ""


def test_a_seal_shows_neither_the_secret_nor_that_two_are_alike():
    first, second = (AesGcmSeal(MASTER).seal(SECRET, CONTEXT) for _ in range(2))
    assert first != second
    assert SECRET.encode() not in first


@pytest.mark.parametrize("context", ["", "provider/anthropic", CONTEXT + " "])
def test_another_context_does_not_open_it(context):
    with pytest.raises(SealBroken):
        AesGcmSeal(MASTER).open(AesGcmSeal(MASTER).seal(SECRET, CONTEXT), context)


def test_another_key_does_not_open_it():
    with pytest.raises(SealBroken) as broken:
        AesGcmSeal(OTHER).open(AesGcmSeal(MASTER).seal(SECRET, CONTEXT), CONTEXT)
    assert SECRET not in repr(broken.value)


def test_a_changed_bit_anywhere_breaks_it():
    sealed = AesGcmSeal(MASTER).seal("secret", CONTEXT)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealBroken):
            AesGcmSeal(MASTER).open(bytes(changed), CONTEXT)


def test_what_is_cut_short_is_broken_at_any_length():
    sealed = AesGcmSeal(MASTER).seal("secret", CONTEXT)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            AesGcmSeal(MASTER).open(sealed[:length], CONTEXT)


def test_a_digest_is_the_same_for_the_same_key_and_secret_only():
    digest = HmacDigest(MASTER).digest("secret")
    assert len(digest) == 32
    assert digest == HmacDigest(MASTER).digest("secret")
    assert digest not in {HmacDigest(OTHER).digest("secret"), HmacDigest(MASTER).digest("Secret")}
