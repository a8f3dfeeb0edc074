"""Providers and models."""

from typing import Any

from omni_core.domain.llm.catalogue import Model, Provider
from omni_core.domain.llm.limits import OwnLimits
from omni_core.testing.clock import NOON


def a_provider(name: str = "openai", **given: Any) -> Provider:
    """Return a provider with a sealed key; `given` are fields of `Provider`."""
    return Provider(
        **{
            "name": name,
            "kind": "openai",
            "base_url": "https://example.com/v1",
            "sealed_key": b"\x00sealed\xff",
            "limits": OwnLimits(connect_timeout_s=2.5, total_timeout_s=300.0),
            "created_at": NOON,
            "passes": ("top_k", "min_p"),
            **given,
        }
    )


def a_model(name: str = "gpt", provider: str = "openai", **given: Any) -> Model:
    """Return a model; `given` are fields of `Model`."""
    return Model(
        **{
            "name": name,
            "provider": provider,
            "upstream_model": f"{name}-upstream",
            "context_length": 128_000,
            "max_output_tokens": 4_096,
            "created_at": NOON,
            **given,
        }
    )
