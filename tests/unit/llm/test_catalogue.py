"""Which models there are, where each is called, and who may say so."""

import pytest

from omni_core import OPERATOR, AddModel, AddProvider, ChatRequest, Message, Omni, ProviderConfig, Role, Settings
from omni_core.bootstrap.settings.llm import LlmSettings
from omni_core.domain.kernel.errors import InvalidValue, MissingScope
from omni_core.domain.kernel.tenancy import TENANT_SCOPES, Principal
from omni_core.domain.llm.api import Capabilities, Image, ResponseFormat, Tool
from omni_core.domain.llm.errors import (
    ModelExists,
    ProviderExists,
    ProviderInUse,
    UnknownModel,
    UnknownProvider,
    UnknownProviderKind,
    UnsupportedFeature,
)
from omni_core.domain.pricing.errors import InvalidPrice
from omni_core.testing.scripted_model import ScriptedChatModel
from tests.unit.llm.conftest import PRICES, Desk, desk_with

QUESTION = ChatRequest("scripted", (Message.of(Role.USER, "What is six times seven?"),))


async def test_a_model_is_added_with_its_price_or_not_at_all(desk: Desk):
    catalogue = desk.omni.catalogue
    with pytest.raises(InvalidPrice):
        await catalogue.add_model(OPERATOR, AddModel("free", "somewhere", {"input": "1"}))
    assert "free" not in [model.name for model in await catalogue.models(desk.principal)]
    with pytest.raises(ModelExists):
        await catalogue.add_model(OPERATOR, AddModel("scripted", "somewhere", PRICES))
    assert [price.model for price in await desk.omni.pricing.list(desk.principal)] == ["omni-brain", "scripted"]


async def test_a_model_wants_a_known_provider_and_possible_limits(desk: Desk):
    with pytest.raises(UnknownProvider) as unknown:
        await desk.omni.catalogue.add_model(OPERATOR, AddModel("m", "nowhere", PRICES))
    assert unknown.value.fields["allowed"] == ["omni", "somewhere"]
    with pytest.raises(InvalidValue, match="max_output_tokens"):
        await desk.omni.catalogue.add_model(
            OPERATOR, AddModel("m", "somewhere", PRICES, context_length=10, max_output_tokens=11)
        )


async def test_a_provider_wants_a_kind_that_somebody_speaks_and_a_name_of_its_own(desk: Desk):
    with pytest.raises(UnknownProviderKind) as unknown:
        await desk.omni.catalogue.add_provider(OPERATOR, AddProvider("x", "telepathy"))
    assert "scripted" in unknown.value.fields["allowed"]
    with pytest.raises(ProviderExists):
        await desk.omni.catalogue.add_provider(OPERATOR, AddProvider("somewhere", "scripted"))


@pytest.mark.parametrize("names", [("model",), ("max_tokens",), ("a b",), ("x",) * 65])
async def test_a_provider_takes_no_field_that_is_omnis_own(desk: Desk, names: tuple[str, ...]):
    with pytest.raises(InvalidValue) as caught:
        await desk.omni.catalogue.add_provider(OPERATOR, AddProvider("x", "scripted", passes=names))
    assert caught.value.fields["field"] == "passes"
    assert [view.name for view in await desk.omni.catalogue.providers(OPERATOR)] == ["omni", "somewhere"]


@pytest.mark.parametrize(
    "url",
    [
        "https://ann:hush@host/v1",
        "https://hush@host",
        "host/v1",
        "",
        "http://[::1",
        "http://a\n",
        "ftp://host/v1",
        "file:///etc/passwd",
        "http://host:0/v1",
        "http://host:65536/v1",
        "http://host:eight/v1",
        "http://host:٨٠/v1",
        "https://host/v1?key=hush",
        "https://host/v1?",
        "https://host/v1#hush",
        "https://host/v1#",
        "https://a host/v1",
        "https://:443/v1",
    ],
)
async def test_what_is_no_plain_url_of_a_provider_is_not_stored(desk: Desk, url: str):
    with pytest.raises(InvalidValue) as caught:
        await desk.omni.catalogue.add_provider(OPERATOR, AddProvider("x", "scripted", url))
    assert caught.value.fields["field"] == "base_url"
    assert "hush" not in str(caught.value)
    assert "x" not in [provider.name for provider in await desk.omni.catalogue.providers(OPERATOR)]


