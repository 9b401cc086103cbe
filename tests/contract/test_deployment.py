"""The composition, as far as a machine without containers can tell."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
import yaml

import settings as configuration
from cli.__main__ import parser
from tests.conftest import SECRET
from tests.contract.dockerfile import ROOT, environment, of_image

PLAIN_IMAGE = re.compile(r"[a-z]+(/[a-z]+)?(:\d+)?")  # no registry: its host has a dot or a port
VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")
SECRETS = {"POSTGRES_PASSWORD": "0123456789abcdef" * 4, "FLOWPILOT_SECRET_KEY": SECRET}


class Unset(Exception):
    """A variable that must be set."""


def composed(given: Mapping[str, str]) -> dict[str, Any]:
    """compose.yaml with its variables filled in."""

    def value(match: re.Match[str]) -> str:
        name, form, otherwise = match.groups()
        if not given.get(name) and form == "?":
            raise Unset(name, otherwise)
        return given.get(name) or otherwise or ""

    text = re.sub(r"^\s*#.*\n", "", (ROOT / "compose.yaml").read_text(), flags=re.MULTILINE)
    whole: dict[str, Any] = yaml.safe_load(VARIABLE.sub(value, text))
    return whole


def ours() -> dict[str, dict[str, Any]]:
    services = composed(SECRETS)["services"]
    return {name: service for name, service in services.items() if "build" in service}


@pytest.mark.parametrize("missing", SECRETS)
def test_nothing_starts_without_secrets_of_ones_own(missing: str) -> None:
    with pytest.raises(Unset) as refused:
        composed(SECRETS | {missing: ""})
    name, sentence = refused.value.args
    assert name == missing
    assert sentence.startswith(f"Write {missing} into .env, ")


def test_there_are_two_servers_a_worker_and_what_they_need() -> None:
    services = composed(SECRETS)["services"]
    assert list(ours()) == ["migrate", "server1", "server2", "worker"]
    assert set(services) - set(ours()) == {"postgres", "valkey"}
    for service in services.values():
        assert PLAIN_IMAGE.fullmatch(service["image"])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "user", "cap_add", "network_mode", "pid", "ipc"} & set(service)


@pytest.mark.parametrize("name", ours())
def test_each_of_ours_may_write_nothing_and_do_nothing_special(name: str) -> None:
    service = ours()[name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["volumes"] == ["data:/data"]  # one for all: files brought in are read by each
    assert of_image("USER") == ["10001:10001"]
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", ours())
def test_each_of_ours_is_given_settings_that_there_are_and_that_fit(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = ours()[name]
    fields = configuration.Settings.model_fields.items()
    known = {field.alias or f"FLOWPILOT_{setting.upper()}" for setting, field in fields}
    assert set(service["environment"]) <= known
    for variable, value in service["environment"].items():
        assert isinstance(value, str), variable
        monkeypatch.setenv(variable, value)
    loaded = configuration.load()
    assert loaded.database_url is not None
    assert SECRETS["POSTGRES_PASSWORD"] in loaded.database_url
    assert (loaded.secret_key, loaded.trusted_proxies) == (SECRET, None)
    command = service.get("command") or orjson.loads(of_image("CMD")[0])
    assert command[:3] == ["python", "-m", "cli"]
    parser().parse_args(command[3:])


def test_only_this_machine_reaches_the_servers_and_nobody_else_the_rest() -> None:
    whole = composed(SECRETS)
    ports = {name: s["ports"] for name, s in whole["services"].items() if "ports" in s}
    inside = environment()["FLOWPILOT_PORT"]
    assert ports == {
        "server1": [f"127.0.0.1:8001:{inside}"],
        "server2": [f"127.0.0.1:8002:{inside}"],
    }
    assert whole["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "valkey"):
        assert whole["services"][name]["networks"] == ["inside"]


def test_each_waits_for_what_it_needs() -> None:
    services = composed(SECRETS)["services"]
    needs = {
        name: {other: how["condition"] for other, how in service["depends_on"].items()}
        for name, service in services.items()
        if "depends_on" in service
    }
    serving = {"migrate": "service_completed_successfully", "valkey": "service_healthy"}
    assert needs == {
        "migrate": {"postgres": "service_healthy"},
        **dict.fromkeys(("server1", "server2", "worker"), serving),
    }
    for name in ("postgres", "valkey"):
        assert services[name]["healthcheck"]["test"][0] == "CMD"
