"""The jobs there are: their names, arguments and locks, and how one asks for another try.

services.jobs runs them.
"""

from datetime import datetime
from uuid import UUID

from services.unit_of_work import Job

ANSWER_MESSAGE = "answer_message"
ANALYSE_BRANCH = "analyse_branch"
GIVE_SECOND_OPINION = "give_second_opinion"
PREPARE_HANDOFF = "prepare_handoff"
DESCRIBE_UPLOAD = "describe_upload"
WRITE_OUTPUT = "write_output"
DELIVER = "deliver"

BEHIND_ANSWERS = -10
"""Priority of what nobody waits for."""


class TryAgain(Exception):
    """It may go better in a while."""


def answer_message(account_id: UUID, branch_id: UUID, reply_id: UUID) -> Job:
    """Replies of one branch are written one after the other, in the order they were asked for."""
    return Job(
        ANSWER_MESSAGE,
        {"account_id": str(account_id), "message_id": str(reply_id)},
        lock=f"branch:{branch_id}",
    )


def analyse_branch(account_id: UUID, branch_id: UUID) -> Job:
    return Job(
        ANALYSE_BRANCH,
        {"account_id": str(account_id), "branch_id": str(branch_id)},
        lock=f"analysis:{branch_id}",
        priority=BEHIND_ANSWERS,
    )


def give_second_opinion(account_id: UUID, session_id: UUID, opinion_id: UUID) -> Job:
    return Job(
        GIVE_SECOND_OPINION,
        {"account_id": str(account_id), "opinion_id": str(opinion_id)},
        lock=f"session:{session_id}",
    )


def prepare_handoff(account_id: UUID, session_id: UUID, handoff_id: UUID) -> Job:
    return Job(
        PREPARE_HANDOFF,
        {"account_id": str(account_id), "handoff_id": str(handoff_id)},
        lock=f"session:{session_id}",
    )


def describe_upload(account_id: UUID, upload_id: UUID) -> Job:
    return Job(
        DESCRIBE_UPLOAD,
        {"account_id": str(account_id), "upload_id": str(upload_id)},
        lock=f"upload:{upload_id}",
    )


def write_output(account_id: UUID, output_id: UUID) -> Job:
    return Job(
        WRITE_OUTPUT,
        {"account_id": str(account_id), "output_id": str(output_id)},
        lock=f"output:{output_id}",
    )


def deliver(account_id: UUID, delivery_id: UUID, at: datetime | None = None) -> Job:
    """One try of a delivery; no two at the same time."""
    return Job(
        DELIVER,
        {"account_id": str(account_id), "delivery_id": str(delivery_id)},
        lock=f"delivery:{delivery_id}",
        scheduled_at=at,
    )
