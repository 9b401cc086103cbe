"""Tickets in people's own words find the card that they are about, or none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from services.ai.cards import load_cards
from services.ai.retrieval import CardIndex

INDEX = CardIndex(load_cards())


def tickets() -> Iterator[tuple[str | None, str]]:
    for file in sorted((Path(__file__).parent / "tickets").glob("*.yaml")):
        for entry in yaml.safe_load(file.read_text("utf-8")):
            for ticket in entry["tickets"]:
                yield entry["card"], ticket


@pytest.mark.parametrize(("card", "ticket"), list(tickets()))
def test_a_ticket_finds_its_card(card: str | None, ticket: str) -> None:
    match = INDEX.card_for(ticket)
    assert (match.card.id if match else None) == card
