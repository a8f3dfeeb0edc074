from datetime import timedelta

import pytest

from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.tenancy import Scope
from omni_core.domain.tenancy.errors import InvalidKeyRequest, InvalidSlug, KeyExpired, KeyRevoked, LastOwner
from omni_core.domain.tenancy.events import ApiKeyRevoked, TenantReactivated, TenantWasSuspended
from omni_core.domain.tenancy.model import MemberRole, TenantStatus, check_owner_remains
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.tenancy import a_member, a_tenant, an_api_key
from omni_core.testing.clock import NOON


@pytest.mark.parametrize("slug", ["a", "demo", "a-1", "0", "a" * 63])
def test_slugs(slug):
    assert a_tenant(slug=slug).slug == slug


@pytest.mark.parametrize("slug", ["", "Demo", "-a", "a-", "a b", "a_b", "é", "a" * 64, "demo\n", "a.b"])
def test_what_is_no_slug_is_refused(slug):
    with pytest.raises(InvalidSlug):
        a_tenant(slug=slug)


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\0b"])
def test_a_tenant_has_a_name(name):
    with pytest.raises(InvalidValue) as refused:
        a_tenant(name=name)
    assert refused.value.fields["field"] == "name"


def test_suspending_happens_once():
    tenant = a_tenant()
    assert tenant.suspend() == [TenantWasSuspended(tenant.id)]
    assert tenant.suspend() == []
    assert tenant.status is TenantStatus.SUSPENDED


def test_reactivating_happens_once():
    tenant = a_tenant(status=TenantStatus.SUSPENDED)
    assert tenant.reactivate() == [TenantReactivated(tenant.id)]
    assert tenant.reactivate() == []
    assert tenant.status is TenantStatus.ACTIVE


def test_addresses_are_kept_in_lower_case():
    assert a_member(a_tenant_id(), email="  Ada@Example.COM ").email == "ada@example.com"


@pytest.mark.parametrize(
    "email",
    ["", "ada", "@example.com", "ada@", "ada@example", "a b@example.com", "a@b@c.de", "a\0@b.co", "x" * 250 + "@b.co"],
)
def test_what_is_no_address_is_refused(email):
    with pytest.raises(InvalidValue) as refused:
        a_member(a_tenant_id(), email=email)
    assert refused.value.fields["field"] == "email"


def test_the_last_owner_stays():
    tenant_id = a_tenant_id()
    owner = a_member(tenant_id, role=MemberRole.OWNER)
    admin = a_member(tenant_id, role=MemberRole.ADMIN)
    with pytest.raises(LastOwner):
        check_owner_remains([owner, admin], owner.id)
    check_owner_remains([owner, admin], admin.id)
    check_owner_remains([owner, a_member(tenant_id, role=MemberRole.OWNER)], owner.id)


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\0b"])
def test_a_key_has_a_name(name):
    with pytest.raises(InvalidKeyRequest) as refused:
        an_api_key(a_tenant_id(), name=name)
    assert refused.value.fields["field"] == "name"


def test_a_key_has_a_scope():
    with pytest.raises(InvalidKeyRequest) as refused:
        an_api_key(a_tenant_id(), scopes=frozenset())
    assert refused.value.fields["field"] == "scopes"


@pytest.mark.parametrize(
    "expires_at", [NOON, NOON - timedelta(days=1), (NOON + timedelta(days=1)).replace(tzinfo=None)]
)
def test_a_key_expires_in_the_future_of_every_zone(expires_at):
    with pytest.raises(InvalidKeyRequest) as refused:
        an_api_key(a_tenant_id(), expires_at=expires_at)
    assert refused.value.fields["field"] == "expires_at"


def test_a_key_stands_for_its_tenant_and_scopes():
    key = an_api_key(a_tenant_id(), scopes=frozenset({Scope.CHAT}))
    principal = key.admit(NOON)
    assert (principal.tenant_id, principal.key_id) == (key.tenant_id, key.id)
    assert principal.scopes == frozenset({Scope.CHAT})
    assert principal.subject == f"key:{key.public_id}"


def test_a_key_expires_at_its_moment():
    key = an_api_key(a_tenant_id(), expires_at=NOON + timedelta(hours=1))
    key.admit(NOON + timedelta(minutes=59, seconds=59))
    with pytest.raises(KeyExpired):
        key.admit(NOON + timedelta(hours=1))


def test_a_revoked_key_stays_revoked():
    key = an_api_key(a_tenant_id())
    assert key.revoke(NOON) == [ApiKeyRevoked(key.id, key.public_id)]
    assert key.revoke(NOON + timedelta(days=1)) == []
    assert key.revoked_at == NOON
    with pytest.raises(KeyRevoked):
        key.admit(NOON)


def test_a_key_shows_neither_digest_nor_name():
    key = an_api_key(a_tenant_id(), digest=b"digest-of-the-secret", name="ada's key")
    assert "digest" not in repr(key)
    assert "ada" not in repr(key)
