"""What the documents say is so."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from schema.transport.answers import CODES
from settings import Settings

VARIABLES = {
    field.alias or f"FLOWPILOT_{name.upper()}": field
    for name, field in Settings.model_fields.items()
}
ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SDL = build_schema((ROOT / "schema" / "schema.graphql").read_text())


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def test_every_setting_is_listed_with_its_default() -> None:
    table = (ROOT / "docs" / "operations.md").read_text()
    listed = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", table, re.MULTILINE))
    defaults = {
        name: str(field.default)
        for name, field in VARIABLES.items()
        if field.default not in {None, ()}
    }
    assert {name: listed[name].strip("`") for name in defaults} == defaults
    assert set(listed) == set(VARIABLES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_only_settings_and_files_that_exist(page: Path) -> None:
    text = page.read_text()
    known = {*VARIABLES, "FLOWPILOT_TEST_DATABASE_URL"}
    assert set(re.findall(r"(?:FLOWPILOT|ANTHROPIC)_[A-Z_]+", text)) <= known
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target


def test_every_code_of_an_error_is_listed() -> None:
    sources = [ROOT / "app.py", *(ROOT / "schema").rglob("*.py")]
    raised = {
        code
        for source in sources
        for code in re.findall(r'"code": "([A-Z_]+)"', source.read_text())
    }
    listed = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "api.md").read_text()))
    assert {"BAD_REQUEST", *CODES.values(), *raised} <= listed


def test_every_promise_names_what_keeps_it_and_a_test_that_exists() -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    known = set(re.findall(r"^(?:async )?def (test_\w+)\(", tests, re.MULTILINE))
    text = (ROOT / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    promises = [row for row in rows if row[0] != "promise"]
    assert len(promises) == text.count("\n| ") - text.count("\n| promise")
    for promise, places, proof in promises:
        files = [*places.split(", "), *re.findall(r"tests/[\w/]+\.py", proof)]
        assert [file for file in files if not (ROOT / file).exists()] == [], promise
        named = set(re.findall(r"`(test_\w+)`", proof))
        assert named <= known, promise
        assert named or "tests/" in proof, promise


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_queries_on_pages_are_valid(page: Path) -> None:
    for block in blocks(page, "graphql"):
        assert validate(SDL, parse(block)) == []
    for block in blocks(page, "python"):
        compile(block, page.name, "exec")
        for query in re.findall(r'"""(subscription.*?)"""|LIST = "(.*?)"', block, re.DOTALL):
            assert validate(SDL, parse("".join(query))) == []
    for block in blocks(page, "js"):
        for query in re.findall(r"`(subscription.*?)`", block, re.DOTALL):
            assert validate(SDL, parse(query)) == []
    for block in blocks(page, "sh"):
        for query in re.findall(r"ask \S+ '(.*?)'", block, re.DOTALL):
            assert validate(SDL, parse(query)) == []
