"""Features, PINs and station types; log-in by phone ID; what a token may reach

Revision: 0002, after 0001
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ENTITIES = ("accounts", "locations", "users", "numbers", "dect_systems", "devices", "lines", "credentials")
_ALL_FEATURES = (
    "forward_always",
    "forward_busy",
    "forward_no_answer",
    "voicemail",
    "voicemail_to_email",
    "hide_caller_id",
    "call_waiting",
    "do_not_disturb",
    "caller_identity",
)


def upgrade() -> None:
    op.create_table(
        "station_types",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_station_types_account_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station_types")),
    )
    op.create_index(op.f("ix_station_types_account_id"), "station_types", ["account_id"])
    with op.batch_alter_table("numbers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("station_type_id", sa.BigInteger(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_numbers_station_type_id"),
            "station_types",
            ["station_type_id"],
            ["id"],
            initially="DEFERRED",
            deferrable=True,
        )
        batch_op.create_index(op.f("ix_numbers_station_type_id"), ["station_type_id"])
    _make_types_of_labels()
    op.drop_column("numbers", "station_type")
    # SQLite would keep '' as a text.
    nothing = sa.text("x''" if op.get_bind().dialect.name == "sqlite" else "''")
    for table in ("users", "numbers"):
        op.add_column(table, sa.Column("sealed_default_pin", sa.LargeBinary(), nullable=False, server_default=nothing))
        # SQLite reads the default as text, and what is sealed is bytes.
        op.get_bind().execute(sa.text(f"UPDATE {table} SET sealed_default_pin = :empty"), {"empty": b""})  # noqa: S608 -- names above
        op.drop_column(table, "pin_is_default")
    op.add_column("users", sa.Column("pin_failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("users", sa.Column("is_authorised", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("devices", sa.Column("former_identifiers", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("lines", sa.Column("logged_in_at", sa.Float(), nullable=True))
    for name in ("scopes", "accounts", "networks"):
        op.add_column("admin_tokens", sa.Column(name, sa.Text(), nullable=False, server_default="[]"))


def _make_types_of_labels() -> None:
    """A station type was a mere label, which allowed everything: each becomes a station type that does."""
    connection = op.get_bind()
    last = max(connection.execute(sa.text(f"SELECT max(id) FROM {name}")).scalar() or 0 for name in _ENTITIES)  # noqa: S608 -- names above
    labels = connection.execute(
        sa.text(
            "SELECT account_id, min(station_type), lower(station_type) FROM numbers "
            "WHERE station_type IS NOT NULL GROUP BY account_id, lower(station_type) ORDER BY account_id"
        )
    ).all()
    for new_id, (account_id, name, lowered) in enumerate(labels, start=last + 1):
        connection.execute(
            sa.text("INSERT INTO station_types (id, account_id, name, features) VALUES (:id, :account, :name, :all)"),
            {"id": new_id, "account": account_id, "name": name, "all": json.dumps(_ALL_FEATURES)},
        )
        connection.execute(
            sa.text(
                "UPDATE numbers SET station_type_id = :id WHERE account_id = :account AND lower(station_type) = :name"
            ),
            {"id": new_id, "account": account_id, "name": lowered},
        )
