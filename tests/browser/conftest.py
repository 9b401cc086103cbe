"""One chromium for all tests, and for each test windows at the server that they share."""

from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher
from playwright.async_api import Browser
from sqlalchemy import update

from models.account import User
from services.runtime import Runtime
from tests.browser.windows import Windows, chromium, windows_at
from tests.factories import Colleagues
from tests.tables import as_owner

PASSWORD = "a-password-for-tests"


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest.fixture
async def windows(browser: Browser, address: tuple[str, Runtime]) -> AsyncIterator[Windows]:
    async with windows_at(browser, address[0]) as opened:
        yield opened


@pytest.fixture(scope="session")
def password_hash() -> str:
    return PasswordHasher().hash(PASSWORD)


@pytest.fixture
async def email(colleagues: Colleagues, database_url: str, password_hash: str) -> str:
    """Of the engineer, who can sign in by it with PASSWORD."""
    async with as_owner(database_url) as db:
        changed = update(User).where(User.id == colleagues.engineer.key)
        await db.execute(changed.values(password_hash=password_hash))
    return f"engineer@{colleagues.account_id.hex}.example"
