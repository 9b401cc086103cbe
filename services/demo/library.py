"""The articles that every account of the demo begins with."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.knowledge import KbArticle
from services.ids import new_id

ARTICLES = Path(__file__).with_name("articles.yaml")


async def write_library(db: AsyncConnection, account_id: UUID) -> None:
    """One article a week, the last one a week ago."""
    told: list[dict[str, Any]] = yaml.safe_load(ARTICLES.read_text())
    now = datetime.now(UTC)
    rows = []
    for weeks, article in zip(range(len(told), 0, -1), told, strict=True):
        written_at = now - timedelta(weeks=weeks)
        rows.append(
            {
                "account_id": account_id,
                "id": new_id(),
                "title": article.pop("title"),
                "body": _body(article),
                "content": article,
                "created_at": written_at,
                "updated_at": written_at,
            }
        )
    await db.execute(insert(KbArticle), rows)


def _body(article: dict[str, Any]) -> str:
    numbered = (f"{number}. {step}" for number, step in enumerate(article["steps"], start=1))
    sections = {
        "Symptoms": _list(article["symptoms"]),
        "Root Cause": article["root_cause"],
        "Resolution Steps": "\n".join(numbered),
        "Things to Rule Out First": _list(article["rule_out_first"]),
    }
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())


def _list(entries: Iterable[str]) -> str:
    return "\n".join(f"- {entry}" for entry in entries)
