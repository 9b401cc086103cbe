"""What the offline playbook makes of problems that it was not written for.

    python -m benchmarks.playbook FILE

FILE holds articles, a JSON array or a JSON object a line, each with a `title` and its `symptoms`. The
provider is given the symptoms alone, as the intake of a session. For each article a line of JSON tells the
first three hypotheses with their descriptions and the card they came from, or "no match". Whether that is
right, a person judges.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.message import MessageRole
from services.ai.cards import load_cards
from services.ai.playbook import PlaybookProvider
from services.ai.port import Conversation, Done, SessionFacts, Turn, TurnRequest
from services.ai.retrieval import CardIndex

SHOWN = 3


async def run(articles: Iterator[dict[str, Any]]) -> None:
    cards = load_cards()
    provider, index = PlaybookProvider(cards), CardIndex(cards)
    for article in articles:
        symptoms = symptoms_of(article)
        asked = Turn(1, MessageRole.USER, symptoms)
        request = TurnRequest(Conversation(SessionFacts(symptoms)), asked, purpose="intake")
        async for piece in provider.stream_turn(request):
            if isinstance(piece, Done):
                print(json.dumps(judged(article, piece, index), ensure_ascii=False))


def judged(article: dict[str, Any], answer: Done, index: CardIndex) -> dict[str, Any]:
    told = {"path": article.get("path"), "title": article.get("title")}
    match = index.card_for(symptoms_of(article))
    if answer.fork is None or match is None:
        return {**told, "result": "no match"}
    return {
        **told,
        "result": [
            {"hypothesis": option.label, "description": option.description, "card": match.card.id}
            for option in answer.fork.options[:SHOWN]
        ],
    }


def symptoms_of(article: dict[str, Any]) -> str:
    symptoms = article["symptoms"]
    return "\n".join(symptoms) if isinstance(symptoms, list) else str(symptoms)


def articles_in(file: Path) -> Iterator[dict[str, Any]]:
    text = file.read_text("utf-8")
    if text.lstrip().startswith("["):
        yield from json.loads(text)
        return
    for line in text.splitlines():
        if line.strip():
            yield json.loads(line)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.playbook FILE")
    asyncio.run(run(articles_in(Path(sys.argv[1]))))
