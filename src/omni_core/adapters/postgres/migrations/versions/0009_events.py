"""Subscriptions: the end of each tenant's log, cursors, inboxes, and what is held."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from omni_core.adapters.postgres.migrations.rls import let_the_directory_tell, protect

revision = "0009_events"
down_revision = "0008_jobs"

# Before the policies of `event_head` are there, and with those of `event` lifted: they bind the owner too. Nobody else
# sees the log meanwhile, for all of it happens in one transaction, under a lock that keeps everybody from the table.
_FILL = (
    "alter table event no force row level security",
    """
    insert into event_head (tenant_id, position, due_at, settled_by)
    select tenant_id, max(seq), '-infinity', '{}' from event group by tenant_id
    """,
    "alter table event force row level security",
)

# A trigger, so that a program of the release before this one, which may still run, also says what it records.
_SIGNAL = """
create function omni_note_event_head() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    insert into event_head as h (tenant_id, position, due_at, settled_by)
    select tenant_id, max(seq), '-infinity', '{}' from recorded group by tenant_id order by tenant_id
        on conflict (tenant_id) do update
       set position = greatest(h.position, excluded.position), due_at = '-infinity', settled_by = '{}';
    return null;
end $$;

create trigger event_noted after insert on event
    referencing new table as recorded for each statement execute function omni_note_event_head()
"""

# Which tenants a worker should visit is known before it is in one: the directory says it, ids and nothing more.
_DIRECTORY = """
create policy event_head_directory on event_head for select to omni_directory using (true);

grant select on event_head to omni_directory;

create function omni_tenants_with_events_due(how_many int, moment timestamptz, after_id uuid) returns setof uuid
    language sql stable security definer set search_path = public, pg_temp
    as $$
        select tenant_id from event_head
         where due_at is not null and due_at <= moment and (after_id is null or tenant_id > after_id)
         order by tenant_id limit how_many
    $$;

create function omni_tenants_with_events_unsettled(crew text, how_many int, after_id uuid) returns setof uuid
    language sql stable security definer set search_path = public, pg_temp
    as $$
        select tenant_id from event_head
         where not crew = any (settled_by) and (after_id is null or tenant_id > after_id)
         order by tenant_id limit how_many
    $$
"""
_FUNCTIONS = (
    "omni_tenants_with_events_due(int, timestamptz, uuid)",
    "omni_tenants_with_events_unsettled(text, int, uuid)",
)


def upgrade() -> None:
    """Make the tables, note what is in the log already, and see to it that more is noted."""
    op.create_table(
        "event_head",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", ARRAY(sa.Text), nullable=False),
    )
    op.create_table(
        "event_cursor",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("subscription", sa.Text, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("handled", sa.BigInteger, nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "event_inbox",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("subscription", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "event_held",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subscription", sa.Text, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("aggregate_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.Text, nullable=True),
        sa.Column("detail", sa.Text, nullable=True),
        sa.UniqueConstraint(
            "tenant_id", "subscription", "event_id", name="event_held_tenant_id_subscription_event_id_key"
        ),
    )
    _index()
    for statement in (*_FILL, *_SIGNAL.strip().split(";\n\n")):
        op.execute(statement)
    protect("event_head", grants="select, insert, update")
    protect("event_cursor", grants="select, insert, update")
    protect("event_inbox", grants="select, insert, delete")
    protect("event_held")
    let_the_directory_tell(_DIRECTORY, _FUNCTIONS)


def _index() -> None:
    op.create_index("event_tenant_id_event_type_seq_idx", "event", ["tenant_id", "event_type", "seq"])
    op.create_index("event_head_due_idx", "event_head", ["tenant_id"], postgresql_where=sa.text("due_at is not null"))
    op.create_index("event_held_aggregate_idx", "event_held", ["tenant_id", "subscription", "aggregate_id", "position"])
    op.create_index(
        "event_held_retry_idx",
        "event_held",
        ["tenant_id", "subscription", "retry_at"],
        postgresql_where=sa.text("retry_at is not null"),
    )
