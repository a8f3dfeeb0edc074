"""Tenants, members and keys on PostgreSQL."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import sqlalchemy as sa

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.engine import fetch
from omni_core.adapters.postgres.tables.tenancy import api_key, member, tenant
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.kernel.stored import rebuilds, stored
from omni_core.domain.kernel.tenancy import Scope, TenantId
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.tenancy.errors import MemberExists, TenantExists, UnknownKey, UnknownMember, UnknownTenant
from omni_core.domain.tenancy.keys import ApiKey
from omni_core.domain.tenancy.model import Member, MemberRole, Tenant, TenantStatus
from omni_core.domain.tenancy.ports import KeyRecord


class PostgresTenantStore:
    """The port `TenantStore`."""

    async def add(self, tx: Transaction, new: Tenant) -> None:
        """Store a new tenant."""
        row = {
            "tenant_id": new.id,
            "slug": new.slug,
            "name": new.name,
            "status": new.status,
            "created_at": new.created_at,
        }
        if not await rows.added(tx, tenant, row):
            raise TenantExists(f"there is a tenant {new.slug!r} already", slug=new.slug)

    async def get(self, tx: Transaction) -> Tenant:
        """Return the transaction's tenant."""
        return _tenant_from_row(await rows.one(tx, tenant, UnknownTenant(tenant=str(tx.tenant_id))))

    async def lock(self, tx: Transaction) -> Tenant:
        """Return the transaction's tenant, locked."""
        return _tenant_from_row(await rows.one(tx, tenant, UnknownTenant(tenant=str(tx.tenant_id)), lock=True))

    async def save(self, tx: Transaction, changed: Tenant) -> None:
        """Store name and status."""
        statement = sa.update(tenant).where(tenant.c.tenant_id == changed.id)
        await connection_of(tx).execute(statement.values(name=changed.name, status=changed.status))

    async def add_member(self, tx: Transaction, new: Member) -> None:
        """Store a new member."""
        row = {
            "tenant_id": new.tenant_id,
            "id": new.id,
            "email": new.email,
            "role": new.role,
            "created_at": new.created_at,
        }
        if not await rows.added(tx, member, row):
            raise MemberExists(member_id=str(new.id))

    async def members(self, tx: Transaction) -> list[Member]:
        """Return the tenant's members, oldest first."""
        found = await rows.fetched(tx, rows.of_tenant(tx, member).order_by(member.c.id))
        return [_member_from_row(row) for row in found]

    async def remove_member(self, tx: Transaction, member_id: UUID) -> None:
        """Remove a member."""
        if not await rows.removed(tx, member, member.c.id == member_id):
            raise UnknownMember(member_id=str(member_id))


class PostgresKeyStore:
    """The port `KeyStore`."""

    async def add(self, tx: Transaction, key: ApiKey) -> None:
        """Store a new key."""
        await connection_of(tx).execute(
            sa.insert(api_key).values(
                tenant_id=key.tenant_id,
                id=key.id,
                public_id=key.public_id,
                digest=key.digest,
                name=key.name,
                scopes=sorted(key.scopes),
                created_at=key.created_at,
                expires_at=key.expires_at,
                revoked_at=key.revoked_at,
            )
        )

    async def has(self, tx: Transaction, key_id: UUID) -> bool:
        """Tell whether there is a key with this id."""
        return await rows.found(tx, api_key, api_key.c.id == key_id) is not None

    async def lock(self, tx: Transaction, key_id: UUID) -> ApiKey:
        """Return a key, locked."""
        unknown = UnknownKey(key_id=str(key_id))
        return _key_from_row(await rows.one(tx, api_key, unknown, api_key.c.id == key_id, lock=True))

    async def save(self, tx: Transaction, key: ApiKey) -> None:
        """Store how a key ends: its expiry and its revocation."""
        statement = sa.update(api_key).where(api_key.c.tenant_id == tx.tenant_id, api_key.c.id == key.id)
        await connection_of(tx).execute(statement.values(expires_at=key.expires_at, revoked_at=key.revoked_at))

    async def list(self, tx: Transaction, limit: int, before: UUID | None) -> Sequence[ApiKey]:
        """Return keys, newest first."""
        return [_key_from_row(row) for row in await rows.newest(tx, api_key, limit, before)]


class PostgresDirectory:
    """The port `Directory`, on functions of the database that tell ids, and one key to whoever names it.

    Raises `DatabaseUnavailable` where PostgreSQL does not answer.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def tenant_of_slug(self, slug: str) -> TenantId | None:
        """Return the id of the tenant with this slug."""
        ((tenant_id,),) = await fetch(self._pool, "select omni_tenant_of_slug($1)", slug)
        return None if tenant_id is None else TenantId(tenant_id)

    async def tenant_ids(self, limit: int, after: UUID | None) -> Sequence[TenantId]:
        """Return ids, oldest first."""
        ids = await fetch(self._pool, "select tenant_id from omni_tenant_ids($1, $2) t(tenant_id)", limit, after)
        return [TenantId(row["tenant_id"]) for row in ids]

    async def find_key(self, public_id: str) -> KeyRecord | None:
        """Return the key with this public id."""
        keys = await fetch(self._pool, "select * from omni_find_key($1)", public_id)
        return next((_key_record_from_row(dict(row)) for row in keys), None)


def _key_record_from_row(row: rows.Row) -> KeyRecord:
    return KeyRecord(_key_from_row(row), stored(TenantStatus, row["tenant_status"]))


@rebuilds
def _tenant_from_row(row: rows.Row) -> Tenant:
    return Tenant(
        id=TenantId(row["tenant_id"]),
        slug=row["slug"],
        name=row["name"],
        status=stored(TenantStatus, row["status"]),
        created_at=row["created_at"],
    )


@rebuilds
def _member_from_row(row: rows.Row) -> Member:
    return Member(
        id=row["id"],
        tenant_id=TenantId(row["tenant_id"]),
        email=row["email"],
        role=stored(MemberRole, row["role"]),
        created_at=row["created_at"],
    )


@rebuilds
def _key_from_row(row: rows.Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        tenant_id=TenantId(row["tenant_id"]),
        public_id=row["public_id"],
        digest=row["digest"],
        name=row["name"],
        scopes=frozenset(stored(Scope, scope) for scope in row["scopes"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
