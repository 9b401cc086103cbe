"""What became of hypotheses like one in sessions like this one, for whoever is about to choose.

Two hypotheses are alike by the words of their labels and descriptions: twice the number of words that both
have, by the sum of the words of each. Those with the same label are the same.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from services.access import Actor
from services.knowledge.lookup import similar_by_session
from services.runtime import Runtime

MOST_OUTCOMES = 5

LIKENESS_NEEDED = 0.4
"""Set by hand: two of three words in a label, or half of a label and its description."""


class Option(NamedTuple):
    """A hypothesis that a session has, or may get."""

    session_id: UUID
    label: str
    description: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A branch that was solved or given up; `likeness` is 0.4 to 1."""

    session_id: UUID
    branch_id: UUID
    likeness: float


_OUTCOMES = text(
    """
    WITH option AS (
        SELECT * FROM unnest(CAST(:labels AS text[]), CAST(:descriptions AS text[]))
                      WITH ORDINALITY AS option(label, description, place)),
    asked AS (
        SELECT place, lexeme
          FROM option, unnest(tsvector_to_array(to_tsvector('english', label || ' ' || description)))
               AS lexeme),
    past AS (
        SELECT link.place, link.score, branch.session_id, branch.id, branch.label,
               tsvector_to_array(to_tsvector(
                   'english', branch.label || ' ' || coalesce(branch.description, ''))) AS words
          FROM unnest(CAST(:places AS int[]), CAST(:session_ids AS uuid[]), CAST(:scores AS float8[]))
               AS link(place, session_id, score)
          JOIN session_branches branch
            ON branch.account_id = :account_id AND branch.session_id = link.session_id
           AND branch.parent_branch_id IS NOT NULL AND branch.status IN ('solved', 'dead_end')),
    likened AS (
        SELECT past.place, past.score, past.session_id, past.id,
               CASE WHEN lower(past.label) = lower(option.label) THEN 1.0
                    ELSE 2.0 * (SELECT count(*) FROM asked
                                 WHERE asked.place = past.place AND asked.lexeme = ANY (past.words))
                         / nullif(cardinality(past.words) + (
                               SELECT count(*) FROM asked WHERE asked.place = past.place), 0)
                    END AS likeness
          FROM past JOIN option USING (place))
    SELECT place, session_id, id, CAST(likeness AS float8) AS likeness FROM (
        SELECT *, row_number() OVER (
                   PARTITION BY place ORDER BY likeness * score DESC, session_id, id) AS rank
          FROM likened WHERE likeness >= :likeness_needed) ranked
     WHERE rank <= :most ORDER BY place, rank
    """
)


async def by_option(
    runtime: Runtime, actor: Actor, options: Sequence[Option]
) -> dict[Option, list[Outcome]]:
    """The best first, at most 5: the likest in the likest sessions."""
    similar = await similar_by_session(
        runtime, actor, list(dict.fromkeys(option.session_id for option in options))
    )
    links = [
        (place, found.session_id, found.score)
        for place, option in enumerate(options, start=1)
        for found in similar.get(option.session_id, ())
    ]
    outcomes: defaultdict[Option, list[Outcome]] = defaultdict(list)
    if not links:
        return outcomes
    places, session_ids, scores = (list(column) for column in zip(*links, strict=True))
    given = {
        "account_id": actor.account_id,
        "labels": [option.label for option in options],
        "descriptions": [option.description for option in options],
        "places": places,
        "session_ids": session_ids,
        "scores": scores,
        "likeness_needed": LIKENESS_NEEDED,
        "most": MOST_OUTCOMES,
    }
    async with runtime.read(actor) as db:
        for row in await db.execute(_OUTCOMES, given):
            outcomes[options[row.place - 1]].append(Outcome(row.session_id, row.id, row.likeness))
    return outcomes