async def test_a_key_is_never_shown_again(desk: Desk):
    view = await desk.omni.catalogue.add_provider(OPERATOR, AddProvider("x", "scripted", api_key="sk-very-secret"))
    shown = f"{view} {await desk.omni.catalogue.providers(OPERATOR)} {AddProvider('x', 'y', api_key='sk-very-secret')}"
    assert view.has_key
    assert "sk-very-secret" not in shown


async def test_a_provider_stays_while_a_model_is_called_there(desk: Desk):
    with pytest.raises(ProviderInUse):
        await desk.omni.catalogue.remove_provider(OPERATOR, "somewhere")
    await desk.omni.catalogue.remove_model(OPERATOR, "scripted")
    await desk.omni.catalogue.remove_provider(OPERATOR, "somewhere")
    with pytest.raises(UnknownModel):
        await desk.omni.catalogue.model(desk.principal, "scripted")


async def test_the_catalogue_is_the_operators_to_change(desk: Desk):
    with pytest.raises(MissingScope):
        await desk.omni.catalogue.add_provider(_without_admin(desk), AddProvider("x", "scripted"))
    with pytest.raises(MissingScope):
        await desk.omni.catalogue.add_model(_without_admin(desk), AddModel("m", "somewhere", PRICES))


async def test_the_client_gets_the_key_and_is_made_once_and_closed_at_the_end():
    model, made = ScriptedChatModel(), []

    def factory(config: ProviderConfig) -> ScriptedChatModel:
        made.append(config)
        return model

    async with Omni.open(memory=True, chat_models={"scripted": factory}) as omni:
        await omni.catalogue.add_provider(OPERATOR, AddProvider("p", "scripted", "http://x", api_key="sk-1"))
        await omni.catalogue.add_model(OPERATOR, AddModel("scripted", "p", PRICES))
        for _ in range(2):
            await omni.chat.complete(OPERATOR, QUESTION)
        assert [(config.base_url, config.api_key) for config in made] == [("http://x", "sk-1")]
        assert not model.is_closed
    assert model.is_closed


async def test_settings_bring_providers_that_cannot_be_changed():
    settings = Settings(llm=LlmSettings(providers=(ProviderConfig("set", "scripted", api_key="sk-2"),)))
    async with Omni.open(settings, memory=True, chat_models={"scripted": ScriptedChatModel().factory}) as omni:
        views = {view.name: view for view in await omni.catalogue.providers(OPERATOR)}
        assert (views["set"].source, views["set"].has_key) == ("settings", True)
        with pytest.raises(ProviderExists):
            await omni.catalogue.add_provider(OPERATOR, AddProvider("set", "scripted"))
        await omni.catalogue.add_model(OPERATOR, AddModel("scripted", "set", PRICES))
        assert (await omni.chat.complete(OPERATOR, QUESTION)).response.message.text == "Forty-two."


@pytest.mark.parametrize(
    "request_, field",
    [
        (ChatRequest("scripted", QUESTION.messages, tools=(Tool("f"),)), "tools"),
        (ChatRequest("scripted", (Message(Role.USER, (Image("https://example.com/x.png"),)),)), "messages"),
        (ChatRequest("scripted", QUESTION.messages, response_format=ResponseFormat("json_schema")), "response_format"),
    ],
)
async def test_what_the_model_cannot_carry_is_refused_before_it_is_called(request_: ChatRequest, field: str):
    model = ScriptedChatModel(capabilities=Capabilities())
    async with desk_with(model) as desk:
        with pytest.raises(UnsupportedFeature) as refused:
            await desk.omni.chat.complete(desk.principal, request_)
        assert refused.value.fields["field"] == field
        assert model.requests == []


def _without_admin(desk: Desk) -> Principal:
    return Principal(desk.principal.tenant_id, "key:x", TENANT_SCOPES)
