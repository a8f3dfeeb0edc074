"""Chat, models and providers."""

from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Controller, Response, delete, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath

from omni_core import AddModel, AddProvider
from omni_core.domain.llm.api import ChangeLimits, ProviderView
from omni_http.bodies import body_of
from omni_http.requests import idempotency_key_of
from omni_http.responses import EncodedJson, EventStream
from omni_http.services import KeyedRequest, omni_of, request_id_of
from omni_http.wire.llm import ChatCompletionRequest
from omni_http.wire.llm_answers import ChatCompletion, ModelList, WireModel, completion, completion_chunks

_QUESTION = {
    "model": "omni-brain",
    "messages": [
        {"role": "system", "content": "Omni meters every call. Invoices are closed each month."},
        {"role": "user", "content": "When are invoices closed?"},
    ],
}
_ASK = Example(summary="A question about a text", value=_QUESTION)
_STREAM = Example(
    summary="The same, streamed, with its usage",
    value={**_QUESTION, "stream": True, "stream_options": {"include_usage": True}},
)
_MODEL = Example(
    value={
        "name": "gpt-4o-mini",
        "provider": "openai",
        "prices": {"input": "0.15", "cached_input": "0.075", "output": "0.60"},
    }
)
_PROVIDER = Example(value={"name": "local", "kind": "ollama", "base_url": "http://127.0.0.1:11434/v1"})
_LIMITS = Example(value={"max_connections": 64, "total_timeout_s": 600, "reset": ["read_timeout_s"]})


class LlmController(Controller):
    """The OpenAI protocol, and the catalogue behind it."""

    path = "/v1"
    tags: Sequence[str] | None = ["llm"]

    @post(
        "/chat/completions",
        dto=body_of(ChatCompletionRequest),
        return_dto=None,
        status_code=200,
        responses={200: ResponseSpec(ChatCompletion, generate_examples=False, description="The answer, or its events")},
    )
    async def create_chat_completion(
        self, request: KeyedRequest, data: Annotated[ChatCompletionRequest, Body(examples=[_ASK, _STREAM])]
    ) -> Response[Any]:
        """Answer a conversation, as one JSON object or as server-sent events (scope `chat`).

        Under an `Idempotency-Key` it is made and paid for once: whoever asks the same again gets the same answer.
        """
        chat, request_id, key = omni_of(request).chat, request_id_of(request.scope), idempotency_key_of(request.scope)
        if not data.stream:
            answer = await chat.complete(request.user, data.to_request(), request_id, idempotency_key=key)
            return EncodedJson(completion(answer), is_replay=answer.is_replay)
        stream = await chat.stream(request.user, data.to_request(), request_id, idempotency_key=key)
        wants_usage = data.stream_options is not None and data.stream_options.include_usage
        chunks = completion_chunks(stream, include_usage=wants_usage, request_id=request_id)
        return EventStream(chunks, stream, is_replay=stream.is_replay)

    @get("/models")
    async def list_models(self, request: KeyedRequest) -> ModelList:
        """List the models that can be asked for (scope `models:read`)."""
        models = await omni_of(request).catalogue.models(request.user)
        return ModelList([WireModel.of(model) for model in models])

    @get("/models/{name:path}")
    async def get_model(self, request: KeyedRequest, name: FromPath[str]) -> WireModel:
        """Show one model (scope `models:read`)."""
        return WireModel.of(await omni_of(request).catalogue.model(request.user, name.removeprefix("/")))

    @post("/models", dto=body_of(AddModel), return_dto=None)
    async def add_model(self, request: KeyedRequest, data: Annotated[AddModel, Body(examples=[_MODEL])]) -> WireModel:
        """Make a model callable, at a price (scope `platform:admin`)."""
        return WireModel.of(await omni_of(request).catalogue.add_model(request.user, data))

    @delete("/models/{name:path}")
    async def remove_model(self, request: KeyedRequest, name: FromPath[str]) -> None:
        """Make a model uncallable; its usage and prices stay (scope `platform:admin`)."""
        await omni_of(request).catalogue.remove_model(request.user, name.removeprefix("/"))

    @get("/providers")
    async def list_providers(self, request: KeyedRequest) -> list[ProviderView]:
        """List the providers; keys are never shown (scope `platform:admin`)."""
        return list(await omni_of(request).catalogue.providers(request.user))

    @post("/providers", dto=body_of(AddProvider), return_dto=None)
    async def add_provider(
        self, request: KeyedRequest, data: Annotated[AddProvider, Body(examples=[_PROVIDER])]
    ) -> ProviderView:
        """Make a provider known; its key is sealed at rest (scope `platform:admin`)."""
        return await omni_of(request).catalogue.add_provider(request.user, data)

    @patch("/providers/{name:str}", dto=body_of(ChangeLimits), return_dto=None)
    async def change_provider_limits(
        self, request: KeyedRequest, name: FromPath[str], data: Annotated[ChangeLimits, Body(examples=[_LIMITS])]
    ) -> ProviderView:
        """Give a provider other limits, for calls that begin within a second from now (scope `platform:admin`)."""
        return await omni_of(request).catalogue.change_limits(request.user, name, data)

    @delete("/providers/{name:str}")
    async def remove_provider(self, request: KeyedRequest, name: FromPath[str]) -> None:
        """Forget a provider and its key (scope `platform:admin`)."""
        await omni_of(request).catalogue.remove_provider(request.user, name)
