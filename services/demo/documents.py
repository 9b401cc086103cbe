"""The documents of a session that the demo has resolved, as the playbook writes them."""

from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.output import (
    ResolutionOutput,
    ResolutionOutputStatus,
    ResolutionOutputType,
    ResolutionRevision,
)
from services.ai.cards import load_cards
from services.ai.playbook import PlaybookProvider
from services.database import fetch
from services.ids import new_id
from services.outputs.case import read_case
from services.outputs.drafts import task_for, written


async def write_documents(db: AsyncConnection, account_id: UUID, session_id: UUID) -> list[UUID]:
    """Their keys, by type."""
    provider = PlaybookProvider(load_cards())
    made = [new_id() for _ in ResolutionOutputType]
    for output_id, output_type in zip(made, ResolutionOutputType, strict=True):
        row = {"account_id": account_id, "id": output_id, "session_id": session_id}
        await db.execute(insert(ResolutionOutput).values(**row, output_type=output_type))
        one = ResolutionOutput.account_id == account_id, ResolutionOutput.id == output_id
        output = (await fetch(db, select(ResolutionOutput).where(*one)))[0]
        recorded = await read_case(db, output)
        task = task_for(output, recorded)
        outcome = await provider.perform(task)
        columns = written(output, recorded, task, outcome.result)
        await db.execute(
            update(ResolutionOutput)
            .where(*one)
            .values(
                status=ResolutionOutputStatus.DRAFT, generated_by_model=outcome.model, **columns
            )
        )
        await db.execute(
            insert(ResolutionRevision).values(
                account_id=account_id,
                output_id=output_id,
                version=1,
                content=columns["generated_content"],
            )
        )
    return made
