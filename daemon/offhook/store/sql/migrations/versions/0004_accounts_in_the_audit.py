"""The account that a record of the audit concerns, and records by request

Revision: 0004, after 0003. Records from before concern no account: their text does not say which.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("audit", sa.Column("account_id", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index(op.f("ix_audit_account_id_id"), "audit", ["account_id", "id"])
    op.create_index(op.f("ix_audit_request_id"), "audit", ["request_id"])
