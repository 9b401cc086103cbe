"""Keeps a prompt within its budget of tokens, without moving what prompt caches have kept.

Tokens are estimated as a third of the UTF-8 bytes as they are written, rounded up, which English, German
and logs stay below; the service's own count would cost a call. What does not fit is told in a line each
instead, oldest first:

* Ancestors may take two thirds of the room. What is left of them depends on them alone, so that siblings
  still share it byte by byte.
* A branch's own turns are cut down to half their room once they outgrow it, and then again not before that
  is full: between two cuts each prompt begins with the one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.ai.document_tasks import CaseFinding, DocumentTask
from services.ai.port import Attachment, Conversation, Segment, Task, Turn, TurnRequest
from services.ai.tasks import (
    AnalyseBranch,
    DescribeFile,
    GiveSecondOpinion,
    HypothesisFacts,
    PrepareHandoff,
)

TOTAL = 100_000
FIXED = 8_000
"""For the system prompt, the tools and the session's facts."""
VOLATILE = 12_000
QUESTION = 30_000
"""For the last message, its files included."""

IMAGE = 1_600
"""The most that an image counts, whatever its size."""
MESSAGE = 8
"""Around a message: role, marks and delimiters."""

MOST_HYPOTHESES = 60

LONGEST_TURN = 8_000
"""Tokens of one earlier message with its files; what is longer is cut in the middle."""
DIGEST = 3_000
"""Tokens of the lines that stand for what was left out of one branch."""
GIST = 160
"""Characters of such a line."""

_CUT = "\n[… {left_out:,} characters left out …]\n"


@dataclass(frozen=True, slots=True)
class Budget:
    total: int = TOTAL

    @property
    def history(self) -> int:
        return max(0, self.total - FIXED - VOLATILE - QUESTION)

    @property
    def ancestors(self) -> int:
        return self.history * 2 // 3


