"""Signatures of addresses at which one viewer may fetch one thing for a few minutes, without a token."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from services.runtime import Runtime

SECONDS = 300
"""For which an address is good."""


def sign(runtime: Runtime, purpose: bytes, *parts: str) -> str:
    """Under a key of the purpose's own, so that it is good for nothing else that the secret signs."""
    key = hmac.digest(runtime.secret, purpose, hashlib.sha256)
    signed = hmac.digest(key, ":".join(parts).encode(), hashlib.sha256)
    return urlsafe_b64encode(signed).rstrip(b"=").decode()


def is_same(one: str, other: str) -> bool:
    """In a time that tells nothing of where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
