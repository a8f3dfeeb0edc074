"""A streamed completion of several choices, or with the probabilities of its tokens."""

import msgspec

from omni_core.adapters.llm.http import Broken
from omni_core.adapters.llm.openai_answers import OpenAIReader, read_logprobs
from omni_core.domain.llm.model import ChatDelta, ChatRequest, TokenUsage


class _Place(msgspec.Struct):
    """Of a choice in a chunk: which one it is, and its probabilities."""

    index: int = 0
    logprobs: msgspec.Raw = msgspec.Raw(b"null")


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CHOICES = msgspec.json.Decoder(list[msgspec.Raw] | None)
_PLACE = msgspec.json.Decoder(_Place)
_NO_CHOICES = msgspec.Raw(b"[]")


class ChoicesReader:
    """Reads each choice as a stream of its own. Each hears what is said of the whole stream, such as its usage."""

    __slots__ = ("_done", "_readers", "_request")

    def __init__(self, request: ChatRequest) -> None:
        self._done = False
        self._request = request
        self._readers = {0: OpenAIReader(request)}

    def over(self) -> bool:
        return self._done

    def read(self, event: bytes) -> list[ChatDelta]:
        if event == b"[DONE]":
            self._done = True
            return []
        members = _MEMBERS.decode(event)
        choices = _CHOICES.decode(members.get("choices", _NO_CHOICES)) or []
        rest = {**members, "choices": _NO_CHOICES}
        places = [(_PLACE.decode(choice), choice) for choice in choices]
        deltas = [self._read(place, {**members, "choices": [choice]}) for place, choice in places]
        for index, reader in self._readers.items():
            if index not in {place.index for place, _ in places}:
                deltas.append(_placed(reader.read(msgspec.json.encode(rest)), _Place(index), is_wanted=False))
        return _counted_once([delta for delta in deltas if delta is not None])

    def end(self) -> TokenUsage:
        usages = [reader.end() for reader in self._readers.values()]
        if not any(usage.estimated for usage in usages):
            return usages[0]
        # Each has estimated the same question, and an answer of its own.
        return msgspec.structs.replace(usages[0], output_tokens=sum(usage.output_tokens for usage in usages))

    def _read(self, place: _Place, chunk: dict[str, object]) -> ChatDelta | None:
        if not 0 <= place.index < self._request.choices:
            raise Broken("answered with a choice that nobody asked for")
        reader = self._readers.setdefault(place.index, OpenAIReader(self._request))
        delta = reader.read(msgspec.json.encode(chunk))
        return _placed(delta, place, is_wanted=self._request.logprobs)


def _counted_once(deltas: list[ChatDelta]) -> list[ChatDelta]:
    """Leave an event's figures in its last piece alone: they count all of its choices."""
    figures = deltas[-1].usage_so_far if deltas else None
    if figures is None:
        return deltas
    bare = [msgspec.structs.replace(delta, usage_so_far=None) for delta in deltas]
    said = [delta for delta in bare if delta.reasoning or not delta.is_empty] or [ChatDelta()]
    return [*said[:-1], msgspec.structs.replace(said[-1], usage_so_far=figures)]


def _placed(delta: ChatDelta | None, place: _Place, *, is_wanted: bool) -> ChatDelta | None:
    logprobs = read_logprobs(place.logprobs) if is_wanted else None
    if delta is None:
        return None if logprobs is None else ChatDelta(index=place.index, logprobs=logprobs)
    return msgspec.structs.replace(delta, index=place.index, logprobs=logprobs)
