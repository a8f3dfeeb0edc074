from dataclasses import dataclass

import msgspec
import pytest

from omni_core.adapters.telemetry.redaction import MASK, redact, redact_text
from omni_core.testing.builders.tenancy import a_key_token


def entry(**fields: object) -> dict[str, object]:
    return redact(None, "info", fields)


@pytest.mark.parametrize(
    "secret",
    [
        "ada@example.com",
        "ada.lovelace+billing@mail.example.co.uk",
        "jürgen@bücher.example",
        "sk-proj-abcDEF0123456789abcDEF",
        "sk-ant-api03-abcdefghijklmnop",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
        "Bearer abcdefgh12345678",
        "bearer abc.def-ghi_jkl~mno+pqr/stu=",
        "Basic dXNlcjpwYXNz",
        "Authorization: Token 12",
        "authorization=Digest abc",
    ],
)
def test_what_looks_like_a_secret_or_a_person_is_masked_within_a_text(secret):
    assert redact_text(f"before {secret} after") == f"before {MASK} after"


def test_an_api_key_of_omni_is_masked():
    key = a_key_token().reveal()
    assert redact_text(f"refused {key}, twice") == f"refused {MASK}, twice"
    assert entry(event="refused", presented=key)["presented"] == MASK


@pytest.mark.parametrize(
    "url, shown",
    [
        ("postgresql://omni:hunter2@db:5432/omni", f"postgresql://{MASK}@db:5432/omni"),
        ("postgresql://omni:p!ss$w0rd@db.example.com/omni", f"postgresql://{MASK}@db.example.com/omni"),
        ("postgresql://omni:with@sign@db.example.com/omni", f"postgresql://{MASK}@db.example.com/omni"),
        ("redis://:hunter2@cache/0", f"redis://{MASK}@cache/0"),
        ("https://api.example.com/v1?api_key=abc123&page=2", f"https://api.example.com/v1?api_key={MASK}&page=2"),
        ("postgresql://omni_app@/omni?host=/run", "postgresql://omni_app@/omni?host=/run"),
        ("http://127.0.0.1:8000/v1/models", "http://127.0.0.1:8000/v1/models"),
    ],
)
def test_passwords_in_urls_are_masked_and_the_rest_stays(url, shown):
    assert redact_text(f"at {url}, again") == f"at {shown}, again"


CARDS = [
    "4111111111111111",
    "5555555555554444",
    "378282246310005",
    "6011111111111117",
    "2223003122003222",
    "4222222222222",
]


@pytest.mark.parametrize("number", CARDS)
def test_card_numbers_are_masked(number):
    assert redact_text(f"paid with {number}.") == f"paid with {MASK}."


@pytest.mark.parametrize("separator", [" ", "-", "\u00a0"])
@pytest.mark.parametrize(
    "around", ["{}", "card {}.", "2026-11-21 {}", "12 {} 7", "({})", "{}, then", "a{}b", "no. 3: {}"]
)
def test_card_numbers_are_masked_in_groups_and_beside_other_numbers(separator, around):
    number = separator.join(["4111", "1111", "1111", "1111"])
    assert redact_text(around.format(number)) == around.format(MASK)


def test_several_card_numbers_are_masked():
    assert redact_text(" ".join(CARDS)) == " ".join([MASK] * len(CARDS))


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # fails Luhn's check
        "4111 1111 1111 1112",
        "411111111111",  # too short
        "41111111111111111111111111",  # too long
        "0.4111111111111111",
        "1763712000000",  # milliseconds since 1970; this one passes Luhn's check
        "2026-11-21 2026-11-22",
        "019ae1c2-4111-7111-8111-111111111111",
        "request 4111",
    ],
)
def test_other_numbers_stay(text):
    assert redact_text(text) == text


