import pytest

from omni_core.domain.kernel.errors import InvalidValue, MissingScope
from omni_core.domain.kernel.tenancy import (
    DEFAULT_SCOPES,
    NAMED_SCOPES,
    OPERATOR,
    PLATFORM,
    TENANT_SCOPES,
    Principal,
    Scope,
)
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.tenancy import a_principal


def test_everything_is_denied_that_no_scope_allows():
    principal = Principal(a_tenant_id(), "key:x", frozenset())
    for scope in Scope:
        assert not principal.may(scope)
        with pytest.raises(MissingScope) as denied:
            principal.require(scope)
        assert denied.value.fields == {"scope": scope.value}


def test_a_scope_allows_itself_and_nothing_else():
    principal = a_principal(a_tenant_id(), Scope.CHAT)
    principal.require(Scope.CHAT)
    assert [scope for scope in Scope if principal.may(scope)] == [Scope.CHAT]


def test_a_read_scope_does_not_write():
    principal = a_principal(a_tenant_id(), Scope.KEYS_READ)
    with pytest.raises(MissingScope):
        principal.require(Scope.KEYS_WRITE)


def test_the_platforms_scope_is_no_tenants():
    assert frozenset({Scope.PLATFORM_ADMIN}) == frozenset(Scope) - TENANT_SCOPES


def test_every_scope_has_to_be_named_or_comes_by_default():
    """By its action: `read` and `write` come by default, any other has to be named."""
    assert frozenset(Scope) == NAMED_SCOPES | DEFAULT_SCOPES
    assert [scope for scope in Scope if (scope in NAMED_SCOPES) == (scope in DEFAULT_SCOPES)] == []
    assert {scope.rpartition(":")[2] for scope in Scope} <= {"chat", "read", "write", "manage", "pay", "erase", "admin"}
    assert {Scope.BUDGETS_WRITE, Scope.BILLING_WRITE, Scope.KEYS_WRITE, Scope.TENANT_WRITE} <= NAMED_SCOPES
    assert DEFAULT_SCOPES < TENANT_SCOPES


def test_the_operator_acts_for_any_tenant():
    tenant_id = a_tenant_id()
    acting = OPERATOR.acting_for(tenant_id)
    assert (acting.tenant_id, acting.subject, acting.scopes) == (tenant_id, "operator", frozenset(Scope))
    assert OPERATOR.tenant_id == PLATFORM


def test_nobody_else_acts_for_another_tenant():
    with pytest.raises(MissingScope):
        a_principal(a_tenant_id()).acting_for(a_tenant_id())


def test_scopes_are_read_by_name():
    assert Scope.parse("usage:read") is Scope.USAGE_READ


@pytest.mark.parametrize("text", ["", "usage", "USAGE:READ", "*", "usage:read "])
def test_an_unknown_scope_is_refused_with_the_known_ones(text):
    with pytest.raises(InvalidValue) as refused:
        Scope.parse(text)
    assert refused.value.fields["allowed"] == [scope.value for scope in Scope]
