"""Reading documents, their revisions, and what changed between two of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.output import ResolutionOutput, ResolutionOutputType, ResolutionRevision
from services.access import Actor
from services.database import fetch, fetch_one
from services.errors import FieldProblem, InvalidInput, NotFound
from services.ids import Kind, node_id
from services.outputs.grounding import Grounds, recall
from services.outputs.text import sentences
from services.runtime import Runtime

MOST_REVISIONS = 100


def content_of(output: ResolutionOutput) -> str | None:
    return output.edited_content or output.generated_content


def grounded_sentences(output: ResolutionOutput) -> list[tuple[str, Grounds]]:
    """Of the text as it is now, in its order."""
    content = content_of(output) or ""
    return [(sentence, recall(output.sources, sentence)) for sentence in sentences(content)]


async def one(db: AsyncConnection, account_id: UUID, output_id: UUID) -> ResolutionOutput:
    statement = select(ResolutionOutput).where(
        ResolutionOutput.account_id == account_id, ResolutionOutput.id == output_id
    )
    output = await fetch_one(db, statement)
    if output is None:
        raise NotFound(node_id(Kind.OUTPUT, output_id))
    return output


async def by_id(
    runtime: Runtime, actor: Actor, output_ids: Sequence[UUID]
) -> dict[UUID, ResolutionOutput]:
    statement = select(ResolutionOutput).where(
        ResolutionOutput.account_id == actor.account_id, ResolutionOutput.id.in_(output_ids)
    )
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}


async def by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, list[ResolutionOutput]]:
    """One of each type, in the order of the enum."""
    order = list(ResolutionOutputType)
    statement = select(ResolutionOutput).where(
        ResolutionOutput.account_id == actor.account_id,
        ResolutionOutput.session_id.in_(session_ids),
    )
    found: defaultdict[UUID, list[ResolutionOutput]] = defaultdict(list)
    async with runtime.read(actor) as db:
        rows = await fetch(db, statement)
    for row in sorted(rows, key=lambda row: order.index(row.output_type)):
        found[row.session_id].append(row)
    return found


async def revisions_by_output(
    runtime: Runtime, actor: Actor, output_ids: Sequence[UUID]
) -> dict[UUID, list[ResolutionRevision]]:
    """Newest first, at most 100 of each."""
    place = (
        func.row_number()
        .over(partition_by=ResolutionRevision.output_id, order_by=ResolutionRevision.version.desc())
        .label("place")
    )
    placed = (
        select(ResolutionRevision.output_id, ResolutionRevision.version, place)
        .where(
            ResolutionRevision.account_id == actor.account_id,
            ResolutionRevision.output_id.in_(output_ids),
        )
        .subquery()
    )
    statement = (
        select(ResolutionRevision)
        .join(
            placed,
            (ResolutionRevision.output_id == placed.c.output_id)
            & (ResolutionRevision.version == placed.c.version),
        )
        .where(ResolutionRevision.account_id == actor.account_id, placed.c.place <= MOST_REVISIONS)
        .order_by(placed.c.place)
    )
    found: defaultdict[UUID, list[ResolutionRevision]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[row.output_id].append(row)
    return found


# ------------------------------------------------------------------ what changed


class LineChange(StrEnum):
    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class DiffLine:
    change: LineChange
    text: str


async def difference(
    runtime: Runtime, actor: Actor, output_id: UUID, *, old: int, new: int
) -> list[DiffLine]:
    """Line by line, in the order of the newer text, removed lines before what took their place.

    Raises InvalidInput (fromVersion, toVersion) where there is no such revision.
    """
    statement = select(ResolutionRevision).where(
        ResolutionRevision.account_id == actor.account_id,
        ResolutionRevision.output_id == output_id,
        ResolutionRevision.version.in_((old, new)),
    )
    async with runtime.read(actor) as db:
        texts = {row.version: row.content for row in await fetch(db, statement)}
    missing = [name for name, v in (("fromVersion", old), ("toVersion", new)) if v not in texts]
    if missing:
        raise InvalidInput(
            [FieldProblem((name,), "There is no such revision.") for name in missing]
        )
    return list(_lines(texts[old].splitlines(), texts[new].splitlines()))


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[DiffLine]:
    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            yield from (DiffLine(LineChange.SAME, line) for line in old[start:end])
        else:
            yield from (DiffLine(LineChange.REMOVED, line) for line in old[start:end])
            yield from (DiffLine(LineChange.ADDED, line) for line in new[new_start:new_end])