def test_numbers_that_are_not_text_stay_unless_their_field_is_a_secret():
    shown = entry(event="paid", cost_picos=4111111111111111, pin=1234, password=1234, input_tokens=42, max_tokens=7)
    assert shown == {
        "event": "paid",
        "cost_picos": 4111111111111111,
        "pin": 1234,
        "password": MASK,
        "input_tokens": 42,
        "max_tokens": 7,
    }


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "db_password",
        "passwd",
        "secret",
        "secret_key",
        "client_secret",
        "clientSecret",
        "token",
        "accessToken",
        "refresh_tokens",
        "api_key",
        "apiKey",
        "apikey",
        "x-api-key",
        "private_key",
        "Authorization",
        "set-cookie",
        "credentials",
        "database_url",
        "dsn",
        "card_number",
        "cvc",
        "email",
        "owner_email",
        "phone",
    ],
)
def test_a_field_named_as_a_secret_is_masked_at_any_depth(name):
    assert entry(event="e", **{name: "plain"})[name] == MASK
    assert entry(event="e", body={"list": [{name: {"deeper": "plain"}}]})["body"] == {"list": [{name: MASK}]}
    assert redact_text(f"failed with {name}='two words', sent") == f"failed with {name}='{MASK}', sent"
    assert redact_text(f'failed with {{"{name}": "plain"}}') == f'failed with {{"{name}": "{MASK}"}}'


def test_the_name_of_an_error_is_no_name_of_a_secret() -> None:
    said = "InvalidPasswordError: password authentication failed for user"
    assert redact_text(said) == said


@pytest.mark.parametrize(
    "name",
    ["event", "key_id", "token_id", "model", "output_tokens", "secretary", "tokenizer", "discard", "cookies_count"],
)
def test_a_field_that_is_no_secret_stays(name):
    value = 12 if name == "output_tokens" else "plain"
    assert entry(**{name: value}) == {name: value}


def test_an_absent_secret_is_seen_to_be_absent():
    assert entry(event="e", api_key=None, has_secret=True) == {"event": "e", "api_key": None, "has_secret": True}


def test_headers_are_masked_by_the_name_beside_the_value():
    headers = [(b"x-api-key", b"plain"), (b"accept", b"text/plain")]
    assert entry(event="e", headers=headers)["headers"] == [["x-api-key", MASK], ["accept", "text/plain"]]


class Login(msgspec.Struct):
    user: str
    password: str


@dataclass
class Session:
    login: Login
    token: str


class Told:
    def __str__(self) -> str:
        return "Told(user=ada, password=hunter2)"


def test_objects_are_masked_field_by_field_and_texts_of_objects_by_name():
    shown = entry(event="e", session=Session(Login("ada", "hunter2"), "abc"), told=Told())
    assert shown["session"] == {"login": {"user": "ada", "password": MASK}, "token": MASK}
    assert shown["told"] == f"Told(user=ada, password={MASK})"


def test_bytes_and_sets_are_masked():
    assert entry(event="e", raw=b"to ada@example.com")["raw"] == f"to {MASK}"
    assert entry(event="e", who={"ada@example.com"})["who"] == [MASK]


def test_what_refers_to_itself_ends():
    loop: dict[str, object] = {"name": "loop", "password": "hunter2"}
    loop["self"] = loop
    assert "hunter2" not in str(entry(event="e", loop=loop))


def test_masking_twice_changes_nothing():
    text = "password=hunter2 for ada@example.com at postgresql://u:p@h/d with 4111 1111 1111 1111"
    once = redact_text(text)
    assert redact_text(once) == once == f"password={MASK} for {MASK} at postgresql://{MASK}@h/d with {MASK}"


@pytest.mark.parametrize(
    "text",
    ["a" * 100_000, "1 " * 50_000, "://" * 30_000, "password" * 10_000, "a-" * 50_000, "eyJ-" * 20_000, "a@" * 50_000],
)
def test_a_long_text_is_masked_in_a_moment(text):
    assert redact_text(text) == text
