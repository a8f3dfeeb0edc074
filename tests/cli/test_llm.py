"""`omni models` and `omni chat`, on a database."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine

QUESTION = "The pool opens at nine. A ticket costs four pounds. How much does a ticket cost?"
KEY = "sk-do-not-show-me"


def test_the_built_in_model_is_there(omni: CommandLine) -> None:
    (model,) = [one for one in omni.json("models", "list")["items"] if one["name"] == "omni-brain"]
    assert model["provider"] == "omni"
    assert "omni-brain" in omni("models", "list").stdout


def test_a_providers_key_comes_by_standard_input_and_is_never_shown(omni: CommandLine) -> None:
    added = omni("models", "add-provider", "vendor", "--kind", "openai", "--api-key-stdin", stdin=f"{KEY}\n")
    listing = omni("models", "providers", "--json")
    assert KEY not in added.output + listing.output + omni("models", "providers").output
    (vendor,) = [one for one in json.loads(listing.stdout)["items"] if one["name"] == "vendor"]
    assert (
        vendor.items()
        >= {"name": "vendor", "kind": "openai", "has_key": True, "source": "database", "passes": []}.items()
    )


def test_a_providers_limits_are_set_shown_and_reset(omni: CommandLine) -> None:
    words = ["--kind", "openai", "--max-connections", "9", "--total-timeout", "60", "--read-timeout", "5"]
    added = omni.json("models", "add-provider", "limited", *words)
    assert (added["max_connections"], added["total_timeout_s"], added["first_byte_timeout_s"]) == (9, 60, 5)
    options = ["--first-byte-timeout", "30", "--connection-wait", "0", "--reset", "total_timeout_s"]
    changed = omni.json("models", "set-provider", "limited", *options, OMNI_LLM_TOTAL_TIMEOUT_S="77")
    expected = {**added, "first_byte_timeout_s": 30, "connection_wait_s": 0, "total_timeout_s": 77}
    assert changed == expected
    (listed,) = [one for one in omni.json("models", "providers")["items"] if one["name"] == "limited"]
    assert listed == {**expected, "total_timeout_s": 1800}
    assert "call ends after  1800 s" in omni("models", "set-provider", "limited", "--max-waiting", "5").stdout
    refused = omni.error("models", "set-provider", "limited", "--max-connections", "0", exits=65)
    assert refused["fields"] == {"field": "max_connections", "allowed": "a whole number from 1 to 100000"}
    assert omni.error("models", "set-provider", "limited", "--reset", "name", exits=65)["fields"]["field"] == "reset"
    assert omni.error("models", "set-provider", "none", exits=66)["code"] == "llm.unknown_provider"


def test_a_provider_is_said_to_take_fields_of_its_own(omni: CommandLine) -> None:
    words = ["models", "add-provider", "vllm", "--kind", "openai", "--base-url", "http://127.0.0.1:9/v1"]
    added = omni.json(*words, "--passes", "top_k", "--passes", "chat_template_kwargs")
    assert added["passes"] == ["top_k", "chat_template_kwargs"]
    assert "top_k, chat_template_kwargs" in omni("models", "providers").stdout
    assert omni.error(*words, "--passes", "model", exits=65)["fields"]["field"] == "passes"


def test_a_providers_key_comes_from_the_environment(omni: CommandLine) -> None:
    words = ["models", "add-provider", "other", "--kind", "anthropic", "--api-key-env", "VENDOR_KEY"]
    assert omni.error(*words, exits=65)["code"] == "cli.invalid_option"
    assert omni.json(*words, VENDOR_KEY=KEY)["has_key"] is True


def test_a_key_comes_from_one_place(omni: CommandLine) -> None:
    words = ["models", "add-provider", "third", "--kind", "openai"]
    omni.error(*words, "--api-key-stdin", "--api-key-env", "VENDOR_KEY", exits=65, VENDOR_KEY=KEY)
    omni.error(*words, "--api-key-stdin", exits=65, stdin="\n")
    omni.error(*words, "--api-key", KEY, exits=64)


def test_a_model_is_added_priced_and_removed(omni: CommandLine) -> None:
    omni("models", "add-provider", "local", "--kind", "openai", "--base-url", "http://127.0.0.1:9/v1")
    prices = ["--price", "input=0.15", "--price", "output=0.60", "--tier", "200000:input=0.30,output=1.20"]
    added = omni.json("models", "add", "small", "--provider", "local", "--upstream-model", "llama3.2:3b", *prices)
    assert (added["upstream_model"], added["max_output_tokens"]) == ("llama3.2:3b", 4096)
    (price,) = omni.json("prices", "list", "--model", "small")["items"]
    assert [tier["above_input_tokens"] for tier in price["tiers"]] == [0, 200000]
    assert price["tiers"][1]["prices"]["output"] == "1.2"
    assert omni.error("models", "remove-provider", "local", exits=73)["code"] == "llm.provider_in_use"
    assert omni.json("models", "remove", "small") == {"removed": "small"}
    assert omni("models", "remove-provider", "local").stdout == "removed local\n"
    assert omni.error("models", "remove", "small", exits=66)["code"] == "llm.unknown_model"


def test_an_unknown_kind_of_provider_names_the_known_ones(omni: CommandLine) -> None:
    error = omni.error("models", "add-provider", "x", "--kind", "telepathy", exits=65)
    assert {"openai", "anthropic"} <= set(error["fields"]["allowed"])


@pytest.mark.parametrize("way", [[], ["--no-stream"]])
def test_a_question_is_answered(omni: CommandLine, way: list[str]) -> None:
    assert omni("chat", "--tenant", "acme", *way, QUESTION).stdout.startswith("A ticket costs four pounds.\n")


def test_programs_get_the_answer_with_its_usage(omni: CommandLine) -> None:
    answer = omni.json("chat", "--tenant", "acme", QUESTION)
    assert answer["text"].startswith("A ticket costs four pounds.")
    assert (answer["model"], answer["finish_reason"]) == ("omni-brain", "stop")
    assert answer["usage"]["output_tokens"] > 0


def test_the_text_comes_from_files_and_the_question_from_standard_input(omni: CommandLine, tmp_path: Path) -> None:
    page = tmp_path / "pool.txt"
    page.write_text("The pool opens at nine. A ticket costs four pounds.", encoding="utf-8")
    words = ["chat", "--tenant", "acme", "--system", "Be brief.", "--file", str(page), "-"]
    assert "opens at nine" in omni(*words, stdin="When does the pool open?").stdout


def test_what_is_no_text_is_refused(omni: CommandLine, tmp_path: Path) -> None:
    page = tmp_path / "pool.bin"
    page.write_bytes(b"\xff\xfe\x00")
    omni.error("chat", "--tenant", "acme", "--file", str(page), "Why?", exits=65)
    omni.error("chat", "--tenant", "acme", "--file", str(tmp_path / "none.txt"), "Why?", exits=64)


def test_a_provider_that_is_down_is_69(omni: CommandLine) -> None:
    omni("models", "add-provider", "down", "--kind", "openai", "--base-url", "http://127.0.0.1:9/v1")
    omni("models", "add", "gone", "--provider", "down", "--price", "input=1,output=1")
    assert omni.error("chat", "--tenant", "acme", "-m", "gone", "Hello?", exits=69)["code"].startswith("llm.provider")
    assert omni.error("chat", "--tenant", "acme", "-m", "nothing", "Hello?", exits=66)["code"] == "llm.unknown_model"


def test_answers_cannot_command_the_terminal(omni: CommandLine) -> None:
    answer = omni("chat", "--tenant", "acme", "A ticket costs \x1b[31mfour pounds. How much does a ticket cost?").stdout
    assert "\x1b" not in answer
    assert "\\x1b[31mfour" in answer


def test_under_an_idempotency_key_a_question_is_answered_once(omni: CommandLine) -> None:
    words = ["chat", "--tenant", "acme", "--idempotency-key", "k-1"]
    first, second = omni.json(*words, QUESTION), omni.json(*words, QUESTION)
    assert second == {**first, "is_replay": True}
    assert omni.error(*words, "Something else?", exits=73)["code"] == "llm.idempotency_key_reused"
    assert omni.error(*words[:-1], "no key", QUESTION, exits=65)["code"] == "llm.invalid_idempotency_key"
    streamed = [omni(*words[:-1], "k-2", QUESTION).stdout for _ in range(2)]
    assert streamed[0] == streamed[1] != ""
