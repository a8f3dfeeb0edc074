from datetime import timedelta
from uuid import UUID

import pytest

from omni_core.adapters.crypto import HmacDigest, MasterKey
from omni_core.adapters.memory.events import MemoryEventLog
from omni_core.adapters.memory.tenancy import MemoryKeyStore
from omni_core.adapters.system import SystemEntropy
from omni_core.domain.kernel.errors import InvalidValue, MissingScope
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import DEFAULT_SCOPES, NAMED_SCOPES, TENANT_SCOPES, Principal, Scope
from omni_core.domain.tenancy.api import LONGEST_OVERLAP_S, ApiKeys, CreateKey
from omni_core.domain.tenancy.errors import InvalidKeyRequest, KeyExpired, ScopeNotHeld, UnknownKey
from omni_core.domain.tenancy.keys import KeyToken
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.tenancy import a_principal
from tests.support.backends import Backend

DIGEST = HmacDigest(MasterKey(bytes(32)))


@pytest.fixture
def api_keys(memory: Backend) -> ApiKeys:
    return ApiKeys(memory.uow, memory.make(MemoryKeyStore), DIGEST, memory.clock, memory.ids, SystemEntropy())


@pytest.fixture
def operator() -> Principal:
    return Principal.operator(a_tenant_id())


async def test_a_new_key_is_what_was_asked_for(api_keys: ApiKeys, operator: Principal, memory: Backend):
    until = memory.clock.now() + timedelta(days=30)
    made = await api_keys.create(operator, CreateKey("server", ("chat", "usage:read"), until))
    assert (made.key.name, made.key.expires_at, made.key.tenant_id) == ("server", until, operator.tenant_id)
    assert made.key.scopes == frozenset({Scope.CHAT, Scope.USAGE_READ})
    assert made.key.created_at == memory.clock.now()


async def test_the_secret_is_shown_once_and_kept_as_a_digest(api_keys: ApiKeys, operator: Principal):
    made = await api_keys.create(operator, CreateKey("server"))
    token = KeyToken.parse(made.secret)
    assert (token.public_id, DIGEST.digest(token.secret)) == (made.key.public_id, made.key.digest)
    assert token.secret not in f"{made!r} {made}"
    (listed,) = (await api_keys.list(operator, PageRequest())).items
    assert listed == made.key
    assert token.secret not in str([getattr(listed, slot) for slot in type(listed).__slots__])


async def test_no_event_carries_a_secret(api_keys: ApiKeys, operator: Principal, memory: Backend):
    made = await api_keys.create(operator, CreateKey("server", ("chat",)))
    async with memory.uow(operator.tenant_id) as tx:
        (event,) = (await memory.make(MemoryEventLog).read(tx, PageRequest())).items
    assert (event.event_type, event.aggregate_id) == ("tenancy.api_key_created", made.key.id)
    assert event.data == {"key_id": str(made.key.id), "scopes": ["chat"]}


async def test_two_keys_differ(api_keys: ApiKeys, operator: Principal):
    first, second = [await api_keys.create(operator, CreateKey("server")) for _ in range(2)]
    assert first.secret != second.secret
    assert first.key.public_id != second.key.public_id


async def test_without_scopes_a_key_gets_those_of_its_maker_that_need_no_naming(api_keys: ApiKeys, operator: Principal):
    of_operator = await api_keys.create(operator, CreateKey("server"))
    assert of_operator.key.scopes == DEFAULT_SCOPES
    maker = a_principal(operator.tenant_id, Scope.KEYS_WRITE, Scope.CHAT)
    assert (await api_keys.create(maker, CreateKey("server"))).key.scopes == {Scope.CHAT}


async def test_who_has_only_scopes_that_have_to_be_named_names_them(api_keys: ApiKeys, operator: Principal):
    maker = a_principal(operator.tenant_id, Scope.KEYS_WRITE, Scope.BILLING_WRITE)
    with pytest.raises(InvalidKeyRequest) as refused:
        await api_keys.create(maker, CreateKey("server"))
    assert refused.value.fields == {"field": "scopes", "allowed": ["billing:write", "keys:write"]}
    assert (await api_keys.list(operator, PageRequest())).items == ()
    assert (await api_keys.create(maker, CreateKey("server", ("billing:write",)))).key.scopes == {Scope.BILLING_WRITE}


async def test_all_is_every_scope_that_the_maker_has_within_the_tenant(api_keys: ApiKeys, operator: Principal):
    assert (await api_keys.create(operator, CreateKey("server", ("all",)))).key.scopes == TENANT_SCOPES
    maker = a_principal(operator.tenant_id, Scope.KEYS_WRITE, Scope.CHAT)
    assert (await api_keys.create(maker, CreateKey("server", ("all", "chat")))).key.scopes == maker.scopes
    both = await api_keys.create(operator, CreateKey("ops", ("all", "platform:admin")))
    assert both.key.scopes == frozenset(Scope)


@pytest.mark.parametrize("wanted", [("all", "platform:admin"), ("all", "billing:write")])
async def test_all_grants_nothing_that_the_maker_lacks(api_keys: ApiKeys, operator: Principal, wanted):
    maker = a_principal(operator.tenant_id, Scope.KEYS_WRITE, Scope.CHAT)
    with pytest.raises(ScopeNotHeld) as refused:
        await api_keys.create(maker, CreateKey("server", wanted))
    assert refused.value.fields["missing"] == [wanted[-1]]


@pytest.mark.parametrize("scope", sorted(NAMED_SCOPES))
async def test_a_scope_that_has_to_be_named_is_granted_by_its_name(api_keys: ApiKeys, operator: Principal, scope):
    assert (await api_keys.create(operator, CreateKey("server", (scope.value,)))).key.scopes == {scope}


