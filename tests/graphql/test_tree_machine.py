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

from services.ai.scripted import Fail, Hold, ScriptedProvider
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

LATELY = st.sampled_from([0, 0, 0, 1, 2])
"""Which handoff, counted from the last one."""

LABELS = st.sampled_from([None, None, None, "Cable", "CABLE", "Driver"])
"""None is a label that no other branch has."""

PUT_DOWN = {"PARK": "PAUSED", "ESCALATE": "ESCALATED"}

TREE = """
query($id: ID!) { session(id: $id) {
  status handoffCount assignee { id } branchCount isBranching activeBranch { id }
  branches(includeArchived: true) {
    id label status order depth archivedAt version parent { id } messageCount
    all: messageCount(scope: LINEAGE)
    messages(first: 100, scope: LINEAGE) { edges { node { position state body branch { id } } } } } } }
"""

KINDS = """
subscription($id: ID!, $after: String) {
  sessionChanged(sessionId: $id, after: $after) { __typename ... on Event { cursor } } }
"""


VERSION = "query($id: ID!) { session(id: $id) { version } }"
NOW = "query($id: ID!) { session(id: $id) { eventCursor } }"


@dataclass(eq=False)
class Said:
    body: str
    state: str = "COMPLETE"
    question: str | None = None
    """What it answers, if it is a reply."""
    id: str = ""
    """Known of replies only."""


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
    said: list[Said] = field(default_factory=list)
    children: list["ModelBranch"] = field(default_factory=list)
    points: list[tuple[str, int]] = field(default_factory=list)
    """Fork points on this branch, with their positions."""

    @property
    def depth(self) -> int:
        return 0 if self.parent is None else self.parent.depth + 1

    def lineage(self) -> list[Said]:
        inherited = [] if self.parent is None else self.parent.lineage()[: self.cut]
        return inherited + self.said

    @property
    def closed(self) -> bool:
        return self.archived is not None or self.status not in OPEN

    def labelled(self, label: str, *, archived: int | None = None) -> "list[ModelBranch]":
        """Children of that label that are in sight, or come back into sight by the same act."""
        return [
            child
            for child in self.children
            if child.archived in {None, archived} and child.label.lower() == label.lower()
        ]

    def subtree(self) -> Iterator["ModelBranch"]:
        yield self
        for child in self.children:
            yield from child.subtree()


@dataclass(eq=False)
class ModelHandoff:
    id: str
    state: str = "OPEN"
    """OPEN, CANCELLED, or who claimed it."""
    held: bool = False
    taken_from: str = ""
    """Whose the session was when it was claimed."""
    given_back_by: str | None = None
    """Who had claimed it and may repeat that."""


