"""`omni tenants` and `omni keys`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from omni_cli.jsonform import as_json
from omni_cli.options import ROWS, Cursor, Json, Limit, Tenant, commands, examples, parse_duration
from omni_cli.output import Column, note, print_json, print_record, print_rows, print_text
from omni_cli.session import for_tenant, with_omni
from omni_core.domain.kernel.clock import parse_moment
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import DEFAULT_SCOPES, OPERATOR, TENANT_SCOPES, Principal
from omni_core.domain.tenancy.api import ApiKey, CreateKey, CreateTenant, Member, MemberRole
from omni_core.domain.tenancy.api import Tenant as TenantModel
from omni_core.domain.tenancy.errors import UnknownMember

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni

tenants = commands("The organisations that use Omni.")
keys = commands("API keys of a tenant.")

_TENANT: list[Column[TenantModel]] = [
    Column("slug", lambda tenant: tenant.slug),
    Column("name", lambda tenant: tenant.name, wraps=True),
    Column("status", lambda tenant: tenant.status),
    Column("created", lambda tenant: tenant.created_at),
    Column("id", lambda tenant: tenant.id),
]
_MEMBER: list[Column[Member]] = [
    Column("email", lambda member: member.email),
    Column("role", lambda member: member.role),
    Column("since", lambda member: member.created_at),
    Column("id", lambda member: member.id),
]
_SETS_OF_SCOPES = {TENANT_SCOPES: "all of the tenant", DEFAULT_SCOPES: "the default"}
_KEY: list[Column[ApiKey]] = [
    Column("name", lambda key: key.name, wraps=True),
    Column("public id", lambda key: key.public_id),
    Column("created", lambda key: key.created_at),
    Column("expires", lambda key: key.expires_at),
    Column("revoked", lambda key: key.revoked_at),
    Column("scopes", lambda key: _SETS_OF_SCOPES.get(key.scopes, key.scopes), wraps=True),
    Column("id", lambda key: key.id),
]
Slug = Annotated[str, typer.Argument(metavar="TENANT", help="Slug or id.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The person's address.")]
Role = Annotated[MemberRole, typer.Option(help="What the person may do.")]


@tenants.command("create", epilog=examples("omni tenants create acme --name 'Acme Ltd' --owner-email ann@acme.example"))
def create_tenant(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="1 to 63 lower-case letters, digits and inner hyphens.")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name for people; the slug where none is given.")
    ] = None,
    owner_email: Annotated[str | None, typer.Option(metavar="EMAIL", help="The first member, as owner.")] = None,
    json: Json = False,
) -> None:
    """Make a tenant."""
    command = CreateTenant(slug, name or slug, owner_email)
    print_record(with_omni(lambda omni: omni.tenants.create(OPERATOR, command)), _TENANT, json=json)


@tenants.command("list", epilog=examples("omni tenants list", "omni tenants list --json --limit 500"))
def list_tenants(limit: Limit = ROWS, cursor: Cursor = None, json: Json = False) -> None:
    """List tenants, oldest first."""
    page = with_omni(lambda omni: omni.tenants.list(OPERATOR, PageRequest(limit, cursor)))
    print_rows(page.items, _TENANT, json=json, next_cursor=page.next_cursor)


@tenants.command("show", epilog=examples("omni tenants show acme"))
def show_tenant(tenant: Slug, json: Json = False) -> None:
    """Show a tenant."""
    print_record(for_tenant(tenant, lambda omni, operator: omni.tenants.get(operator)), _TENANT, json=json)


@tenants.command("suspend", epilog=examples("omni tenants suspend acme"))
def suspend_tenant(tenant: Slug, json: Json = False) -> None:
    """Shut a tenant's keys out, within a second."""
    print_record(for_tenant(tenant, lambda omni, operator: omni.tenants.suspend(operator)), _TENANT, json=json)


@tenants.command("reactivate", epilog=examples("omni tenants reactivate acme"))
def reactivate_tenant(tenant: Slug, json: Json = False) -> None:
    """Let a suspended tenant's keys in again."""
    print_record(for_tenant(tenant, lambda omni, operator: omni.tenants.reactivate(operator)), _TENANT, json=json)


@tenants.command("members", epilog=examples("omni tenants members acme"))
def list_members(tenant: Slug, json: Json = False) -> None:
    """List who belongs to a tenant, oldest first."""
    members = for_tenant(tenant, lambda omni, operator: omni.tenants.members(operator))
    print_rows(members, _MEMBER, json=json)


