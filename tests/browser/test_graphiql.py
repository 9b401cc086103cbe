"""GraphiQL in a real chromium: sign in, read the schema, run an example, watch it live."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.browser.windows import NARROW, WIDE, Windows
from tests.client import Client
from tests.factories import Colleagues

pytestmark = pytest.mark.browser


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
async def page(windows: Windows, request: pytest.FixtureRequest) -> Page:
    windows.expected.append("status of 400")  # strangers are not told the schema
    return await windows.open("/graphql", viewport=request.param)


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


@pytest.mark.parametrize("page", [WIDE], ids=["wide"], indirect=True)
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


@pytest.mark.parametrize("page", [WIDE], ids=["wide"], indirect=True)
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
