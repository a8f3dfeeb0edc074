"""Tenants, members and keys on PostgreSQL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from omni_core.adapters.postgres.engine import fetch
from omni_core.adapters.postgres.tables.tenancy import api_key, member, tenant
from omni_core.adapters.postgres.uow import connection_of
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
        statement = insert(tenant).values(row).on_conflict_do_nothing().returning(tenant.c.tenant_id)
        if (await connection_of(tx).execute(statement)).first() is None:
            raise TenantExists(f"there is a tenant {new.slug!r} already", slug=new.slug)

    async def get(self, tx: Transaction) -> Tenant:
        """Return the transaction's tenant."""
        return await self._read(tx, sa.select(tenant))

    async def lock(self, tx: Transaction) -> Tenant:
        """Return the transaction's tenant, locked."""
        return await self._read(tx, sa.select(tenant).with_for_update(key_share=True))

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
        statement = insert(member).values(row).on_conflict_do_nothing().returning(member.c.id)
        if (await connection_of(tx).execute(statement)).first() is None:
            raise MemberExists(member_id=str(new.id))

    async def members(self, tx: Transaction) -> list[Member]:
        """Return the tenant's members, oldest first."""
        query = sa.select(member).where(member.c.tenant_id == tx.tenant_id).order_by(member.c.id)
        rows = await connection_of(tx).execute(query)
        return [
            Member(row.id, TenantId(row.tenant_id), row.email, MemberRole(row.role), row.created_at) for row in rows
        ]

    async def remove_member(self, tx: Transaction, member_id: UUID) -> None:
        """Remove a member."""
        statement = sa.delete(member).where(member.c.tenant_id == tx.tenant_id, member.c.id == member_id)
        if (await connection_of(tx).execute(statement.returning(member.c.id))).first() is None:
            raise UnknownMember(member_id=str(member_id))

    async def _read(self, tx: Transaction, query: sa.Select[Any]) -> Tenant:
        row = (await connection_of(tx).execute(query.where(tenant.c.tenant_id == tx.tenant_id))).first()
        if row is None:
            raise UnknownTenant(tenant=str(tx.tenant_id))
        return Tenant(TenantId(row.tenant_id), row.slug, row.name, TenantStatus(row.status), row.created_at)


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
        query = sa.select(api_key.c.id).where(api_key.c.tenant_id == tx.tenant_id, api_key.c.id == key_id)
        return (await connection_of(tx).execute(query)).first() is not None

    async def lock(self, tx: Transaction, key_id: UUID) -> ApiKey:
        """Return a key, locked."""
        query = sa.select(api_key).where(api_key.c.tenant_id == tx.tenant_id, api_key.c.id == key_id)
        row = (await connection_of(tx).execute(query.with_for_update(key_share=True))).mappings().first()
        if row is None:
            raise UnknownKey(key_id=str(key_id))
        return _key_from_row(dict(row))

    async def save(self, tx: Transaction, key: ApiKey) -> None:
        """Store a key's revocation."""
        statement = sa.update(api_key).where(api_key.c.tenant_id == tx.tenant_id, api_key.c.id == key.id)
        await connection_of(tx).execute(statement.values(revoked_at=key.revoked_at))

    async def list(self, tx: Transaction, limit: int, before: UUID | None) -> Sequence[ApiKey]:
        """Return keys, newest first."""
        query = sa.select(api_key).where(api_key.c.tenant_id == tx.tenant_id).order_by(api_key.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(api_key.c.id < before)
        return [_key_from_row(dict(row)) for row in (await connection_of(tx).execute(query)).mappings()]


class PostgresDirectory:
    """The port `Directory`, on functions of the database that tell ids, and one key to whoever names it.

    Raises `DatabaseUnavailable` where PostgreSQL does not answer.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def tenant_of_slug(self, slug: str) -> TenantId | None:
        """Return the id of the tenant with this slug."""
        rows = await fetch(self._pool, "select omni_tenant_of_slug($1)", slug)
        return None if rows[0][0] is None else TenantId(rows[0][0])

    async def tenant_ids(self, limit: int, after: UUID | None) -> Sequence[TenantId]:
        """Return ids, oldest first."""
        rows = await fetch(self._pool, "select tenant_id from omni_tenant_ids($1, $2) t(tenant_id)", limit, after)
        return [TenantId(row["tenant_id"]) for row in rows]

    async def find_key(self, public_id: str) -> KeyRecord | None:
        """Return the key with this public id."""
        rows = await fetch(self._pool, "select * from omni_find_key($1)", public_id)
        return next((KeyRecord(_key_from_row(dict(row)), TenantStatus(row["tenant_status"])) for row in rows), None)


def _key_from_row(row: dict[str, Any]) -> ApiKey:
    return ApiKey(
        id=row["id"],
        tenant_id=TenantId(row["tenant_id"]),
        public_id=row["public_id"],
        digest=row["digest"],
        name=row["name"],
        scopes=frozenset(map(Scope, row["scopes"])),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
