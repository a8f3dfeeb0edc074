"""Errors as OpenAI's clients know them: the object under `error` that holds their text, and a word to react by."""

import msgspec

from omni_core.domain.kernel.errors import Kind, OmniError
from omni_core.domain.llm.errors import ProviderBusy, ProviderQuotaExhausted, ProviderRateLimited

TYPE_OF = {
    Kind.INVALID: "invalid_request_error",
    Kind.UNAUTHENTICATED: "authentication_error",
    Kind.FORBIDDEN: "permission_error",
    Kind.NOT_FOUND: "not_found_error",
    Kind.CONFLICT: "invalid_request_error",
    Kind.PRECONDITION: "invalid_request_error",
    Kind.QUOTA: "insufficient_quota",
    Kind.UNSUPPORTED: "invalid_request_error",
    Kind.DEPENDENCY: "api_error",
    Kind.INTERNAL: "server_error",
}
_TYPE_OF_LEAF: dict[type[OmniError], str] = {
    ProviderBusy: "rate_limit_error",
    ProviderRateLimited: "rate_limit_error",
    ProviderQuotaExhausted: "insufficient_quota",
}


class OpenAIError(msgspec.Struct, frozen=True):
    """An error in OpenAI's words: `type` says how to react, `param` is the field at fault, `code` is the problem's."""

    message: str
    type: str
    param: str | None
    code: str

    @classmethod
    def of(cls, error: OmniError) -> "OpenAIError":
        """Return an error in OpenAI's words."""
        word = _TYPE_OF_LEAF.get(type(error), TYPE_OF[error.kind])
        return cls(error.detail, word, error.fields.get("field") or None, error.code)
