"""What goes wrong between a caller and a model."""

from omni_core.domain.kernel.errors import (
    Conflict,
    DependencyFailed,
    Invalid,
    NotFound,
    Precondition,
    Quota,
    Unsupported,
)


class UnknownModel(NotFound):
    """There is no model of that name."""

    code = "llm.unknown_model"


class UnknownProvider(NotFound):
    """There is no provider of that name."""

    code = "llm.unknown_provider"


class UnknownProviderKind(Invalid):
    """No installed adapter speaks that kind of provider."""

    code = "llm.unknown_provider_kind"


class ModelExists(Conflict):
    """A model of that name is there already."""

    code = "llm.model_exists"


class ProviderExists(Conflict):
    """A provider of that name is there already."""

    code = "llm.provider_exists"


class ProviderInUse(Conflict):
    """A model is called at this provider."""

    code = "llm.provider_in_use"


class InvalidRequest(Invalid):
    """The chat request is not valid."""

    code = "llm.invalid_request"


class UnsupportedFeature(Unsupported):
    """The model cannot do what the request asks."""

    code = "llm.unsupported_feature"


class InvalidIdempotencyKey(Invalid):
    """The idempotency key is not valid."""

    code = "llm.invalid_idempotency_key"


class IdempotencyKeyReused(Conflict):
    """The idempotency key was used for another request."""

    code = "llm.idempotency_key_reused"


class CallUnderWay(Conflict):
    """The call of this idempotency key is still under way."""

    code = "llm.call_under_way"
    retryable = True


class AnswerNotKept(Conflict):
    """The call of this idempotency key was made, and its answer was too large to be kept."""

    code = "llm.answer_not_kept"


class ProviderNotReady(Precondition):
    """The provider lacks something that it needs to be called."""

    code = "llm.provider_not_ready"


class ProviderRejected(Invalid):
    """The provider refused the request as it is."""

    code = "llm.provider_rejected"


class ProviderUnavailable(DependencyFailed):
    """The provider cannot be reached or fails."""

    code = "llm.provider_unavailable"
    retryable = True


class ProviderBusy(Quota):
    """All connections that Omni makes to the provider at once are in use."""

    code = "llm.provider_busy"
    retryable = True


class ProviderTimeout(DependencyFailed):
    """The provider did not answer within its time limit."""

    code = "llm.provider_timeout"
    retryable = True


class ProviderRateLimited(DependencyFailed):
    """The provider refuses more calls for now."""

    code = "llm.provider_rate_limited"
    retryable = True


class ProviderQuotaExhausted(DependencyFailed):
    """The operator's quota at the provider is used up."""

    code = "llm.provider_quota_exhausted"


class ProviderRefusedKey(DependencyFailed):
    """The provider does not accept the operator's key."""

    code = "llm.provider_refused_key"


class ProviderGarbage(DependencyFailed):
    """The provider answered something that is not of its own protocol."""

    code = "llm.provider_garbage"
    retryable = True
