"""What every CatalogueStore does, and every ChatModel, whoever answers."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import msgspec
import pytest

from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.llm.errors import ModelExists, ProviderExists, UnknownModel, UnknownProvider
from omni_core.domain.llm.limits import OwnLimits
from omni_core.domain.llm.model import ChatDelta, ChatRequest, FinishReason, Message, Role, TokenUsage
from omni_core.domain.llm.ports import Capabilities, CatalogueStore, OpenChatModel
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.llm import a_model, a_provider

_TEXT = (
    "The lighthouse of Cordouan stands at the mouth of the Gironde. It was finished in 1611. "
    "Its keepers still live there. Who lives in the lighthouse?"
)


class CatalogueStoreContract:
    """Fixtures: `catalogue_store`, and a `uow` of the same technology."""

    @pytest.fixture
    def owner(self) -> TenantId:
        """The catalogue is the platform's; a suite that shares a database keeps it under a tenant of its own."""
        return a_tenant_id()

    async def test_what_was_added_comes_back_by_name(
        self, uow: UnitOfWork, catalogue_store: CatalogueStore, owner: TenantId
    ) -> None:
        async with uow(owner) as tx:
            for name in ("b", "B", "a"):
                await catalogue_store.add_provider(tx, a_provider(name))
                await catalogue_store.add_model(tx, a_model(name))
        async with uow(owner) as tx:
            assert list(await catalogue_store.providers(tx)) == [a_provider(name) for name in ("B", "a", "b")]
            assert list(await catalogue_store.models(tx)) == [a_model(name) for name in ("B", "a", "b")]

    async def test_a_name_is_taken_once(
        self, uow: UnitOfWork, catalogue_store: CatalogueStore, owner: TenantId
    ) -> None:
        async with uow(owner) as tx:
            await catalogue_store.add_provider(tx, a_provider())
            await catalogue_store.add_model(tx, a_model())
            with pytest.raises(ProviderExists):
                await catalogue_store.add_provider(tx, a_provider())
            with pytest.raises(ModelExists):
                await catalogue_store.add_model(tx, a_model())

    async def test_what_was_removed_is_gone_and_cannot_be_removed_again(
        self, uow: UnitOfWork, catalogue_store: CatalogueStore, owner: TenantId
    ) -> None:
        async with uow(owner) as tx:
            await catalogue_store.add_provider(tx, a_provider())
            await catalogue_store.add_model(tx, a_model())
        async with uow(owner) as tx:
            await catalogue_store.remove_provider(tx, "openai")
            await catalogue_store.remove_model(tx, "gpt")
        async with uow(owner) as tx:
            assert list(await catalogue_store.providers(tx)) == []
            assert list(await catalogue_store.models(tx)) == []
            with pytest.raises(UnknownProvider):
                await catalogue_store.remove_provider(tx, "openai")
            with pytest.raises(UnknownModel):
                await catalogue_store.remove_model(tx, "gpt")

    async def test_limits_are_changed_and_nothing_else(
        self, uow: UnitOfWork, catalogue_store: CatalogueStore, owner: TenantId
    ) -> None:
        limits = OwnLimits(read_timeout_s=7.5, max_connections=3)
        async with uow(owner) as tx:
            await catalogue_store.add_provider(tx, a_provider("a"))
            await catalogue_store.add_provider(tx, a_provider("b"))
        async with uow(owner) as tx:
            before = await catalogue_store.lock_provider(tx, "a")
            assert before == a_provider("a")
            await catalogue_store.save_limits(tx, replace(before, limits=limits))
            with pytest.raises(UnknownProvider):
                await catalogue_store.lock_provider(tx, "c")
        async with uow(owner) as tx:
            assert list(await catalogue_store.providers(tx)) == [a_provider("a", limits=limits), a_provider("b")]

    async def test_nobody_else_sees_or_removes_it(
        self, uow: UnitOfWork, catalogue_store: CatalogueStore, owner: TenantId
    ) -> None:
        async with uow(owner) as tx:
            await catalogue_store.add_provider(tx, a_provider())
        async with uow(a_tenant_id()) as tx:
            assert list(await catalogue_store.providers(tx)) == []
            with pytest.raises(UnknownProvider):
                await catalogue_store.remove_provider(tx, "openai")
            with pytest.raises(UnknownProvider):
                await catalogue_store.lock_provider(tx, "openai")

    async def test_what_another_release_added_is_listed_and_removed(
        self, uow: UnitOfWork, catalogue_store: CatalogueStore, owner: TenantId
    ) -> None:
        provider = rebuilds(a_provider)(
            "no name!", kind="telepathy", base_url="nowhere", limits=OwnLimits(read_timeout_s=0.0)
        )
        model = rebuilds(a_model)("no name!", "no name!", context_length=0, max_output_tokens=-1)
        async with uow(owner) as tx:
            for one in (provider, a_provider()):
                await catalogue_store.add_provider(tx, one)
            for other in (model, a_model()):
                await catalogue_store.add_model(tx, other)
        async with uow(owner) as tx:
            assert list(await catalogue_store.providers(tx)) == [provider, a_provider()]
            assert list(await catalogue_store.models(tx)) == [a_model(), model]
            await catalogue_store.remove_model(tx, model.name)
            await catalogue_store.remove_provider(tx, provider.name)
        async with uow(owner) as tx:
            assert list(await catalogue_store.providers(tx)) == [a_provider()]
            assert list(await catalogue_store.models(tx)) == [a_model()]


