"""Importing this package maps every table on `Base.metadata`."""

from models import (
    account,
    audit,
    branch,
    delivery,
    event,
    finding,
    handoff,
    hypothesis,
    integration,
    knowledge,
    message,
    opinion,
    output,
    session,
    upload,
    usage,
)
from models.base import Base

__all__ = [
    "Base",
    "account",
    "audit",
    "branch",
    "delivery",
    "event",
    "finding",
    "handoff",
    "hypothesis",
    "integration",
    "knowledge",
    "message",
    "opinion",
    "output",
    "session",
    "upload",
    "usage",
]
