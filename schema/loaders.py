"""One DataLoader a relation, each a thin batch over a read in services.

Made anew for every operation, and for every event: whoever hears an event at the same moment reads
about it through the same `Loaders`. What differs from viewer to viewer is among the `OwnLoaders`, which
nobody shares.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from strawberry.dataloader import DataLoader

from services import (
    accounts,
    alternatives,
    api_keys,
    branches,
    deliveries,
    finding_merges,
    findings,
    forks,
    handoffs,
    integrations,
    messages,
    presence,
    rankings,
    replay,
    revival_proposals,
    revivals,
    second_opinions,
    sessions,
    slas,
    steps,
    tree,
    usage,
)
from services.access import Actor
from services.files import attachments, uploads
from services.knowledge import library, lookup, outcomes, suggestions
from services.outputs import reading
from services.runtime import Runtime

K = TypeVar("K")
T = TypeVar("T")
Read = Callable[[Runtime, Actor, Sequence[K]], Awaitable[Mapping[K, T]]]


class Loader(DataLoader[K, T]):
    """Who gives up waiting leaves the others who wait for the same."""

    def load(self, key: K) -> Awaitable[T]:
        return asyncio.shield(super().load(key))


@dataclass(frozen=True, slots=True)
class Reader:
    """Makes loaders of what services read for one caller."""

    runtime: Runtime
    actor: Actor

    def one(self, read: Read[K, T]) -> Loader[K, T | None]:
        async def load(keys: list[K]) -> list[T | None]:
            found = await read(self.runtime, self.actor, keys)
            return [found.get(key) for key in keys]

        return Loader(load_fn=load)

    def many(self, read: Read[K, list[T]]) -> Loader[K, list[T]]:
        async def load(keys: list[K]) -> list[list[T]]:
            found = await read(self.runtime, self.actor, keys)
            return [found.get(key, []) for key in keys]

        return Loader(load_fn=load)


class OwnLoaders:
    """Of the viewer alone: colleagues who hear an event together have others."""

    def __init__(self, runtime: Runtime, actor: Actor) -> None:
        reader = Reader(runtime, actor)
        self.place_in_session = reader.one(presence.places_by_session)
        self.unread_in_session = reader.one(presence.unread_by_session)


class Loaders:
    def __init__(self, runtime: Runtime, actor: Actor) -> None:  # noqa: PLR0915 - a line a relation
        reader = Reader(runtime, actor)
        one, many = reader.one, reader.many
        self.sessions = one(sessions.by_id)
        self.trees = one(tree.by_session)
        self.moments = one(replay.by_place)
        self.branches = one(branches.by_id)
        self.fork_points = one(forks.fork_points_by_id)
        self.fork_points_of_session = many(forks.fork_points_by_session)
        self.options_of_fork_point = many(forks.options_by_fork_point)
        self.findings = one(findings.by_id)
        self.findings_of_branch = many(findings.by_branch)
        self.findings_of_session = many(findings.by_session)
        self.evidence_of_finding = many(findings.evidence_by_finding)
        self.bearings_of_finding = many(findings.bearings_by_finding)
        self.finding_merges = one(finding_merges.by_id)
        self.merges_of_branch = many(finding_merges.by_branch)
        self.findings_of_merge = many(finding_merges.findings_by_merge)
        self.rankings_of_branch = many(rankings.by_branch)
        self.revival_proposals = one(revival_proposals.by_id)
        self.proposals_of_session = many(revival_proposals.by_session)
        self.evidence_of_revival = many(revivals.evidence_by_revival)
        self.revivals_of_branch = many(revivals.revivals_by_branch)
        self.second_opinions = one(second_opinions.by_id)
        self.opinions_of_session = many(second_opinions.by_session)
        self.outputs = one(reading.by_id)
        self.outputs_of_session = many(reading.by_session)
        self.revisions_of_output = many(reading.revisions_by_output)
        self.kb_articles = one(library.by_id)
        self.articles_of_message = many(suggestions.articles_by_message)
        self.similar_to_session = many(lookup.similar_by_session)
        self.outcomes_of_option = many(outcomes.by_option)
        self.messages = one(messages.by_id)
        self.uploads = one(uploads.by_id)
        self.uploads_of_session = many(uploads.by_session)
        self.uploads_of_branch = many(uploads.by_branch)
        self.attachments_of_message = many(attachments.by_message)
        self.steps = one(steps.by_id)
        self.alternatives_of_message = many(alternatives.by_message)
        self.step_of_message = one(steps.by_message)
        self.step_of_fork_point = one(steps.by_fork_point)
        self.handoffs = one(handoffs.by_id)
        self.handoffs_of_session = many(handoffs.by_session)
        self.open_handoff_of_session = one(handoffs.open_by_session)
        self.present_in_session = many(presence.by_session)
        self.integrations = one(integrations.by_id)
        self.deliveries = one(deliveries.by_id)
        self.deliveries_of_handoff = many(deliveries.by_handoff)
        self.deliveries_of_output = many(deliveries.by_output)
        self.attempts_of_delivery = many(deliveries.attempts_by_delivery)
        self.accounts = one(accounts.by_id)
        self.spending_of_account = one(usage.spending_by_account)
        self.sla_targets_of_account = one(slas.by_account)
        self.teams = one(accounts.teams_by_id)
        self.teams_of_account = many(accounts.teams_by_account)
        self.users = one(accounts.users_by_id)
        self.members_of_team = many(accounts.members_by_team)
        self.api_keys = one(api_keys.by_id)
        self.api_key_of_user = one(api_keys.by_user)