class ChatModelContract:
    """Subclass it in a test module as `Test…`, with two fixtures, and pytest runs it with `asyncio_mode = "auto"`.

    `chat_model` is an `OpenChatModel`; `model_name` is a name that it answers to, with words, and alike each time.
    """

    async def test_says_what_it_can_carry(self, chat_model: OpenChatModel) -> None:
        assert isinstance(chat_model.capabilities, Capabilities)

    async def test_answers_as_the_assistant_with_a_count(self, chat_model: OpenChatModel, model_name: str) -> None:
        response = await chat_model.complete(asked(model_name))
        assert response.message.role is Role.ASSISTANT
        assert response.message.text
        assert response.model
        assert response.finish_reason is FinishReason.STOP
        check_usage(response.usage)

    async def test_streams_what_it_would_have_answered(self, chat_model: OpenChatModel, model_name: str) -> None:
        response = await chat_model.complete(asked(model_name))
        deltas = [delta async for delta in chat_model.stream(asked(model_name))]
        assert "".join(delta.text for delta in deltas) == response.message.text
        assert deltas[-1].usage == response.usage

    async def test_ends_a_stream_once(self, chat_model: OpenChatModel, model_name: str) -> None:
        deltas = [delta async for delta in chat_model.stream(asked(model_name))]
        finished = [number for number, delta in enumerate(deltas) if delta.finish_reason is not None]
        assert len(finished) == 1
        assert not any(delta.text or delta.tool_calls for delta in deltas[finished[0] + 1 :])
        assert [delta.usage is not None for delta in deltas] == [False] * (len(deltas) - 1) + [True]
        check_usage(deltas[-1].usage or TokenUsage())

    async def test_tells_no_more_on_the_way_than_in_the_end(self, chat_model: OpenChatModel, model_name: str) -> None:
        deltas = [delta async for delta in chat_model.stream(asked(model_name))]
        usage = deltas[-1].usage or TokenUsage()
        for so_far in (delta.usage_so_far for delta in deltas if delta.usage_so_far is not None):
            assert 0 <= so_far.input_tokens <= usage.input_tokens
            assert 0 <= so_far.output_tokens <= usage.output_tokens

    async def test_passes_on_no_empty_piece(self, chat_model: OpenChatModel, model_name: str) -> None:
        assert ChatDelta() not in [delta async for delta in chat_model.stream(asked(model_name))]

    async def test_keeps_to_the_output_limit(self, chat_model: OpenChatModel, model_name: str) -> None:
        limited = msgspec.structs.replace(asked(model_name), max_output_tokens=2)
        response = await chat_model.complete(limited)
        assert response.usage.output_tokens <= 2
        assert response.finish_reason is FinishReason.LENGTH

    async def test_serves_on_after_a_stream_was_left(self, chat_model: OpenChatModel, model_name: str) -> None:
        async with aclosing(chat_model.stream(asked(model_name))) as stream:
            while not (await anext(stream)).text:
                pass  # figures or thoughts that come first
        assert (await chat_model.complete(asked(model_name))).message.text

    async def test_serves_on_after_a_call_was_cancelled(self, chat_model: OpenChatModel, model_name: str) -> None:
        call = asyncio.create_task(chat_model.complete(asked(model_name)))
        await asyncio.sleep(0)
        call.cancel()
        (outcome,) = await asyncio.gather(call, return_exceptions=True)
        assert isinstance(outcome, asyncio.CancelledError)
        assert (await chat_model.complete(asked(model_name))).message.text

    async def test_keeps_calls_at_the_same_time_apart(self, chat_model: OpenChatModel, model_name: str) -> None:
        alone = await chat_model.complete(asked(model_name))

        async def streamed() -> str:
            return "".join([delta.text async for delta in chat_model.stream(asked(model_name))])

        answers = await asyncio.gather(*(streamed() for _ in range(16)))
        assert answers == [alone.message.text] * 16

    async def test_closes_twice(self, chat_model: OpenChatModel, model_name: str) -> None:
        await chat_model.complete(asked(model_name))
        await chat_model.aclose()
        await chat_model.aclose()


def asked(model_name: str) -> ChatRequest:
    """Return a request that any model can answer."""
    return ChatRequest(model=model_name, messages=(Message.of(Role.USER, _TEXT),))


def check_usage(usage: TokenUsage) -> None:
    """Check that parts are counted within their whole."""
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0
    parts = usage.cached_input_tokens + usage.cache_write_tokens + usage.audio_input_tokens
    assert 0 <= parts <= usage.input_tokens
    assert 0 <= usage.reasoning_tokens + usage.audio_output_tokens <= usage.output_tokens
