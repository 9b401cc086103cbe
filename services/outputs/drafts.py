"""How a document is written: asked for sentence by sentence, held against the record, put into Markdown.

A job of its own for each of the three, so that one that fails leaves the others and the resolution alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.branch import BranchStatus
from models.output import (
    ResolutionOutput,
    ResolutionOutputStatus,
    ResolutionOutputType,
    ResolutionRevision,
)
from services.ai.document_tasks import (
    ArticleDraft,
    DocumentTask,
    Sentence,
    WriteArticle,
    WriteClientSummary,
    WriteTicketNotes,
    ruled_out,
)
from services.ai.redaction import redacted_task
from services.ai.tasks import HypothesisFacts
from services.ai_tasks import TaskFailed, perform
from services.database import fetch_one, transaction
from services.events import ResolutionOutputChanged
from services.outputs.case import Recorded, read_case, sources
from services.outputs.grounding import ground, remember
from services.outputs.text import FORMS, render
from services.runtime import Runtime
from services.sessions import hold_session
from services.unit_of_work import UnitOfWork

MOST_REMEMBERED = 1_000
"""Sentences of one output whose sources are kept, the newest."""

_TASKS: Mapping[ResolutionOutputType, type[DocumentTask[Any]]] = {
    ResolutionOutputType.PSA_TICKET_NOTES: WriteTicketNotes,
    ResolutionOutputType.KNOWLEDGE_BASE: WriteArticle,
    ResolutionOutputType.CLIENT_SUMMARY: WriteClientSummary,
}


async def write_output(
    runtime: Runtime, account_id: UUID, output_id: UUID, *, last_try: bool
) -> None:
    """Raises TryAgain on a fault that may pass, unless this is the last try: then the output is FAILED."""
    async with transaction(runtime.engine, account_id) as db:
        output = await _asked_for(db, account_id, output_id)
        if output is None:
            return
        recorded = await read_case(db, output)
    task = task_for(output, recorded)
    try:
        outcome = await perform(
            runtime,
            account_id,
            task,
            session_id=output.session_id,
            branch_id=recorded.branch_id,
            last_try=last_try,
        )
    except TaskFailed as failure:
        await _finish(runtime, output, status=ResolutionOutputStatus.FAILED, failure=str(failure))
        return
    await _finish(
        runtime,
        output,
        status=ResolutionOutputStatus.DRAFT,
        generated_by_model=outcome.model,
        edited_content=None,
        **written(output, recorded, task, outcome.result),
    )


async def _asked_for(
    db: AsyncConnection, account_id: UUID, output_id: UUID
) -> ResolutionOutput | None:
    statement = select(ResolutionOutput).where(
        ResolutionOutput.account_id == account_id,
        ResolutionOutput.id == output_id,
        ResolutionOutput.status == ResolutionOutputStatus.GENERATING,
    )
    return await fetch_one(db, statement)


def task_for(output: ResolutionOutput, recorded: Recorded) -> DocumentTask[Any]:
    """Without secrets, whoever writes: a document goes further than a prompt."""
    return cast("DocumentTask[Any]", redacted_task(_TASKS[output.output_type](recorded.case)))


# ------------------------------------------------------------------ the text


def written(
    output: ResolutionOutput, recorded: Recorded, task: DocumentTask[Any], result: BaseModel
) -> dict[str, object]:
    """Columns of the output: its text, and what each sentence of it rests on."""
    title, tags = None, []
    if isinstance(result, ArticleDraft):
        result = _with_all_dead_ends(result, task.case.hypotheses)
        title, tags = result.title, result.tags
    known = sources(recorded, task)
    parts: dict[str, list[str]] = {}
    grounds: dict[str, object] = {}
    for part in FORMS[output.output_type]:
        told: list[Sentence] = getattr(result, part)
        only = BranchStatus.DEAD_END if part == "rule_out_first" else None
        parts[part] = [sentence.text for sentence in told]
        for sentence in told:
            grounds |= remember(
                sentence.text, ground(sentence.text, sentence.sources, known, only=only)
            )
    remembered = {**{k: v for k, v in output.sources.items() if k not in grounds}, **grounds}
    return {
        "generated_content": render(output.output_type, parts, title),
        "structured_data": {"title": title, "tags": tags},
        "sources": dict(list(remembered.items())[-MOST_REMEMBERED:]),
    }


def _with_all_dead_ends(
    article: ArticleDraft, hypotheses: Iterable[HypothesisFacts]
) -> ArticleDraft:
    """A dead end that the assistant left out is told in the words of the record."""
    told = {ref for sentence in article.rule_out_first for ref in sentence.sources}
    missing = [ruled_out(facts) for facts in _dead_ends(hypotheses) if facts.ref not in told]
    return article.model_copy(update={"rule_out_first": [*article.rule_out_first, *missing]})


def _dead_ends(hypotheses: Iterable[HypothesisFacts]) -> Iterator[HypothesisFacts]:
    return (facts for facts in hypotheses if facts.status is BranchStatus.DEAD_END)


# ------------------------------------------------------------------ writing


async def _finish(runtime: Runtime, output: ResolutionOutput, **values: Any) -> None:  # noqa: ANN401 - columns
    """Nothing where it was asked for anew in the meantime, or finished by another worker."""
    async with runtime.assistant_work(output.account_id) as work:
        if await hold_session(work, output.session_id) is None:
            return
        finished = (
            update(ResolutionOutput)
            .where(
                ResolutionOutput.account_id == work.account_id,
                ResolutionOutput.id == output.id,
                ResolutionOutput.status == ResolutionOutputStatus.GENERATING,
                ResolutionOutput.generation == output.generation,
            )
            .values(updated_at=func.now(), **values)
            .returning(ResolutionOutput.version)
        )
        version = (await work.db.execute(finished)).scalar_one_or_none()
        if version is None:
            return
        if "generated_content" in values:
            await add_revision(work, output.id, version, values["generated_content"])
        work.record(ResolutionOutputChanged(output.session_id, output.id))


async def add_revision(work: UnitOfWork, output_id: UUID, version: int, content: str) -> None:
    """By who does this work; nobody is the assistant."""
    await work.db.execute(
        insert(ResolutionRevision).values(
            account_id=work.account_id,
            output_id=output_id,
            version=version,
            content=content,
            author_id=work.user_id,
        )
    )