class TreeMachine(RuleBasedStateMachine):
    """`place` is set by the test: the loop, and who plays."""

    place: "Place"
    assignee: str

    def do(self, work: Awaitable[Any]) -> Any:
        async def coroutine() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(coroutine(), self.place.loop).result(60)

    # ------------------------------------------------------------ helpers of the model

    def pick(self, number: int) -> ModelBranch:
        return self.branches[number % len(self.branches)]

    def label(self, given: str | None) -> str:
        return given or f"cause {next(self.numbers)}"

    def writer(self) -> Client:
        """By turns who may write: the assignee, a lead, an admin. `speaker` is who it was."""
        self.speaker = (self.assignee, "lead", "admin")[next(self.turns) % 3]
        client: Client = getattr(self.place, self.speaker)
        return client

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
        self.turns = itertools.count()
        self.status = "ACTIVE"
        self.handoffs: list[ModelHandoff] = []
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
        self.cursor = self.do(engineer.run(NOW, id=self.session))["session"]["eventCursor"]
        trunk = ModelBranch(started["session"]["rootBranch"]["id"], "Trunk", None, 0, 1, "ACTIVE")
        reply = Said(f"Answer to: {INTAKE}", "COMPLETE", INTAKE, started["reply"]["id"])
        trunk.said = [Said(INTAKE), reply]
        self.branches = [trunk]
        self.active = trunk

    @rule(
        where=st.integers(0, 99),
        given=st.lists(LABELS, min_size=2, max_size=3),
        after=st.one_of(st.none(), st.integers(0, 99)),
    )
    def fork(self, where: int, given: list[str | None], after: int | None) -> None:
        parent = self.pick(where)
        more: dict[str, Any] = {}
        position = self.default_position(parent)
        if after is not None and parent.said:
            position = parent.cut + 1 + after % len(parent.said)
            more["afterMessageId"] = self.do(self.message_at(parent, position))
        labels = [self.label(one) for one in given]
        answer = self.do(
            self.writer().mutate(
                "forkBranch",
                "branches { id order } forkPoint { id }",
                sessionId=self.session,
                parentBranchId=parent.id,
                reason="Several causes",
                options=[{"label": label, "description": "A cause"} for label in labels],
                **more,
            )
        )
        unfinished = (
            position > parent.cut and parent.said[position - parent.cut - 1].state != "COMPLETE"
        )
        refusal = self.fork_refusal(parent, labels, unfinished=unfinished)
        if self.expect(answer, refusal, "BranchForked"):
            parent.points.append((answer["forkPoint"]["id"], position))
            self.grow(parent, position, labels, answer["branches"])

    @rule(where=st.integers(0, 99), which=st.integers(0, 99), given=LABELS)
    def add_option(self, where: int, which: int, given: str | None) -> None:
        parent = self.pick(where)
        if not parent.points:
            return
        point, position = parent.points[which % len(parent.points)]
        label = self.label(given)
        answer = self.do(
            self.writer().mutate(
                "forkBranch",
                "branches { id order }",
                sessionId=self.session,
                forkPointId=point,
                reason="One more",
                options=[{"label": label, "description": "A cause"}],
            )
        )
        if self.expect(answer, self.fork_refusal(parent, [label]), "BranchForked"):
            self.grow(parent, position, [label], answer["branches"])

    def default_position(self, parent: ModelBranch) -> int:
        """After the last answer, else after the last message, else where it left its own parent."""
        complete = [at for at, one in enumerate(parent.said, 1) if one.state == "COMPLETE"]
        answers = [at for at in complete if parent.said[at - 1].question is not None]
        return parent.cut + max(answers or complete, default=0)

    def fork_refusal(
        self, parent: ModelBranch, labels: list[str], *, unfinished: bool = False
    ) -> str | None:
        if len({label.lower() for label in labels}) < len(labels):
            return "InvalidInputError"
        if parent.closed or unfinished:
            return "InvalidTransitionError"
        if any(parent.labelled(label) for label in labels) or parent.depth >= DEEPEST:
            return "InvalidInputError"
        return "BranchLimitError" if self.hypotheses + len(labels) > PLAN else None

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
        answer = self.do(self.writer().mutate("switchBranch", "branch { id }", branchId=branch.id))
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
            self.writer().mutate(
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
            self.writer().mutate(
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
            note = "[Branch Revived] New evidence from another branch: A new sign"
            branch.said.append(Said(note))

    @rule(where=st.integers(0, 99), given=LABELS)
    def rename(self, where: int, given: str | None) -> None:
        branch, label = self.pick(where), self.label(given)
        answer = self.do(
            self.writer().mutate(
                "renameBranch",
                "branch { id }",
                branchId=branch.id,
                label=label,
                expectedVersion=branch.version,
            )
        )
        same = branch.parent.labelled(label, archived=branch.archived) if branch.parent else []
        refusal = "InvalidInputError" if set(same) - {branch} else None
        if self.expect(answer, refusal, "BranchUpdated"):
            branch.label = label
            branch.version += 1

    @rule(where=st.integers(0, 99))
    def archive(self, where: int) -> None:
        branch = self.pick(where)
        below = [found for found in branch.subtree() if found.archived is None]
        answer = self.do(
            self.writer().mutate(
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
            self.writer().mutate(
                "restoreBranch", "branch { id }", branchId=branch.id, expectedVersion=branch.version
            )
        )
        refusal = None
        if branch.archived is None or branch.parent is None or branch.parent.archived is not None:
            refusal = "InvalidTransitionError"
        elif branch.parent.labelled(branch.label):
            refusal = "InvalidInputError"
        elif self.hypotheses + len(together) > PLAN:
            refusal = "BranchLimitError"
        if self.expect(answer, refusal, *["BranchUpdated"] * len(together)):
            for found in together:
                found.archived = None
                found.version += 1

    @rule(
        where=st.integers(0, 99),
        end=st.sampled_from(["COMPLETE", "COMPLETE", "FAILED", "CANCELLED"]),
    )
    def say(self, where: int, end: str) -> None:
        branch, body = self.pick(where), f"{self.session} {next(self.numbers)}?"
        hold = Hold(asyncio.Event(), Fail("Too late.", retryable=False))
        if end == "FAILED":
            self.place.provider.script(body, Fail("No answer.", retryable=False))
        elif end == "CANCELLED":
            self.place.provider.script(body, hold)
        answer = self.do(
            self.writer().mutate(
                "sendBranchMessage",
                "reply { id state }",
                branchId=branch.id,
                body=body,
                awaitReply=end != "CANCELLED",
            )
        )
        resumes = self.status != "ACTIVE" and self.speaker == self.assignee
        events = ["HandoffCancelled", "SessionStatusChanged"] if resumes else []
        events += ["BranchStatusChanged"] if branch.status in {"UNTRIED", "REVIVED"} else []
        events += ["MessageAdded", "MessageAdded", "MessageFinished"]
        if not self.expect(answer, "InvalidTransitionError" if branch.closed else None, *events):
            return
        if resumes:
            self.status = "ACTIVE"
            self.handoffs[-1].state = "CANCELLED"
        branch.status = "ACTIVE"
        reply = Said("", end, body, answer["reply"]["id"])
        branch.said += [Said(body), reply]
        if end == "CANCELLED":
            self.do(self.cancel_once_begun(reply, hold))
        else:
            assert answer["reply"]["state"] == end
            reply.body = f"Answer to: {body}" if end == "COMPLETE" else ""

    async def cancel_once_begun(self, reply: Said, hold: Hold) -> None:
        """The model is let go only after that, and what it says then is lost."""
        await hold.reached.wait()
        answer = await self.writer().mutate(
            "cancelMessage", "cancelledMessage { state body }", messageId=reply.id
        )
        assert answer["cancelledMessage"] == {"state": "CANCELLED", "body": ""}
        hold.event.set()

    @rule(where=st.integers(0, 99), which=st.integers(0, 99))
    def retry(self, where: int, which: int) -> None:
        found = self.a_reply(where, which)
        if found is None:
            return
        branch, reply = found
        answer = self.do(
            self.writer().mutate("retryMessage", "reply { state }", messageId=reply.id)
        )
        refused = branch.closed or reply.state == "COMPLETE"
        refusal = "InvalidTransitionError" if refused else None
        if self.expect(answer, refusal, "MessageRestarted", "MessageFinished"):
            self.do(self.place.lead.answered(reply.id))
            reply.state, reply.body = "COMPLETE", f"Answer to: {reply.question}"

    @rule(where=st.integers(0, 99), which=st.integers(0, 99))
    def cancel_what_is_over(self, where: int, which: int) -> None:
        found = self.a_reply(where, which)
        if found is None:
            return
        answer = self.do(
            self.writer().mutate("cancelMessage", "cancelledMessage { id }", messageId=found[1].id)
        )
        self.expect(answer, "InvalidTransitionError")

    def a_reply(self, where: int, which: int) -> tuple[ModelBranch, Said] | None:
        """Rather one that may be retried."""
        replies = [(branch, one) for branch in self.branches for one in branch.said if one.question]
        wanted = [found for found in replies if found[1].state != "COMPLETE"]
        chosen = wanted or replies
        return chosen[(where + which) % len(chosen)] if chosen else None

    @rule(intent=st.sampled_from(["PARK", "ESCALATE"]))
    def hand_off(self, intent: str) -> None:
        answer = self.do(
            self.writer().mutate(
                "handOffSession", "handoff { id }", sessionId=self.session, intent=intent
            )
        )
        refusal = None if self.status == "ACTIVE" else "InvalidTransitionError"
        if self.expect(answer, refusal, "HandoffCreated", "SessionStatusChanged"):
            self.status = PUT_DOWN[intent]
            self.let_go()
            self.handoffs.append(ModelHandoff(answer["handoff"]["id"]))

    def let_go(self) -> None:
        """Nobody holds a session that is not active."""
        for handoff in self.handoffs:
            handoff.held = False

    @rule(who=st.sampled_from(["engineer", "engineer2", "lead"]), which=LATELY)
    def claim(self, who: str, which: int) -> None:
        if not self.handoffs:
            return
        handoff = self.handoffs[-1 - which % len(self.handoffs)]
        answer = self.do(
            getattr(self.place, who).mutate("claimHandoff", "handoff { id }", handoffId=handoff.id)
        )
        if handoff.state == "OPEN":
            events = ["HandoffClaimed", "SessionStatusChanged"]
            events += ["SessionUpdated"] if who != self.assignee else []
            self.expect(answer, None, *events)
            handoff.taken_from, handoff.held = self.assignee, True
            handoff.state, self.status, self.assignee = who, "ACTIVE", who
        elif handoff.state == "CANCELLED" or (handoff.state == who and not handoff.held):
            self.expect(answer, "InvalidTransitionError")
        elif self.expect(answer, None if handoff.state == who else "HandoffTakenError"):
            assert answer["handoff"]["id"] == handoff.id
        else:
            winner = getattr(self.place.people, handoff.state)
            assert answer["handoff"] == {"id": handoff.id, "claimedBy": {"id": winner.id}}

    @rule(which=LATELY)
    def release(self, which: int) -> None:
        if not self.handoffs:
            return
        handoff = self.handoffs[-1 - which % len(self.handoffs)]
        answer = self.do(
            self.writer().mutate("releaseHandoff", "handoff { id intent }", handoffId=handoff.id)
        )
        if handoff.given_back_by is not None and self.speaker == handoff.given_back_by:
            self.expect(answer, None)
            return
        events = ["HandoffReturned", "HandoffCreated", "SessionStatusChanged"]
        events += ["SessionUpdated"] if handoff.taken_from != self.assignee else []
        if self.expect(answer, None if handoff.held else "InvalidTransitionError", *events):
            self.status, self.assignee = PUT_DOWN[answer["handoff"]["intent"]], handoff.taken_from
            handoff.given_back_by = handoff.state
            self.let_go()
            self.handoffs.append(ModelHandoff(answer["handoff"]["id"]))

    @rule(which=LATELY)
    def cancel_handoff(self, which: int) -> None:
        if not self.handoffs:
            return
        handoff = self.handoffs[-1 - which % len(self.handoffs)]
        answer = self.do(
            self.writer().mutate("cancelHandoff", "handoff { state }", handoffId=handoff.id)
        )
        refusal = None if handoff.state == "OPEN" else "InvalidTransitionError"
        if self.expect(answer, refusal, "HandoffCancelled", "SessionStatusChanged"):
            handoff.state, self.status = "CANCELLED", "ACTIVE"

    @rule(verb=st.sampled_from(["resolveSession", "abandonSession"]), where=st.integers(0, 99))
    def end_and_reopen(self, verb: str, where: int) -> None:
        """Between the two nothing of the tree can be changed."""
        branch, more = self.pick(where), {}
        events, refusal = [], None
        if verb == "resolveSession":
            more = {"solvedBranchId": branch.id, "summary": "It was measured"}
            if branch.status != "SOLVED":
                events.append("BranchStatusChanged")
            if branch.archived is not None or (
                branch.status != "SOLVED" and (branch.status, "SOLVED") not in MARKS
            ):
                refusal = "InvalidTransitionError"
        else:
            more = {"reason": "It was measured"}
        version = self.do(self.place.lead.run(VERSION, id=self.session))["session"]["version"]
        answer = self.do(
            self.writer().mutate(
                verb, "session { id }", sessionId=self.session, expectedVersion=version, **more
            )
        )
        waiting = [handoff for handoff in self.handoffs if handoff.state == "OPEN"]
        events += ["HandoffCancelled"] * len(waiting) + ["SessionStatusChanged"]
        if not self.expect(answer, refusal, *events):
            return
        if verb == "resolveSession" and branch.status != "SOLVED":
            branch.status = "SOLVED"
            branch.version += 1
        for handoff in waiting:
            handoff.state = "CANCELLED"
        self.let_go()
        refused = self.do(self.writer().mutate("switchBranch", "branch { id }", branchId=branch.id))
        self.expect(refused, "InvalidTransitionError")
        answer = self.do(
            self.writer().mutate(
                "reopenSession",
                "session { id }",
                sessionId=self.session,
                expectedVersion=version + 1,
            )
        )
        self.expect(answer, None, "SessionStatusChanged")
        self.status = "ACTIVE"

    @rule(where=st.integers(0, 99))
    def a_stranger_finds_nothing(self, where: int) -> None:
        stranger, branch = self.place.stranger, self.pick(where)
        assert self.do(stranger.run(NOW, id=self.session)) == {"session": None}
        at_branch: dict[str, dict[str, Any]] = {
            "switchBranch": {},
            "archiveBranch": {"expectedVersion": branch.version},
            "restoreBranch": {"expectedVersion": branch.version},
            "renameBranch": {"expectedVersion": branch.version, "label": "Mine"},
            "markBranchStatus": {"expectedVersion": branch.version, "status": "SOLVED"},
            "sendBranchMessage": {"body": "hello"},
        }
        refused = [(name, {"branchId": branch.id, **more}) for name, more in at_branch.items()]
        refused.append(("handOffSession", {"sessionId": self.session, "intent": "PARK"}))
        refused += [
            (name, {"handoffId": handoff.id})
            for name in ("claimHandoff", "cancelHandoff")
            for handoff in self.handoffs[-1:]
        ]
        for name, more in refused:
            answer = self.do(stranger.mutate(name, "__typename", **more))
            assert answer["__typename"] == "NotFoundError", (name, answer)

    @rule(where=st.integers(0, 99))
    def a_colleague_who_is_not_assigned_may_not_write(self, where: int) -> None:
        branch = self.pick(where)
        other = self.place.engineer2 if self.assignee == "engineer" else self.place.engineer
        answer = self.do(other.mutate("switchBranch", "branch { id }", branchId=branch.id))
        assert answer["__typename"] == "PermissionDeniedError"

    # ------------------------------------------------------------ the end

    def teardown(self) -> None:
        if not hasattr(self, "session"):
            return
        session = self.do(self.place.lead.run(TREE, id=self.session))["session"]
        assert (session["status"], session["handoffCount"]) == (self.status, len(self.handoffs))
        assert session["assignee"]["id"] == getattr(self.place.people, self.assignee).id
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
        assert [(node["state"], node["body"]) for node in nodes] == [
            (one.state, one.body) for one in lineage[:100]
        ]
        assert [node["position"] for node in nodes] == list(range(1, len(nodes) + 1))
        family = {branch.id}
        above = branch.parent
        while above is not None:
            family.add(above.id)
            above = above.parent
        assert {node["branch"]["id"] for node in nodes} <= family

    async def heard(self) -> list[str]:
        """All events of the tree since the start: up to the account's newest, as nobody works on another.
        The documents of a resolved session come when their jobs are done.
        """
        newest = (await self.place.lead.run(NOW, id=self.session))["session"]["eventCursor"]
        seen: list[str] = []
        if newest == self.cursor:
            return seen
        async with self.place.lead.subscribe(KINDS, id=self.session, after=self.cursor) as events:
            async for event in events:
                kind = event["sessionChanged"]["__typename"]
                if kind != "ResolutionOutputChanged":
                    seen.append(kind)
                if event["sessionChanged"]["cursor"] == newest:
                    break
        return seen


@dataclass
class Place:
    loop: asyncio.AbstractEventLoop
    engineer: Client
    engineer2: Client
    lead: Client
    admin: Client
    stranger: Client
    people: Colleagues
    provider: ScriptedProvider


async def test_random_work_agrees_with_the_model(
    client: Client,
    colleagues: Colleagues,
    strangers: Colleagues,
    provider: ScriptedProvider,
) -> None:
    TreeMachine.place = Place(
        asyncio.get_running_loop(),
        client.as_(colleagues.engineer),
        client.as_(colleagues.engineer2),
        client.as_(colleagues.lead),
        client.as_(colleagues.admin),
        client.as_(strangers.admin),
        colleagues,
        provider,
    )
    await asyncio.to_thread(
        run_state_machine_as_test,
        TreeMachine,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
