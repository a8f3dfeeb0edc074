"""Alembic's environment: runs on the connection that `migrate` hands over."""

from alembic import context

from omni_core.adapters.postgres.tables import kernel

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=kernel.metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