@pytest.mark.parametrize("wanted", [("platform:admin",), ("chat", "billing:write")])
async def test_nobody_grants_a_scope_that_they_do_not_hold(api_keys: ApiKeys, operator: Principal, wanted):
    maker = a_principal(operator.tenant_id, Scope.KEYS_WRITE, Scope.CHAT)
    with pytest.raises(ScopeNotHeld) as refused:
        await api_keys.create(maker, CreateKey("server", wanted))
    assert refused.value.fields["missing"] == [wanted[-1]]
    assert (await api_keys.list(operator, PageRequest())).items == ()


async def test_the_operator_may_hand_on_the_platforms_scope_by_name(api_keys: ApiKeys, operator: Principal):
    made = await api_keys.create(operator, CreateKey("ops", ("platform:admin",)))
    assert made.key.scopes == frozenset({Scope.PLATFORM_ADMIN})


@pytest.mark.parametrize(
    "command,error,field",
    [
        (CreateKey(""), InvalidKeyRequest, "name"),
        (CreateKey("server", ("everything",)), InvalidValue, "scopes"),
    ],
)
async def test_a_key_that_cannot_be_made(api_keys: ApiKeys, operator: Principal, command, error, field):
    with pytest.raises(error) as refused:
        await api_keys.create(operator, command)
    assert refused.value.fields["field"] == field


async def test_a_key_cannot_expire_in_the_past(api_keys: ApiKeys, operator: Principal, memory: Backend):
    with pytest.raises(InvalidKeyRequest) as refused:
        await api_keys.create(operator, CreateKey("server", expires_at=memory.clock.now()))
    assert refused.value.fields["field"] == "expires_at"


async def test_keys_are_listed_in_pages_from_the_newest(api_keys: ApiKeys, operator: Principal):
    made = [(await api_keys.create(operator, CreateKey(f"key {number}"))).key for number in range(3)]
    first = await api_keys.list(operator, PageRequest(2))
    rest = await api_keys.list(operator, PageRequest(2, first.next_cursor))
    assert [*first.items, *rest.items] == made[::-1]
    assert rest.next_cursor is None


async def test_a_key_is_revoked_once(api_keys: ApiKeys, operator: Principal, memory: Backend):
    made = await api_keys.create(operator, CreateKey("server"))
    revoked_at = memory.clock.now()
    assert (await api_keys.revoke(operator, made.key.id)).revoked_at == revoked_at
    memory.clock.advance(60)
    assert (await api_keys.revoke(operator, made.key.id)).revoked_at == revoked_at
    async with memory.uow(operator.tenant_id) as tx:
        events = (await memory.make(MemoryEventLog).read(tx, PageRequest())).items
    assert [event.event_type for event in events] == ["tenancy.api_key_created", "tenancy.api_key_revoked"]


async def test_a_key_can_end_later_so_that_another_takes_its_place(
    api_keys: ApiKeys, operator: Principal, memory: Backend
):
    made = await api_keys.create(operator, CreateKey("server"))
    ends = memory.clock.now() + timedelta(hours=1)
    key = await api_keys.revoke(operator, made.key.id, after_s=3600)
    assert (key.expires_at, key.revoked_at) == (ends, None)
    assert key.admit(ends - timedelta(seconds=1)).key_id == key.id
    with pytest.raises(KeyExpired):
        key.admit(ends)
    async with memory.uow(operator.tenant_id) as tx:
        (_, told) = (await memory.make(MemoryEventLog).read(tx, PageRequest())).items
    assert told.event_type == "tenancy.api_key_expiry_set"


async def test_a_key_works_no_longer_than_it_would_have(api_keys: ApiKeys, operator: Principal, memory: Backend):
    soon = memory.clock.now() + timedelta(minutes=1)
    made = await api_keys.create(operator, CreateKey("server", expires_at=soon))
    assert (await api_keys.revoke(operator, made.key.id, after_s=3600)).expires_at == soon
    revoked = await api_keys.revoke(operator, made.key.id)
    assert (await api_keys.revoke(operator, made.key.id, after_s=3600)) == revoked


@pytest.mark.parametrize("after_s", [-1, LONGEST_OVERLAP_S + 1])
async def test_a_key_ends_within_a_month(api_keys: ApiKeys, operator: Principal, after_s: int):
    made = await api_keys.create(operator, CreateKey("server"))
    with pytest.raises(InvalidKeyRequest) as refused:
        await api_keys.revoke(operator, made.key.id, after_s=after_s)
    assert refused.value.fields["field"] == "after_s"


async def test_a_key_of_another_tenant_is_unknown(api_keys: ApiKeys, operator: Principal):
    made = await api_keys.create(operator, CreateKey("server"))
    stranger = Principal.operator(a_tenant_id())
    for key_id in (made.key.id, UUID(int=7)):
        with pytest.raises(UnknownKey):
            await api_keys.revoke(stranger, key_id)
    assert (await api_keys.list(stranger, PageRequest())).items == ()


async def test_each_use_case_needs_its_scope(api_keys: ApiKeys, operator: Principal):
    reader = Principal(operator.tenant_id, "key:x", frozenset(Scope) - {Scope.KEYS_WRITE})
    writer = Principal(operator.tenant_id, "key:x", frozenset(Scope) - {Scope.KEYS_READ})
    made = await api_keys.create(writer, CreateKey("server"))
    for use_case in (
        api_keys.create(reader, CreateKey("server")),
        api_keys.revoke(reader, made.key.id),
        api_keys.list(writer, PageRequest()),
    ):
        with pytest.raises(MissingScope):
            await use_case
