"""Jobs, and the one table of pgqueuer's that Omni writes itself."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from omni_core.adapters.postgres.tables.kernel import metadata, moment, tenant_column

job = sa.Table(
    "job",
    metadata,
    tenant_column(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("arguments", JSONB, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    moment("created_at"),
    moment("run_after"),
    sa.Column("idempotency_key", sa.Text, nullable=True),
    sa.Column("max_attempts", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("ticket", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("progress", JSONB(none_as_null=True), nullable=True),
    sa.Column("result", JSONB(none_as_null=True), nullable=True),
    sa.Column("error", JSONB(none_as_null=True), nullable=True),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    sa.UniqueConstraint("tenant_id", "kind", "idempotency_key"),
    sa.Index("job_tenant_id_status_id_idx", "tenant_id", "status", "id"),
)

# pgqueuer's, made by the same migration and kept out of the metadata: its columns are pgqueuer's to name.
message = sa.table(
    "pgqueuer",
    sa.column("priority", sa.Integer),
    sa.column("entrypoint", sa.Text),
    sa.column("payload", sa.LargeBinary),
    sa.column("execute_after", sa.DateTime(timezone=True)),
    sa.column("status", sa.Enum("queued", name="pgqueuer_status")),
)
