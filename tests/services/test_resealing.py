"""After the secret was changed, credentials are encrypted under the new one, and the old is not needed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, select
from sqlalchemy.engine import Connection

from cli import migrate
from cli.reseal import reseal
from models.account import Account, Plan
from models.integration import Integration, IntegrationProvider
from services.database import sync_url
from services.destinations.providers import owner
from services.ids import new_id
from services.sealing import Seal, Unsealable
from settings import Settings

OLD, NEW, LOST = "old" * 20, "new" * 20, "lost" * 20
LOGIN = {"api_key": "correct horse"}


def add(db: Connection, secret: str | None) -> tuple[bytes, bytes | None]:
    """Whom it is sealed for, and what is sealed."""
    account_id, integration_id = new_id(), new_id()
    whose = owner(account_id, integration_id)
    sealed = None if secret is None else Seal(secret.encode()).close(whose, LOGIN)
    db.execute(insert(Account).values(id=account_id, name="MSP", plan=Plan.FREE))
    db.execute(
        insert(Integration).values(
            account_id=account_id,
            id=integration_id,
            provider=IntegrationProvider.HUDU,
            name="Articles",
            base_url="https://hudu.example",
            credentials=sealed,
        )
    )
    return whose, sealed


def test_what_was_sealed_before_is_sealed_anew(
    make_database: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = make_database("reseal")
    migrate(url)
    engine = create_engine(sync_url(url))
    with engine.begin() as db:
        readable = [add(db, OLD), add(db, NEW)]
        lost, removed = add(db, LOST), add(db, None)
    settings = Settings(
        data_dir=tmp_path, database_url=url, secret_key=NEW, previous_secret_key=OLD
    )
    reseal(settings)
    assert capsys.readouterr().out == (
        "integrations: 2 encrypted under the present key\n"
        "1 are of another key: enter their credentials again\n"
    )
    with engine.connect() as db:
        rows = db.execute(select(Integration.account_id, Integration.id, Integration.credentials))
        kept = {owner(account_id, id): credentials for account_id, id, credentials in rows}
    engine.dispose()
    for whose, before in readable:
        assert kept[whose] != before
        assert Seal(NEW.encode()).open(whose, kept[whose]) == LOGIN
        with pytest.raises(Unsealable):
            Seal(OLD.encode()).open(whose, kept[whose])
    assert (kept[lost[0]], kept[removed[0]]) == (lost[1], None)
