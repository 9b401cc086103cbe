"""Identity: keys made here, and the opaque ids that clients see.

A node id is a short prefix that names the type and the UUID in hex: `br_0192f3c1…`.
"""

import re
from enum import StrEnum
from uuid import UUID

from uuid_utils.compat import uuid7

from services.errors import NotFound

__all__ = ["Kind", "new_id", "node_id", "optional_uuid_of", "parse_node_id", "uuid_of"]

new_id = uuid7
"""Grows with time, so that new rows are neighbours in their index."""


class Kind(StrEnum):
    ACCOUNT = "ac"
    API_KEY = "ak"
    BRANCH = "br"
    DELIVERY = "de"
    FINDING = "fi"
    FINDING_MERGE = "fm"
    FORK_POINT = "fp"
    HANDOFF = "ha"
    INTEGRATION = "in"
    KB_ARTICLE = "kb"
    MESSAGE = "me"
    OUTPUT = "ro"
    REVIVAL_PROPOSAL = "rp"
    SECOND_OPINION = "so"
    SESSION = "se"
    STEP = "st"
    TEAM = "te"
    UPLOAD = "up"
    USER = "us"


KINDS = {kind.value: kind for kind in Kind}
NODE_ID = re.compile(r"([a-z]{2})_([0-9a-f]{32})")


def node_id(kind: Kind, key: UUID) -> str:
    return (
        f"{kind._value_}_{key.hex}"  # without the descriptor of `value`, which takes as long again
    )


def parse_node_id(text: str) -> tuple[Kind, UUID]:
    """Raises NotFound for what this server never made."""
    match = NODE_ID.fullmatch(text)
    if match is None or match[1] not in KINDS:
        raise NotFound(text)
    return KINDS[match[1]], UUID(match[2])


def uuid_of(kind: Kind, text: str) -> UUID:
    """The key behind an id of this kind; raises NotFound for any other text."""
    found, key = parse_node_id(text)
    if found is not kind:
        raise NotFound(text)
    return key


def optional_uuid_of(kind: Kind, text: str | None) -> UUID | None:
    """As `uuid_of`, for an argument that may be left out."""
    return None if text is None else uuid_of(kind, text)
