"""Runs migrations. Any number of processes may do so at once: an advisory lock lets one work."""

from alembic import context
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from models import Base
from services.database import sync_url

MIGRATION_LOCK = 0x464C4F57
"""Any number that nothing else on this database locks."""


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """The job library's tables are its own; its schema is applied by a revision as it comes."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=is_ours,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    engine = create_engine(sync_url(context.config.attributes["database_url"]), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
        migrate(connection)
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})


main()
