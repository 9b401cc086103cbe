from pathlib import Path
from typing import Any

import pytest
import yaml

from services.ai.cards import CardError, load_cards
from services.ai.port import ForkDraft, ForkOption
from services.ai.redaction import find_secrets

SHIPPED = {
    "account-lockout-sign-in",
    "ad-replication-fails",
    "antivirus-alert-edr",
    "backup-chain-offsite-behind",
    "backup-job-fails",
    "bitlocker-recovery-key",
    "blue-screen-stop-code",
    "browser-page-not-loading",
    "business-application-after-update",
    "certificate-expired-tls",
    "conditional-access-blocks-sign-in",
    "dhcp-no-address",
    "disk-full-server-slow",
    "dns-after-change",
    "docking-station-monitor-fails",
    "domain-time-kerberos-skew",
    "domain-trust-failed",
    "entra-connect-not-syncing",
    "fake-virus-warning",
    "file-share-denied",
    "firewall-blocks-service",
    "group-policy-not-applied",
    "internet-down-at-site",
    "internet-slow-at-site",
    "mac-file-share-not-connecting",
    "mac-network-account-sign-in",
    "mac-slow-or-hangs",
    "mac-will-not-start",
    "mail-not-arriving",
    "mail-rejected-ndr-57",
    "mailbox-blocked-from-sending",
    "mailbox-compromised",
    "mailbox-full-archive",
    "mdm-device-not-compliant",
    "mdm-enrolment-fails",
    "meeting-invitation-room-wrong",
    "mfa-prompts-fail",
    "mobile-app-not-installing",
    "mobile-mail-not-syncing",
    "office-unlicensed-product",
    "onedrive-not-syncing",
    "onedrive-sign-in-fails",
    "outlook-asks-for-password",
    "outlook-disconnected",
    "outlook-search-finds-nothing",
    "outlook-stuck-loading-profile",
    "phishing-message-clicked",
    "power-failure-server-down",
    "printing-stops",
    "radius-8021x-fails",
    "raid-disk-failed",
    "ransomware-first-response",
    "rds-licensing-sessions",
    "remote-desktop-not-connecting",
    "rmm-agent-offline",
    "scan-to-mail-fails",
    "shared-mailbox-calendar-missing",
    "sharepoint-library-access-conflict",
    "sharing-link-outside-people",
    "site-to-site-vpn-down",
    "slow-windows-pc",
    "sql-server-not-connecting",
    "sql-server-slow-log-full",
    "switch-loop-vlan",
    "teams-calling-pstn",
    "teams-meeting-audio-camera",
    "teams-not-loading",
    "virtual-machine-not-starting",
    "voip-phone-not-registering",
    "voip-poor-call-quality",
    "vpn-client-not-connecting",
    "vpn-no-access",
    "website-domain-down",
    "wifi-slow-or-dropping",
    "windows-service-task-fails",
    "windows-temporary-profile",
    "windows-update-fails",
    "windows-will-not-boot",
}


def card(**changes: Any) -> dict[str, Any]:
    check = {
        "do": "Look",
        "expect": "It is there",
        "denied": "It is missing",
        "if_yes": "Good",
        "if_no": "Bad",
    }
    return {
        "id": "coffee",
        "title": "Coffee is cold",
        "domain": "kitchen",
        "symptoms": ["The coffee is cold"],
        "keywords": ["coffee"],
        "subject": ["coffee"],
        "complaint": ["cold"],
        "hypotheses": [
            {"label": "Heater", "description": "Off", "likelihood": 0.5, "checks": [check]},
            {"label": "Cup", "description": "Thin", "likelihood": 0.3, "checks": [check]},
        ],
        "resolution": "Drink it.",
        "rule_out": ["It is tea."],
    } | changes


def write(folder: Path, **changes: Any) -> None:
    content = card(**changes)
    (folder / f"{content['id']}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def test_the_shipped_cards_are_valid() -> None:
    assert {loaded.id for loaded in load_cards()} == SHIPPED


def test_the_shipped_hypotheses_make_forks() -> None:
    for loaded in load_cards():
        options = tuple(ForkOption(h.label, h.description, h.likelihood) for h in loaded.hypotheses)
        assert len(ForkDraft(loaded.title, options).options) >= 2


def test_every_shipped_hypothesis_can_be_settled_both_ways_or_left_open() -> None:
    for loaded in load_cards():
        for hypothesis in loaded.hypotheses:
            meanings = {m for check in hypothesis.checks for m in (check.yes_means, check.no_means)}
            assert "confirmed" in meanings, hypothesis.label


def test_a_valid_card_is_read(tmp_path: Path) -> None:
    write(tmp_path)

    (loaded,) = load_cards(tmp_path)

    assert loaded.title == "Coffee is cold"
    assert [h.likelihood for h in loaded.hypotheses] == [0.5, 0.3]
    assert loaded.hypotheses[0].checks[0].yes_means is None


def hypotheses(**changes: Any) -> list[dict[str, Any]]:
    first, second = card()["hypotheses"]
    return [first | changes, second]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"titel": "typo"}, "coffee.yaml: titel: Extra inputs are not permitted"),
        ({"symptoms": []}, "coffee.yaml: symptoms: Tuple should have at least 1 item"),
        ({"keywords": [4740]}, "coffee.yaml: keywords.0: Input should be a valid string"),
        ({"resolution": "  "}, "coffee.yaml: resolution: String should have at least 1"),
        ({"id": "Coffee Machine"}, "Coffee Machine.yaml: id: String should match pattern"),
        ({"hypotheses": hypotheses()[:1]}, "coffee.yaml: hypotheses: Tuple should have at least 2"),
        (
            {"hypotheses": hypotheses(likelihood=0.8)},
            "coffee.yaml: card: Value error, hypotheses: the likelihoods add up to more than 1",
        ),
        (
            {"hypotheses": hypotheses(description="d" * 501)},
            "coffee.yaml: hypotheses.0.description: String should have at most 500",
        ),
        (
            {"hypotheses": hypotheses(checks=[{"do": "Look"}])},
            "coffee.yaml: hypotheses.0.checks.0.expect: Field required",
        ),
        (
            {"hypotheses": hypotheses(label="CUP")},
            "coffee.yaml: hypotheses: the label 'Cup' is taken in coffee.yaml",
        ),
    ],
)
def test_a_faulty_card_is_refused_by_file_and_field(
    tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    write(tmp_path, **changes)

    with pytest.raises(CardError) as refusal:
        load_cards(tmp_path)

    assert str(refusal.value).startswith(complaint)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", "broken.yaml: not valid YAML"),
        ("", "broken.yaml: card: Input should be a valid dictionary"),
        (yaml.safe_dump(card()), "broken.yaml: id: is 'coffee' but the file is named 'broken'"),
    ],
)
def test_a_faulty_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "broken.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(CardError) as refusal:
        load_cards(tmp_path)

    assert str(refusal.value).startswith(complaint)


def test_a_label_names_one_hypothesis_among_all_cards(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, id="tea")

    with pytest.raises(CardError, match=r"tea\.yaml: .* 'Heater' is taken in coffee\.yaml"):
        load_cards(tmp_path)


def test_what_a_finding_or_a_next_step_takes_from_a_card_passes_redaction() -> None:
    for shipped in load_cards():
        for hypothesis in shipped.hypotheses:
            for check in hypothesis.checks:
                for told in (hypothesis.label, check.do, check.expect, check.denied):
                    assert find_secrets(told) == (), told
