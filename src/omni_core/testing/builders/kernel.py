"""Ids that nothing has yet, and words that nothing knows yet."""

from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from omni_core.domain.kernel.stored import stored
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.testing.ids import SequentialIds

E = TypeVar("E", bound=StrEnum)
_ids = SequentialIds.unlike_others()


def an_id() -> UUID:
    """Return an id that nothing has; one source for all builders, so that a later one is the greater."""
    return _ids.new()


def a_tenant_id() -> TenantId:
    """Return the id of a tenant that nobody has made."""
    return TenantId(an_id())


def unheard_of(words: type[E]) -> E:
    """Return a word, as a row may hold it, that this release does not know."""
    return stored(words, "unheard_of")