@tenants.command("add-member", epilog=examples("omni tenants add-member acme bob@acme.example --role admin"))
def add_member(tenant: Slug, email: Email, role: Role = MemberRole.MEMBER, json: Json = False) -> None:
    """Add a person to a tenant."""
    member = for_tenant(tenant, lambda omni, operator: omni.tenants.add_member(operator, email, role))
    print_record(member, _MEMBER, json=json)


@tenants.command("remove-member", epilog=examples("omni tenants remove-member acme bob@acme.example"))
def remove_member(tenant: Slug, email: Email, json: Json = False) -> None:
    """Take a person out of a tenant; the last owner has to stay."""

    async def remove(omni: "Omni", operator: Principal) -> Member:
        for member in await omni.tenants.members(operator):
            if member.email.lower() == email.strip().lower():
                await omni.tenants.remove_member(operator, member.id)
                return member
        raise UnknownMember("the tenant has no member with that e-mail address")

    print_record(for_tenant(tenant, remove), _MEMBER, json=json)


@keys.command(
    "create",
    epilog=examples(
        "omni keys create --tenant demo",
        "omni keys create --tenant demo --name ci --scope chat --scope models:read --expires-in 30d",
        "omni keys create --tenant demo --name admin --scope all",
        "omni keys create --tenant demo --json | jq -r .secret",
    ),
)
def create_key(
    tenant: Tenant = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="What the key is for.")] = "default",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCOPE",
            help="What the key may do; repeat it. `all` is everything within the tenant. Default: see above.",
        ),
    ] = None,
    expires_in: Annotated[str | None, typer.Option(metavar="30d", help="How long it lives: s, m, h, d or w.")] = None,
    expires_at: Annotated[
        str | None, typer.Option(metavar="2027-01-31", help="Day or ISO 8601 time of its end.")
    ] = None,
    json: Json = False,
) -> None:
    """Make an API key.

    Without --scope it may chat and read, but neither move money nor give access nor erase: what sets budgets, issues
    invoices, makes keys or changes the tenant has to be named (--scope budgets:write), or everything (--scope all).

    Its secret is printed this once: Omni keeps no copy.
    """
    end = parse_moment(expires_at, "--expires-at") if expires_at else None
    if expires_in:
        end = datetime.now(UTC) + parse_duration(expires_in, "--expires-in")
    command = CreateKey(name, tuple(scope or ()), end)
    new = for_tenant(tenant, lambda omni, operator: omni.keys.create(operator, command))
    if json:
        print_json({**_view(new.key), "secret": new.secret})
        return
    print_record(new.key, _KEY, json=False)
    print_text(f"\n{new.secret}")
    note("Keep it now: it is not shown again.")


@keys.command("list", epilog=examples("omni keys list --tenant demo", "omni keys list --tenant demo --json"))
def list_keys(tenant: Tenant = None, limit: Limit = ROWS, cursor: Cursor = None, json: Json = False) -> None:
    """List keys, newest first, without secrets."""
    page = for_tenant(tenant, lambda omni, operator: omni.keys.list(operator, PageRequest(limit, cursor)))
    print_rows(page.items, _KEY, json=json, next_cursor=page.next_cursor, view=_view)


@keys.command(
    "revoke",
    epilog=examples(
        "omni keys revoke 01234567-89ab-7def-8123-456789abcdef --tenant demo",
        "omni keys revoke 01234567-89ab-7def-8123-456789abcdef --tenant demo --after 1h",
    ),
)
def revoke_key(
    key_id: Annotated[UUID, typer.Argument(metavar="KEY", help="The key's id.")],
    tenant: Tenant = None,
    after: Annotated[str | None, typer.Option(metavar="1h", help="How long it still works: s, m, h, d or w.")] = None,
    json: Json = False,
) -> None:
    """End a key, in every process within a second.

    With --after it works for that much longer, up to 30 days, so that another key can take its place meanwhile.
    """
    seconds = int(parse_duration(after, "--after").total_seconds()) if after else 0
    key = for_tenant(tenant, lambda omni, operator: omni.keys.revoke(operator, key_id, after_s=seconds))
    print_record(key, _KEY, json=json, view=_view)


def _view(key: ApiKey) -> dict[str, Any]:
    """Return a key as it may be shown: without the digest of its secret."""
    shown = {name: getattr(key, name) for name in key.__slots__ if name != "digest"}
    return dict(as_json(shown))