def tokens(text: str) -> int:
    """As if it stood in a delimited block, where `<` and `&` become entities."""
    written = len(text.encode("utf-8", "surrogatepass"))
    return -(-(written + 3 * text.count("<") + 4 * text.count("&")) // 3)


def turn_tokens(turn: Turn) -> int:
    return MESSAGE + tokens(turn.text) + sum(_file_tokens(file) for file in turn.attachments)


def _file_tokens(file: Attachment) -> int:
    texts = (file.filename, file.content_type, file.description, file.summary, file.text)
    shown = sum(tokens(text) for text in texts if text)
    return MESSAGE + shown + (IMAGE if file.image is not None else 0)


def conversation_tokens(conversation: Conversation) -> int:
    return sum(_segment_tokens(segment) for segment in conversation.lineage)


def _segment_tokens(segment: Segment) -> int:
    digest = MESSAGE * 4 + tokens(segment.digest) if segment.digest else 0
    return _opening_tokens(segment) + digest + sum(turn_tokens(turn) for turn in segment.turns)


def _opening_tokens(segment: Segment) -> int:
    if segment.hypothesis is None:
        return 0
    return MESSAGE * 8 + tokens(segment.hypothesis.label) + tokens(segment.hypothesis.description)


def fitted_request(request: TurnRequest, budget: Budget = Budget()) -> TurnRequest:
    return replace(
        request,
        conversation=fitted(request.conversation, budget),
        question=_clipped_turn(request.question, QUESTION),
        volatile=_first(request.volatile, VOLATILE),
    )


def fitted_task(task: Task[Any], budget: Budget = Budget()) -> Task[Any]:
    """What stands beside the conversation takes the room of the question and the volatile blocks."""
    match task:
        case AnalyseBranch():
            return replace(
                task,
                conversation=fitted(task.conversation, budget),
                hypotheses=_fitted_facts(task.hypotheses),
                known=_newest_lines(task.known, VOLATILE // 2),
            )
        case PrepareHandoff():
            return replace(
                task,
                conversation=fitted(task.conversation, budget),
                hypotheses=_fitted_facts(task.hypotheses),
            )
        case DocumentTask():
            case = task.case
            return replace(
                task,
                case=replace(
                    case,
                    conversation=fitted(case.conversation, budget),
                    hypotheses=_fitted_facts(case.hypotheses),
                    findings=_newest_findings(case.findings, VOLATILE // 2),
                ),
            )
        case GiveSecondOpinion():
            return replace(task, observations=_newest_lines(task.observations, QUESTION))
        case DescribeFile():
            return replace(task, attachment=_clipped_file(task.attachment, QUESTION))
    return task


def _fitted_facts(hypotheses: Sequence[HypothesisFacts]) -> tuple[HypothesisFacts, ...]:
    """Each has an equal share, of the first sixty."""
    kept = hypotheses[:MOST_HYPOTHESES]
    share = QUESTION // 2 // max(1, len(kept))
    return tuple(
        replace(
            facts,
            label=_clipped(facts.label, share // 8),
            description=_clipped(facts.description, share // 8),
            reason=facts.reason and _clipped(facts.reason, share // 8),
            concluded=facts.concluded and _clipped(facts.concluded, share // 8),
            tried=_newest_lines(facts.tried, share // 8),
            findings=_newest_lines(facts.findings, share // 4),
        )
        for facts in kept
    )


def _newest_findings(findings: Sequence[CaseFinding], room: int) -> tuple[CaseFinding, ...]:
    kept = _newest_lines([f"{found.branch} {found.claim}" for found in findings], room)
    return tuple(findings[len(findings) - len(kept) :])


def _newest_lines(lines: Sequence[str], room: int) -> tuple[str, ...]:
    first = len(lines)
    while first > 0 and (room := room - tokens(lines[first - 1]) - 2) >= 0:
        first -= 1
    return tuple(lines[first:])


def fitted(conversation: Conversation, budget: Budget = Budget()) -> Conversation:
    """The conversation with every turn bounded, and the oldest told in a line each if need be."""
    *ancestors, own = (_bounded(segment) for segment in conversation.lineage)
    kept = _fitted_ancestors(ancestors, budget.ancestors)
    room = budget.history - sum(_segment_tokens(segment) for segment in kept)
    return replace(conversation, lineage=(*kept, _fitted_tail(own, room)))


def _bounded(segment: Segment) -> Segment:
    return replace(segment, turns=tuple(_clipped_turn(t, LONGEST_TURN) for t in segment.turns))


def _fitted_ancestors(segments: Sequence[Segment], room: int) -> list[Segment]:
    """The nearest keeps the most: half of the room, and each before it half of what is left."""
    if sum(_segment_tokens(segment) for segment in segments) <= room:
        return list(segments)
    room -= sum(_opening_tokens(segment) for segment in segments)
    kept: list[Segment] = []
    for segment in reversed(segments):
        share = room // 2 if len(kept) < len(segments) - 1 else room
        fitting = _newest(segment, share)
        kept.insert(0, fitting)
        room -= _segment_tokens(fitting) - _opening_tokens(fitting)
    return kept


def _fitted_tail(segment: Segment, room: int) -> Segment:
    """Cut where the turns first outgrew their room, and each time that they did so since."""
    first, size = 0, _opening_tokens(segment)
    for place, turn in enumerate(segment.turns):
        size += turn_tokens(turn)
        if size <= room:
            continue
        while first < place and size > room // 2:
            size -= turn_tokens(segment.turns[first])
            first += 1
        size = _segment_tokens(_without(segment, first, DIGEST, until=place + 1))
    return _without(segment, first, DIGEST)


def _newest(segment: Segment, room: int) -> Segment:
    """As many of the newest turns as go into the room beside the digest of the others."""
    digest = min(DIGEST, room // 3)
    left = room - digest - MESSAGE * 4
    first = len(segment.turns)
    while first > 0 and (left := left - turn_tokens(segment.turns[first - 1])) >= 0:
        first -= 1
    return _without(segment, first, digest)


def _without(segment: Segment, first: int, room: int, until: int | None = None) -> Segment:
    """Turns before the first are told in a digest."""
    if first == 0:
        return replace(segment, turns=segment.turns[:until])
    return replace(
        segment, turns=segment.turns[first:until], digest=_digest(segment.turns[:first], room)
    )


def _digest(turns: Sequence[Turn], room: int) -> str:
    """A line each; of very many the first and the last."""
    lines = [f"{turn.position} ({turn.role.value}): {_gist(turn.text)}" for turn in turns]
    room -= MESSAGE * 2
    head: list[str] = []
    tail: list[str] = []
    while lines and (room := room - tokens(lines[0]) - 1) >= 0:
        head.append(lines.pop(0))
        if lines and (room := room - tokens(lines[-1]) - 1) >= 0:
            tail.insert(0, lines.pop())
    gap = [f"… {len(lines)} messages …"] if lines else []
    return "\n".join((*head, *gap, *tail))


def _gist(text: str) -> str:
    line = " ".join(text[: GIST * 4].split())
    return line if len(line) <= GIST else f"{line[: GIST - 1]}…"


def _clipped_turn(turn: Turn, room: int) -> Turn:
    """Half of the room is the text's; the files share what it leaves."""
    if turn_tokens(turn) <= room:
        return turn
    room -= MESSAGE
    text = _clipped(turn.text, room // 2 if turn.attachments else room)
    share = (room - tokens(text)) // max(1, len(turn.attachments))
    return replace(
        turn, text=text, attachments=tuple(_clipped_file(f, share) for f in turn.attachments)
    )


def _clipped_file(file: Attachment, room: int) -> Attachment:
    """Its name is kept, and where there is no room for an image, only that."""
    image = file.image if room > IMAGE + 3 * MESSAGE else None
    room -= MESSAGE + tokens(file.content_type) + (IMAGE if image else 0)
    filename = _clipped(file.filename, max(MESSAGE, room // 4))
    room -= tokens(filename)
    description = _clipped(file.description, max(0, room // 4)) if file.description else None
    room -= tokens(description or "")
    summary = _clipped(file.summary, max(0, room * 2 // 3)) if file.summary else None
    room -= tokens(summary or "")
    text = _clipped(file.text, max(0, room)) if file.text else None
    return replace(
        file,
        image=image,
        filename=filename,
        description=description,
        summary=summary,
        text=text,
    )


def _clipped(text: str, room: int) -> str:
    """The beginning and the end of what is longer, with a word about what was between."""
    if tokens(text) <= room:
        return text
    raw = text.encode("utf-8", "surrogatepass")
    each = room * 3 // 2
    while each > 0:
        head = raw[:each].decode("utf-8", "ignore")
        tail = raw[len(raw) - each :].decode("utf-8", "ignore")
        cut = f"{head}{_CUT.format(left_out=len(text) - len(head) - len(tail))}{tail}"
        if tokens(cut) <= room:
            return cut
        each = each * 3 // 4
    return ""


def _first(blocks: Sequence[str], room: int) -> tuple[str, ...]:
    """As many as go into the room; the most important come first."""
    kept = []
    for block in blocks:
        if tokens(block) > room:
            break
        kept.append(block)
        room -= tokens(block)
    return tuple(kept)
