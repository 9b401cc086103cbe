"""Encrypting credentials under the server's present secret, once it was changed."""

from dataclasses import dataclass

from sqlalchemy import select, update

from models.integration import Integration
from services.batches import owner_engine
from services.destinations.providers import owner
from services.sealing import Seal, Unsealable


@dataclass(frozen=True, slots=True)
class Resealed:
    count: int
    unreadable: int
    """Of which neither secret was the one: they have to be entered again."""


async def reseal(owner_url: str, seal: Seal) -> Resealed:
    """All accounts in one transaction; servers go on meanwhile."""
    count = unreadable = 0
    sealed = (
        select(Integration.account_id, Integration.id, Integration.credentials)
        .where(Integration.credentials.is_not(None))
        .with_for_update(key_share=True)
    )
    async with owner_engine(owner_url) as engine, engine.begin() as db:
        for account_id, integration_id, credentials in (await db.execute(sealed)).all():
            whose = owner(account_id, integration_id)
            try:
                values = seal.open(whose, credentials or b"")
            except Unsealable:
                unreadable += 1
                continue
            await db.execute(
                update(Integration)
                .where(Integration.account_id == account_id, Integration.id == integration_id)
                .values(credentials=seal.close(whose, values))
            )
            count += 1
    return Resealed(count, unreadable)
