"""What a dump of the database must not tell: encrypted under a key derived from the server's secret."""

import os
from collections.abc import Mapping

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FORM = b"\x01"
"""The first byte of everything sealed: how the rest is to be read."""

NONCE = 12
"""Bytes; random, so one key seals some four billion times before two may be alike."""


class Unsealable(Exception):
    """Sealed under a secret that this server does not have, or for another owner."""


class Seal:
    """AES-256-GCM. What is sealed for one owner opens for no other, so that a row which is copied into
    another account or integration is worthless there.
    """

    def __init__(self, secret: bytes, *previous: bytes) -> None:
        """Seals under `secret`; opens what was sealed under any of `previous`, too."""
        self._keys = [AESGCM(_key(each)) for each in (secret, *previous)]

    def close(self, owner: bytes, values: Mapping[str, str]) -> bytes:
        nonce = os.urandom(NONCE)
        return FORM + nonce + self._keys[0].encrypt(nonce, orjson.dumps(dict(values)), owner)

    def open(self, owner: bytes, sealed: bytes) -> dict[str, str]:
        """Raises Unsealable."""
        nonce, encrypted = sealed[1 : 1 + NONCE], sealed[1 + NONCE :]
        if sealed[:1] == FORM and len(nonce) == NONCE:
            for key in self._keys:
                try:
                    values: dict[str, str] = orjson.loads(key.decrypt(nonce, encrypted, owner))
                except InvalidTag:
                    continue
                return values
        raise Unsealable


def _key(secret: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=b"flowpilot credentials 1").derive(secret)
