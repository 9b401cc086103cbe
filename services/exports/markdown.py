"""An export to read: Markdown, section by section."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.exports.document import (
    Attachment,
    Document,
    ExportedBranch,
    Handoff,
    Message,
    Person,
    Usage,
)
from services.exports.quoting import plain, quoted

Quote = Callable[[str], str]

TITLE_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Told:
    """`labels` are those of branches by id, ready to be written."""

    document: Document
    quote: Quote
    labels: Mapping[str, str]


def write_markdown(document: Document, quote: Quote = quoted) -> str:
    """`quote` makes a block of what people and models wrote."""
    labels = {branch.id: plain(branch.label) for branch in document.branches}
    told = Told(document, quote, labels)
    return "\n\n".join(block for section in SECTIONS for block in section(told)) + "\n"


def _head(told: Told) -> Iterator[str]:
    session = told.document.session
    yield f"# {plain(title(told.document))}"
    facts = [
        ("Status", session.status),
        ("Opened", f"{_time(session.created_at)} by {_name(session.opened_by)}"),
        ("Assignee", _name(session.assignee)),
        ("Team", session.team and plain(session.team)),
        ("Ticket", session.ticket and plain(session.ticket)),
        ("Domain", session.problem_domain and plain(session.problem_domain)),
        ("Confidence", session.confidence),
        ("Exported", _time(told.document.exported_at)),
    ]
    yield _list(f"{name}: {value}" for name, value in facts if value)
    if told.document.left_out:
        yield "**Not everything is here.**"
        yield _list(map(plain, told.document.left_out))


def title(document: Document) -> str:
    session = document.session
    text = " ".join((session.problem_summary or session.intake_text).split())
    return text if len(text) <= TITLE_LENGTH else f"{text[:TITLE_LENGTH].rstrip()}…"


def _intake(told: Told) -> Iterator[str]:
    session = told.document.session
    yield "## Intake"
    reference = f", {plain(session.intake_reference)}" if session.intake_reference else ""
    yield f"{session.intake_type}{reference}:"
    yield told.quote(session.intake_text)


def _resolution(told: Told) -> Iterator[str]:
    session = told.document.session
    yield "## Resolution"
    if session.resolution_summary is None:
        yield "None yet."
        return
    if session.resolved_at is not None:
        yield f"Resolved {_time(session.resolved_at)}."
    for branch in told.document.branches:
        if branch.status == "SOLVED":
            yield f"Solved by **{plain(branch.label)}**."
    yield told.quote(session.resolution_summary)


def _tree(told: Told) -> Iterator[str]:
    yield "## Tree"
    below: dict[str | None, list[ExportedBranch]] = {}
    for branch in told.document.branches:
        below.setdefault(branch.parent, []).append(branch)
    lines: list[str] = []
    waiting = list(below[None])
    while waiting:
        branch = waiting.pop()
        marks = [branch.status]
        marks += ["archived"] if branch.archived_at else []
        marks += ["the team works here"] if branch.is_active else []
        marks += [_percent(branch.likelihood)] if branch.likelihood is not None else []
        reason = f": {plain(branch.reason)}" if branch.reason else ""
        lines.append(
            f"{'  ' * branch.depth}- **{plain(branch.label)}** ({', '.join(marks)}){reason}"
        )
        waiting += reversed(below.get(branch.id, []))
    yield "\n".join(lines)
    labels = told.labels
    for fork in told.document.forks:
        yield (
            f"Forked from **{labels[fork.parent]}** after message {fork.position} by {_name(fork.by)}, "
            f"{_time(fork.at)}: {plain(fork.reason)}"
        )


def _conversations(told: Told) -> Iterator[str]:
    labels = told.labels
    places = {
        message.id: (branch.id, message.position)
        for branch in told.document.branches
        for message in branch.messages
    }
    claims = {
        found.id: found.claim for branch in told.document.branches for found in branch.findings
    }
    files = {file.id: file for file in told.document.attachments}
    yield "## Conversations"
    for branch in told.document.branches:
        yield f"### {labels[branch.id]}"
        if branch.description:
            yield plain(branch.description)
        if branch.parent is not None and branch.inherited:
            yield f"Inherited: messages 1 to {branch.inherited}, from **{labels[branch.parent]}**."
        for message in branch.messages:
            yield from _message(message, files, told.quote)
        if not branch.messages:
            yield "Nothing was said here."
        yield from _learnt(branch, labels, places, claims)


def _message(message: Message, files: Mapping[str, Attachment], quote: Quote) -> Iterator[str]:
    who = _name(message.author) if message.author else f"Assistant ({plain(message.model or '')})"
    state = "" if message.state == "COMPLETE" else f", {message.state}"
    kind = ", note" if message.role == "NOTE" else ""
    yield f"**{message.position}. {who}**{kind}{state}, {_time(message.created_at)}"
    if message.body:
        yield quote(message.body)
    if message.failure:
        yield f"Failed: {plain(message.failure)}"
    sent = [files[key] for key in message.attachments if key in files]
    if sent:
        yield _list(f"File: {plain(file.filename)}" for file in sent)


def _learnt(
    branch: ExportedBranch,
    labels: Mapping[str, str],
    places: Mapping[str, tuple[str, int]],
    claims: Mapping[str, str],
) -> Iterator[str]:
    def sources(keys: Sequence[str]) -> str:
        named = [
            str(position) if on == branch.id else f"{position} of {labels[on]}"
            for on, position in (places[key] for key in keys if key in places)
        ]
        return f" (messages {', '.join(named)})" if named else ""

    if branch.summary is not None:
        summary = branch.summary
        yield "**Summary**"
        lines = [f"Tried: {plain(text)}" for text in summary.tried]
        lines += [f"Concluded: {plain(summary.concluded)}"] if summary.concluded else []
        lines += [f"Artifact: {plain(text)}" for text in summary.artifacts]
        yield _list(lines)
    if branch.findings or branch.merged:
        yield "**Findings**"
        lines = [f"{f.kind}: {plain(f.claim)}{sources(f.sources)}" for f in branch.findings]
        lines += [f"Brought in: {plain(claims[key])}" for key in branch.merged if key in claims]
        yield _list(lines)
    if branch.rankings:
        yield "**How likely it was held to be**"
        yield _list(
            f"{_time(rank.at)}: {_percent(rank.likelihood)}, {plain(rank.why)}"
            + (f" Next: {plain(rank.next_check)}" if rank.next_check else "")
            for rank in branch.rankings
        )
    if branch.revivals:
        yield "**Why it came back**"
        yield _list(
            f"{_time(revival.at)}, {_name(revival.by)}: {plain(revival.description)} Evidence from "
            f"{labels[revival.evidence_from]}{sources(revival.evidence)}"
            for revival in branch.revivals
        )


def _steps(told: Told) -> Iterator[str]:
    if not told.document.steps:
        return
    labels = told.labels
    yield "## Steps"
    yield "\n".join(
        f"{step.order}. {step.type} on {labels[step.branch]}{_facts(step.content)}"
        for step in told.document.steps
    )


def _handoffs(told: Told) -> Iterator[str]:
    for number, handoff in enumerate(told.document.handoffs, start=1):
        yield f"## Handoff {number}"
        yield from _handoff(handoff, told.quote)


def _handoff(handoff: Handoff, quote: Quote) -> Iterator[str]:
    snapshot = handoff.snapshot
    facts = [
        f"{handoff.intent}, {handoff.priority}, {handoff.state}",
        f"By {_name(handoff.by)}, {_time(handoff.at)}",
    ]
    facts += [f"Claimed by {_name(handoff.claimed_by)}"] if handoff.claimed_by else []
    facts += [f"Ended {_time(handoff.closed_at)}"] if handoff.closed_at else []
    yield _list(facts)
    if handoff.notes:
        yield quote(handoff.notes)
    notes = [("Next step", snapshot["next_step"]), ("Waiting on", snapshot["waiting_on"])]
    notes += [("Watch out", text) for text in snapshot["watch_out"]]
    left = [f"{name}: {plain(text)}" for name, text in notes if text]
    if left:
        completed = (
            " (the assistant wrote what was left empty)" if snapshot["notes_by_assistant"] else ""
        )
        yield f"**Notes**{completed}"
        yield _list(left)
    yield "**The tree then**"
    yield _list(
        f"{plain(branch['label'])} ({branch['status'].upper()})"
        + (f": {plain(branch['status_reason'])}" if branch["status_reason"] else "")
        for branch in snapshot["branch_map"]
    )
    if handoff.assessment is not None:
        assessment = handoff.assessment
        yield f"**Assessment by the assistant** (confidence: {assessment['confidence']})"
        yield quote(assessment["text"])
        steps = (f"Then: {plain(step)}" for step in assessment["suggested_steps"])
        yield _list([f"Likely cause: {plain(assessment['likely_cause'])}", *steps])
    if handoff.briefing:
        yield "**Briefing by the assistant**"
        yield quote(handoff.briefing)


def _documents(told: Told) -> Iterator[str]:
    if told.document.documents:
        yield "## Documents"
    for output in told.document.documents:
        yield f"### {output.type} ({output.status})"
        if output.content is None:
            yield "Nothing was written."
            continue
        yield told.quote(output.content)
        unsupported = [one.text for one in output.sentences if one.basis == "NONE"]
        if unsupported:
            yield "Nothing that was recorded carries:"
            yield _list(plain(text) for text in unsupported)


def _files(told: Told) -> Iterator[str]:
    if not told.document.attachments:
        return
    yield "## Files"
    for file in told.document.attachments:
        yield f"**{plain(file.filename)}**"
        facts = [
            f"{plain(file.content_type)}, {file.byte_size:,} bytes, SHA-256 {file.sha256}",
            f"Brought by {_name(file.brought_by)}, {_time(file.at)}",
        ]
        facts += [f"In this archive: {plain(file.file)}"] if file.file else []
        facts += [plain(file.description)] if file.description else []
        yield _list(facts)


def _usage(told: Told) -> Iterator[str]:
    yield "## Usage"
    yield (
        "| | input | output | read from cache | written to cache |\n| --- | --- | --- | --- | --- |\n"
        + "\n".join(
            [
                *(
                    _usage_row(plain(branch.label), branch.usage)
                    for branch in told.document.branches
                ),
                _usage_row("**Session**", told.document.session.usage),
            ]
        )
    )


def _usage_row(name: str, usage: Usage) -> str:
    counts = (usage.input, usage.output, usage.cache_read, usage.cache_write)
    return f"| {name} | " + " | ".join(f"{count:,}" for count in counts) + " |"


SECTIONS: Sequence[Callable[[Told], Iterator[str]]] = (
    _head,
    _intake,
    _resolution,
    _tree,
    _conversations,
    _steps,
    _handoffs,
    _documents,
    _files,
    _usage,
)
"""In the order they are read."""


def _name(person: Person) -> str:
    return plain(person.name)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _facts(content: Mapping[str, Any]) -> str:
    """Named values of a stored object, those that say something."""
    said = []
    for name, value in content.items():
        texts = value if isinstance(value, list) else [value]
        shown = "; ".join(plain(str(text)) for text in texts if text not in {None, ""})
        if shown:
            said.append(f"{name.replace('_', ' ')}: {shown}")
    return f": {', '.join(said)}" if said else ""
