"""Run by Alembic, for :func:`offhook.store.sql.engine.migrate` and for ``alembic revision --autogenerate``."""

from alembic import context

from offhook.store.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
