"""Random work of several people against a model of the tree, written down apart from the product.

After every step the model and the server agree on the answer; at the end also on the whole tree, on
every branch's lineage, on counts, and on the exact sequence of events. A stranger is always refused.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.client import Client
from tests.factories import Colleagues

OPEN = {"UNTRIED", "ACTIVE", "REVIVED"}
MARKS = {
    ("UNTRIED", "DEAD_END"),
    ("ACTIVE", "DEAD_END"),
    ("ACTIVE", "SOLVED"),
    ("REVIVED", "DEAD_END"),
    ("REVIVED", "SOLVED"),
    ("SOLVED", "ACTIVE"),
}
PLAN = 10
DEEPEST = 8
INTAKE = "Nothing works"

TREE = """
query($id: ID!) { session(id: $id) { status branchCount isBranching activeBranch { id }
  branches(includeArchived: true) {
    id label status order depth archivedAt version parent { id } messageCount
    all: messageCount(scope: LINEAGE)
    messages(first: 100, scope: LINEAGE) { edges { node { position body branch { id } } } } } } }
"""

KINDS = """
subscription($id: ID!, $after: String) {
  sessionChanged(sessionId: $id, after: $after) { __typename ... on Event { cursor } } }
"""


@dataclass(eq=False)
class ModelBranch:
    id: str
    label: str
    parent: "ModelBranch | None"
    cut: int
    order: int
    status: str = "UNTRIED"
    version: int = 1
    archived: int | None = None
    """Which act archived it."""
    said: list[str] = field(default_factory=list)
    children: list["ModelBranch"] = field(default_factory=list)
    points: list[tuple[str, int]] = field(default_factory=list)
    """Fork points on this branch, with their positions."""

    @property
    def depth(self) -> int:
        return 0 if self.parent is None else self.parent.depth + 1

    def lineage(self) -> list[str]:
        inherited = [] if self.parent is None else self.parent.lineage()[: self.cut]
        return inherited + self.said

    def subtree(self) -> Iterator["ModelBranch"]:
        yield self
        for child in self.children:
            yield from child.subtree()


class TreeMachine(RuleBasedStateMachine):
    """`place` is set by the test: the loop, and who plays."""

    place: "Place"

    def do(self, work: Awaitable[Any]) -> Any:
        async def coroutine() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(coroutine(), self.place.loop).result(60)

    # ------------------------------------------------------------ helpers of the model

    def pick(self, number: int) -> ModelBranch:
        return self.branches[number % len(self.branches)]

    def fresh(self) -> str:
        return f"cause {next(self.numbers)}"

    @property
    def hypotheses(self) -> int:
        return sum(branch.archived is None for branch in self.branches) - 1

    def expect(self, answer: dict[str, Any], refusal: str | None, *events: str) -> bool:
        """Whether it succeeded, as predicted; only then the events count."""
        name = answer["__typename"]
        assert name == refusal or (refusal is None and name.endswith("Success")), (answer, refusal)
        if refusal is None:
            self.events += events
        return refusal is None

    # ------------------------------------------------------------ rules

    @initialize()
    def start(self) -> None:
        self.numbers = itertools.count(1)
        self.acts = itertools.count(1)
        self.events: list[str] = []
        self.open_handoff: str | None = None
        self.assignee = "engineer"
        engineer = self.place.engineer
        started = self.do(
            engineer.mutate(
                "startSession",
                "session { id rootBranch { id } } reply { id }",
                intake={"text": INTAKE},
            )
        )
        self.do(engineer.answered(started["reply"]["id"]))
        self.session = started["session"]["id"]
        look = self.do(
            engineer.run("query($id: ID!) { session(id: $id) { eventCursor } }", id=self.session)
        )
        self.cursor = look["session"]["eventCursor"]
        trunk = ModelBranch(started["session"]["rootBranch"]["id"], "Trunk", None, 0, 1, "ACTIVE")
        trunk.said = [INTAKE, f"Answer to: {INTAKE}"]
        self.branches = [trunk]
        self.active = trunk

    @rule(
        where=st.integers(0, 99),
        width=st.integers(2, 3),
        after=st.one_of(st.none(), st.integers(0, 99)),
    )
    def fork(self, where: int, width: int, after: int | None) -> None:
        parent = self.pick(where)
        more: dict[str, Any] = {}
        position = parent.cut + len(parent.said)
        if after is not None and parent.said:
            position = parent.cut + 1 + after % len(parent.said)
            more["afterMessageId"] = self.do(self.message_at(parent, position))
        elif after is None:
            position = self.default_position(parent)
        labels = [self.fresh() for _ in range(width)]
        answer = self.do(
            self.place.lead.mutate(
                "forkBranch",
                "branches { id order } forkPoint { id }",
                sessionId=self.session,
                parentBranchId=parent.id,
                reason="Several causes",
                options=[{"label": label, "description": "A cause"} for label in labels],
                **more,
            )
        )
        if self.expect(answer, self.fork_refusal(parent, width), "BranchForked"):
            parent.points.append((answer["forkPoint"]["id"], position))
            self.grow(parent, position, labels, answer["branches"])

    @rule(where=st.integers(0, 99), which=st.integers(0, 99))
    def add_option(self, where: int, which: int) -> None:
        parent = self.pick(where)
        if not parent.points:
            return
        point, position = parent.points[which % len(parent.points)]
        label = self.fresh()
        answer = self.do(
            self.place.lead.mutate(
                "forkBranch",
                "branches { id order }",
                sessionId=self.session,
                forkPointId=point,
                reason="One more",
                options=[{"label": label, "description": "A cause"}],
            )
        )
        if self.expect(answer, self.fork_refusal(parent, 1), "BranchForked"):
            self.grow(parent, position, [label], answer["branches"])

    def default_position(self, parent: ModelBranch) -> int:
        """After the last answer, else after the last message, else where it left its own parent."""
        answers = [i for i, body in enumerate(parent.said, 1) if body.startswith("Answer to")]
        return parent.cut + (answers[-1] if answers else len(parent.said))

    def fork_refusal(self, parent: ModelBranch, width: int) -> str | None:
        if parent.archived is not None or parent.status not in OPEN:
            return "InvalidTransitionError"
        if parent.depth >= DEEPEST:
            return "InvalidInputError"
        return "BranchLimitError" if self.hypotheses + width > PLAN else None

    def grow(
        self, parent: ModelBranch, position: int, labels: list[str], made: list[dict[str, Any]]
    ) -> None:
        for label, one in zip(labels, made, strict=True):
            child = ModelBranch(one["id"], label, parent, position, len(parent.children) + 1)
            assert one["order"] == child.order
            parent.children.append(child)
            self.branches.append(child)

    async def message_at(self, branch: ModelBranch, position: int) -> str:
        answer = await self.place.lead.run(
            """query($id: ID!) { branch(id: $id) { messages(first: 100) {
              edges { node { id position } } } } }""",
            id=branch.id,
        )
        edges = answer["branch"]["messages"]["edges"]
        return str(
            next(edge["node"]["id"] for edge in edges if edge["node"]["position"] == position)
        )

    @rule(where=st.integers(0, 99))
    def switch(self, where: int) -> None:
        branch = self.pick(where)
        answer = self.do(
            self.place.lead.mutate("switchBranch", "branch { id }", branchId=branch.id)
        )
        events = ["BranchSwitched"] if branch is not self.active else []
        events += ["BranchStatusChanged"] if branch.status == "UNTRIED" else []
        refusal = "InvalidTransitionError" if branch.archived is not None else None
        if self.expect(answer, refusal, *events):
            self.active = branch
            branch.status = "ACTIVE" if branch.status == "UNTRIED" else branch.status

    @rule(
        where=st.integers(0, 99),
        status=st.sampled_from(["UNTRIED", "ACTIVE", "DEAD_END", "SOLVED", "REVIVED"]),
        reason=st.sampled_from([None, "It was measured"]),
        behind=st.sampled_from([0, 0, 0, 1]),
    )
    def mark(self, where: int, status: str, reason: str | None, behind: int) -> None:
        branch = self.pick(where)
        answer = self.do(
            self.place.lead.mutate(
                "markBranchStatus",
                "branch { id }",
                branchId=branch.id,
                status=status,
                reason=reason,
                expectedVersion=branch.version - behind,
            )
        )
        refusal = None
        if status == "DEAD_END" and reason is None:
            refusal = "InvalidInputError"
        elif behind:
            refusal = "StaleVersionError"
        elif (
            branch.archived is not None
            or (branch.status, status) not in MARKS
            or (branch.parent is None and status == "DEAD_END")
        ):
            refusal = "InvalidTransitionError"
        if self.expect(answer, refusal, "BranchStatusChanged"):
            branch.status = status
            branch.version += 1

    @rule(where=st.integers(0, 99), source=st.integers(0, 99))
    def revive(self, where: int, source: int) -> None:
        branch, speaker = self.pick(where), self.pick(source)
        answer = self.do(
            self.place.lead.mutate(
                "reviveBranch",
                "branch { id }",
                branchId=branch.id,
                evidenceFromBranchId=speaker.id,
                description="A new sign",
            )
        )
        refusal = None
        if branch is speaker:
            refusal = "InvalidInputError"
        elif branch.archived is not None or branch.status != "DEAD_END":
            refusal = "InvalidTransitionError"
        if self.expect(answer, refusal, "BranchStatusChanged", "MessageAdded"):
            branch.status = "REVIVED"
            branch.version += 1
            branch.said.append("[Branch Revived] New evidence from another branch: A new sign")

    @rule(where=st.integers(0, 99))
    def rename(self, where: int) -> None:
        branch, label = self.pick(where), self.fresh()
        answer = self.do(
            self.place.lead.mutate(
                "renameBranch",
                "branch { id }",
                branchId=branch.id,
                label=label,
                expectedVersion=branch.version,
            )
        )
        self.expect(answer, None, "BranchUpdated")
        branch.label = label
        branch.version += 1

    @rule(where=st.integers(0, 99))
    def archive(self, where: int) -> None:
        branch = self.pick(where)
        below = [found for found in branch.subtree() if found.archived is None]
        answer = self.do(
            self.place.lead.mutate(
                "archiveBranch", "branch { id }", branchId=branch.id, expectedVersion=branch.version
            )
        )
        stuck = branch.archived is not None or branch.parent is None or self.active in below
        refusal = "InvalidTransitionError" if stuck else None
        if self.expect(answer, refusal, *["BranchUpdated"] * len(below)):
            act = next(self.acts)
            for found in below:
                found.archived = act
                found.version += 1

    @rule(where=st.integers(0, 99))
    def restore(self, where: int) -> None:
        branch = self.pick(where)
        together = [
            found
            for found in branch.subtree()
            if found.archived is not None and found.archived == branch.archived
        ]
        answer = self.do(
            self.place.lead.mutate(
                "restoreBranch", "branch { id }", branchId=branch.id, expectedVersion=branch.version
            )
        )
        refusal = None
        if branch.archived is None or (branch.parent and branch.parent.archived is not None):
            refusal = "InvalidTransitionError"
        elif self.hypotheses + len(together) > PLAN:
            refusal = "BranchLimitError"
        if self.expect(answer, refusal, *["BranchUpdated"] * len(together)):
            for found in together:
                found.archived = None
                found.version += 1

    @rule(where=st.integers(0, 99))
    def say(self, where: int) -> None:
        branch, body = self.pick(where), f"question {next(self.numbers)}"
        answer = self.do(
            self.place.lead.mutate(
                "sendBranchMessage",
                "reply { state }",
                branchId=branch.id,
                body=body,
                awaitReply=True,
            )
        )
        closed = branch.archived is not None or branch.status not in OPEN
        events = ["BranchStatusChanged"] if branch.status in {"UNTRIED", "REVIVED"} else []
        events += ["MessageAdded", "MessageAdded", "MessageFinished"]
        if self.expect(answer, "InvalidTransitionError" if closed else None, *events):
            branch.status = "ACTIVE"
            branch.said += [body, f"Answer to: {body}"]

    @rule(intent=st.sampled_from(["PARK", "ESCALATE"]))
    def hand_off(self, intent: str) -> None:
        answer = self.do(
            self.place.lead.mutate(
                "handOffSession", "handoff { id }", sessionId=self.session, intent=intent
            )
        )
        refusal = None if self.open_handoff is None else "InvalidTransitionError"
        if self.expect(answer, refusal, "HandoffCreated", "SessionStatusChanged"):
            self.open_handoff = answer["handoff"]["id"]

    @rule(who=st.sampled_from(["engineer", "engineer2"]))
    def claim(self, who: str) -> None:
        if self.open_handoff is None:
            return
        claimer = getattr(self.place, who)
        answer = self.do(
            claimer.mutate("claimHandoff", "handoff { id }", handoffId=self.open_handoff)
        )
        events = ["HandoffClaimed", "SessionStatusChanged"]
        events += ["SessionUpdated"] if who != self.assignee else []
        self.expect(answer, None, *events)
        self.assignee, self.open_handoff = who, None

    @rule(where=st.integers(0, 99))
    def a_stranger_finds_nothing(self, where: int) -> None:
        branch = self.pick(where)
        for name, more in (
            ("switchBranch", {}),
            ("archiveBranch", {"expectedVersion": branch.version}),
            ("sendBranchMessage", {"body": "hello"}),
        ):
            answer = self.do(
                self.place.stranger.mutate(name, "session { id }", branchId=branch.id, **more)
            )
            assert answer["__typename"] == "NotFoundError"

    @rule(where=st.integers(0, 99))
    def a_colleague_who_is_not_assigned_may_not_write(self, where: int) -> None:
        branch = self.pick(where)
        other = self.place.engineer if self.assignee == "engineer2" else self.place.engineer2
        answer = self.do(other.mutate("switchBranch", "branch { id }", branchId=branch.id))
        assert answer["__typename"] == "PermissionDeniedError"

    # ------------------------------------------------------------ the end

    def teardown(self) -> None:
        if not hasattr(self, "session"):
            return
        session = self.do(self.place.lead.run(TREE, id=self.session))["session"]
        assert session["branchCount"] == len(self.branches)
        assert session["isBranching"] is (len(self.branches) > 1)
        assert session["activeBranch"]["id"] == self.active.id
        told = {branch["id"]: branch for branch in session["branches"]}
        assert len(told) == len(self.branches)
        for branch in self.branches:
            self.compare(branch, told[branch.id])
        assert self.do(self.heard()) == self.events

    def compare(self, branch: ModelBranch, told: dict[str, Any]) -> None:
        lineage = branch.lineage()
        nodes = [edge["node"] for edge in told["messages"]["edges"]]
        assert (
            told["label"],
            told["status"],
            told["order"],
            told["depth"],
            told["version"],
            told["archivedAt"] is not None,
            told["parent"] and told["parent"]["id"],
        ) == (
            branch.label,
            branch.status,
            branch.order,
            branch.depth,
            branch.version,
            branch.archived is not None,
            branch.parent and branch.parent.id,
        )
        assert (told["messageCount"], told["all"]) == (len(branch.said), len(lineage))
        assert [node["body"] for node in nodes] == lineage[:100]
        assert [node["position"] for node in nodes] == list(range(1, len(nodes) + 1))
        family = {branch.id}
        above = branch.parent
        while above is not None:
            family.add(above.id)
            above = above.parent
        assert {node["branch"]["id"] for node in nodes} <= family

    async def heard(self) -> list[str]:
        """All events since the start, up to a mark that is made now."""
        mark = await self.place.lead.mutate(
            "renameBranch",
            "branch { id }",
            branchId=self.branches[0].id,
            label="The mark",
            expectedVersion=self.branches[0].version,
        )
        assert mark["__typename"] == "RenameBranchSuccess"
        seen: list[str] = []
        async with self.place.lead.subscribe(KINDS, id=self.session, after=self.cursor) as events:
            async for event in events:
                seen.append(event["sessionChanged"]["__typename"])
                if len(seen) > len(self.events):
                    break
        assert seen.pop() == "BranchUpdated"
        return seen


@dataclass
class Place:
    loop: asyncio.AbstractEventLoop
    engineer: Client
    engineer2: Client
    lead: Client
    stranger: Client


async def test_random_work_agrees_with_the_model(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    TreeMachine.place = Place(
        asyncio.get_running_loop(),
        client.as_(colleagues.engineer),
        client.as_(colleagues.engineer2),
        client.as_(colleagues.lead),
        client.as_(strangers.admin),
    )
    await asyncio.to_thread(
        run_state_machine_as_test,
        TreeMachine,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
