"""What may be written in a setting, and what is said to whoever wrote something else."""

import pytest

from settings import WrongSetting, load

ADVICE = (
    "FLOWPILOT_BROADCAST_URL cannot be used as it is: leave it out, or write "
    "postgresql://user:password@host/name, redis://host:6379, rediss://host:6379, "
    "redis-stream://host:6379 or kafka://host:9092,host:9092."
)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:password@host:5432/name",
        "postgres://host/name?sslmode=require",
        "redis://host",
        "redis://user:p%40ss@host:6379/3?health_check_interval=5",
        "rediss://host:6380",
        "redis-stream://[::1]:6379/0",
        "kafka://host",
        "kafka://host:9092,other:9093/",
    ],
)
def test_a_bus_may_be(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWPILOT_BROADCAST_URL", url)
    assert load().broadcast_url == url


@pytest.mark.parametrize(
    "url",
    [
        "host:6379",
        "memory://",
        "mysql://host",
        "redis://",
        "redis:///0",
        "rediss-stream://host",
        "redis://ho st",
        "kafka://",
        "kafka://host:9092,",
        "kafka://user:secret@host:9092",
        "kafka://host:9092/topic",
    ],
)
def test_a_bus_may_not_be(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWPILOT_BROADCAST_URL", url)
    with pytest.raises(WrongSetting) as refusal:
        load()
    assert str(refusal.value) == ADVICE


@pytest.mark.parametrize("proxies", ["127.0.0.1", "10.0.0.5, 10.1.0.0/16", "::1", "*"])
def test_proxies_may_be(proxies: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWPILOT_TRUSTED_PROXIES", proxies)
    assert load().trusted_proxies == proxies


@pytest.mark.parametrize("proxies", ["zz", "10.1.0.5/16", "10.0.0.5,", "10.0.0.5 10.0.0.6"])
def test_proxies_may_not_be(proxies: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWPILOT_TRUSTED_PROXIES", proxies)
    with pytest.raises(WrongSetting) as refusal:
        load()
    assert str(refusal.value) == (
        "FLOWPILOT_TRUSTED_PROXIES cannot be used as it is: "
        "write addresses and networks as 10.0.0.5,10.1.0.0/16, or *."
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("psa.example.lan", ("psa.example.lan",)),
        ("PSA, 10.1.2.3  10.2.0.0/16,fd00::/8", ("PSA", "10.1.2.3", "10.2.0.0/16", "fd00::/8")),
        ("", ()),
    ],
)
def test_systems_in_ones_own_network_may_be(
    written: str, read: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWPILOT_OUTGOING_ALLOWED", written)
    assert load().outgoing_allowed == read


@pytest.mark.parametrize("written", ["https://psa", "psa:8080", "10.2.0.5/16", "*", "a..b", "-a"])
def test_systems_in_ones_own_network_may_not_be(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWPILOT_OUTGOING_ALLOWED", written)
    with pytest.raises(WrongSetting) as refusal:
        load()
    assert str(refusal.value) == (
        "FLOWPILOT_OUTGOING_ALLOWED cannot be used as it is: write names, addresses and networks "
        "as psa.example.lan,10.1.2.3,10.2.0.0/16."
    )


def test_the_models_key_is_read_by_its_own_name_and_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-very-secret")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:4000/claude")
    settings = load()

    assert settings.anthropic_api_key is not None
    assert settings.anthropic_api_key.get_secret_value() == "sk-ant-very-secret"
    assert settings.anthropic_base_url == "http://127.0.0.1:4000/claude"
    assert "sk-ant" not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize("key", ["sk ant", "sk-ant\n", '"sk-ant"', "'sk-ant'", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    with pytest.raises(WrongSetting) as refusal:
        load()
    assert str(refusal.value) == (
        "ANTHROPIC_API_KEY cannot be used as it is: "
        "write the key alone, without spaces, quotes or line breaks."
    )


@pytest.mark.parametrize("url", ["api.anthropic.com", "ftp://host", "https://", "https://u:p@host"])
def test_the_models_address_may_not_be(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
    with pytest.raises(WrongSetting) as refusal:
        load()
    assert str(refusal.value) == (
        "ANTHROPIC_BASE_URL cannot be used as it is: leave it out, or write it as https://host."
    )


@pytest.mark.parametrize(("written", "read"), [("true", True), ("1", True), ("false", False)])
def test_only_trusted_may_be(written: str, read: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWPILOT_ONLY_TRUSTED", written)
    assert load().only_trusted is read


def test_only_trusted_may_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWPILOT_ONLY_TRUSTED", "always")
    with pytest.raises(WrongSetting) as refusal:
        load()
    assert str(refusal.value) == (
        "FLOWPILOT_ONLY_TRUSTED cannot be used as it is: write true or false."
    )
