"""One DataLoader a relation, each a thin batch over a read in services.

Made anew for every operation, and for every event: whoever hears an event at the same moment reads
about it through the same `Loaders`. What differs from viewer to viewer is among the `OwnLoaders`, which
nobody shares. An operation asks for few of them, so each is made when it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
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


class _ForCaller:
    def __init__(self, runtime: Runtime, actor: Actor) -> None:
        self.runtime = runtime
        self.actor = actor


def one(read: Read[K, T]) -> cached_property[Loader[K, T | None]]:
    def loader(caller: _ForCaller) -> Loader[K, T | None]:
        # Not the caller itself: it would be in a cycle, and outlive its event.
        runtime, actor = caller.runtime, caller.actor

        async def load(keys: list[K]) -> list[T | None]:
            found = await read(runtime, actor, keys)
            return [found.get(key) for key in keys]

        return Loader(load_fn=load)

    return cached_property(loader)


def many(read: Read[K, list[T]]) -> cached_property[Loader[K, list[T]]]:
    def loader(caller: _ForCaller) -> Loader[K, list[T]]:
        runtime, actor = caller.runtime, caller.actor

        async def load(keys: list[K]) -> list[list[T]]:
            found = await read(runtime, actor, keys)
            return [found.get(key, []) for key in keys]

        return Loader(load_fn=load)

    return cached_property(loader)


class OwnLoaders(_ForCaller):
    """Of the viewer alone: colleagues who hear an event together have others."""

    place_in_session = one(presence.places_by_session)
    unread_in_session = one(presence.unread_by_session)


class Loaders(_ForCaller):
    """A module's name means the loader of that name below it, which is therefore the module's last."""

    sessions = one(sessions.by_id)
    trees = one(tree.by_session)
    moments = one(replay.by_place)
    branches = one(branches.by_id)
    fork_points = one(forks.fork_points_by_id)
    fork_points_of_session = many(forks.fork_points_by_session)
    options_of_fork_point = many(forks.options_by_fork_point)
    findings_of_branch = many(findings.by_branch)
    findings_of_session = many(findings.by_session)
    evidence_of_finding = many(findings.evidence_by_finding)
    bearings_of_finding = many(findings.bearings_by_finding)
    findings = one(findings.by_id)
    merges_of_branch = many(finding_merges.by_branch)
    findings_of_merge = many(finding_merges.findings_by_merge)
    finding_merges = one(finding_merges.by_id)
    rankings_of_branch = many(rankings.by_branch)
    proposals_of_session = many(revival_proposals.by_session)
    revival_proposals = one(revival_proposals.by_id)
    evidence_of_revival = many(revivals.evidence_by_revival)
    revivals_of_branch = many(revivals.revivals_by_branch)
    opinions_of_session = many(second_opinions.by_session)
    second_opinions = one(second_opinions.by_id)
    outputs = one(reading.by_id)
    outputs_of_session = many(reading.by_session)
    revisions_of_output = many(reading.revisions_by_output)
    kb_articles = one(library.by_id)
    articles_of_message = many(suggestions.articles_by_message)
    similar_to_session = many(lookup.similar_by_session)
    outcomes_of_option = many(outcomes.by_option)
    messages = one(messages.by_id)
    uploads_of_session = many(uploads.by_session)
    uploads_of_branch = many(uploads.by_branch)
    uploads = one(uploads.by_id)
    attachments_of_message = many(attachments.by_message)
    alternatives_of_message = many(alternatives.by_message)
    step_of_message = one(steps.by_message)
    step_of_fork_point = one(steps.by_fork_point)
    steps = one(steps.by_id)
    handoffs_of_session = many(handoffs.by_session)
    open_handoff_of_session = one(handoffs.open_by_session)
    handoffs = one(handoffs.by_id)
    present_in_session = many(presence.by_session)
    integrations = one(integrations.by_id)
    deliveries_of_handoff = many(deliveries.by_handoff)
    deliveries_of_output = many(deliveries.by_output)
    attempts_of_delivery = many(deliveries.attempts_by_delivery)
    deliveries = one(deliveries.by_id)
    spending_of_account = one(usage.spending_by_account)
    sla_targets_of_account = one(slas.by_account)
    teams = one(accounts.teams_by_id)
    teams_of_account = many(accounts.teams_by_account)
    users = one(accounts.users_by_id)
    members_of_team = many(accounts.members_by_team)
    accounts = one(accounts.by_id)
    api_key_of_user = one(api_keys.by_user)
    api_keys = one(api_keys.by_id)
