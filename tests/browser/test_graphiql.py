"""GraphiQL in a real chromium: sign in, read the schema, run an example, watch it live."""

import shutil
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher
from playwright.async_api import Page, async_playwright, expect
from sqlalchemy import make_url, update
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from models.account import User
from services.runtime import Runtime
from tests.client import Client
from tests.factories import Colleagues

pytestmark = pytest.mark.browser

PASSWORD = "a-password-for-tests"


@pytest.fixture
async def email(colleagues: Colleagues, database_url: str) -> str:
    """An engineer who can sign in."""
    engine = create_async_engine(
        make_url(database_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool
    )
    async with engine.begin() as db:
        changed = update(User).where(User.id == colleagues.engineer.key)
        await db.execute(changed.values(password_hash=PasswordHasher().hash(PASSWORD)))
    await engine.dispose()
    return f"engineer@{colleagues.account_id.hex}.example"


@pytest.fixture(params=[(1440, 900), (390, 844)], ids=["wide", "narrow"])
async def page(address: tuple[str, Runtime], request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    chromium = shutil.which("chromium")
    assert chromium is not None, "apt-get install chromium"
    width, height = request.param
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-quic", "--disable-background-networking"],
        )
        tab = await browser.new_page(viewport={"width": width, "height": height})
        problems: list[str] = []
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("requestfailed", lambda failed: problems.append(failed.url))
        await tab.goto(f"http://{address[0]}/graphql")
        yield tab
        await browser.close()
        assert problems == []


async def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def test_a_wrong_password_is_refused_in_the_servers_words(page: Page, email: str) -> None:
    await sign_in(page, email, "not-the-password")
    await expect(page.get_by_text("The e-mail address or the password is wrong.")).to_be_visible()


async def test_sign_in_run_and_sign_out(page: Page, email: str) -> None:
    await sign_in(page, email)
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await page.get_by_role("button", name="Execute query").click()
    answer = page.get_by_role("region", name="Query result")
    if not await answer.count():
        answer = page.locator(".graphiql-response")
    await expect(answer).to_contain_text("displayName")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Password")).to_be_visible()


@pytest.mark.parametrize("page", [(1440, 900)], ids=["wide"], indirect=True)
async def test_an_event_arrives_live(
    page: Page, email: str, client: Client, colleagues: Colleagues
) -> None:
    await sign_in(page, email)
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await page.get_by_text("sessionsChanged", exact=True).click()
    await expect(page.locator(".graphiql-query-editor")).to_contain_text("subscription")
    await expect(page.get_by_role("tab", name="SessionsChanged")).to_be_visible()
    await page.get_by_role("button", name="Execute query").click()
    await expect(page.locator(".graphiql-response")).to_contain_text("listening")
    started = await client.as_(colleagues.engineer2).mutate(
        "startSession", "session { id }", intake={"text": "The printer is out"}
    )
    await expect(page.locator(".graphiql-response")).to_contain_text(started["session"]["id"])


@pytest.mark.parametrize("page", [(1440, 900)], ids=["wide"], indirect=True)
async def test_a_file_is_chosen_and_brought_in(
    page: Page, email: str, client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    intake = {"text": "The printer is out"}
    started = await engineer.mutate("startSession", "session { id }", intake=intake)
    await sign_in(page, email)
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await page.get_by_text("uploadFile", exact=True).click()
    await expect(page.get_by_role("tab", name="UploadFile")).to_be_visible()
    await expect(page.locator(".graphiql-editor-tool")).to_contain_text(started["session"]["id"])
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Execute query").click()
    log = {"name": "spool.log", "mimeType": "image/png", "buffer": b"09:14 ERROR 0x709"}
    await (await choosing.value).set_files(log)
    await expect(page.locator(".graphiql-response")).to_contain_text('"contentType": "text/plain"')
    document = "query($id: ID!) { session(id: $id) { uploads { filename byteSize } } }"
    found = await engineer.run(document, id=started["session"]["id"])
    assert found["session"]["uploads"] == [{"filename": "spool.log", "byteSize": 17}]
