"""The jobs there are: their names, arguments and locks. services.jobs holds what they do."""

from uuid import UUID

from services.unit_of_work import Job

ANSWER_MESSAGE = "answer_message"


def answer_message(account_id: UUID, branch_id: UUID, reply_id: UUID) -> Job:
    """Replies of one branch are written one after the other, in the order they were asked for."""
    return Job(
        ANSWER_MESSAGE,
        {"account_id": str(account_id), "message_id": str(reply_id)},
        lock=f"branch:{branch_id}",
    )
