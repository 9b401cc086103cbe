"""What is noted down of logs as systems write them."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.files.evidence.digests import LONGEST_DIGEST, digest, gist, render

CBS = """\
2026-01-13 09:23:45, Info                  CBS    Starting TrustedInstaller initialization.
2026-01-13 09:23:46, Error                 CBS    Failed to load package {0}1 [HRESULT = 0x80073712]
2026-01-13 09:23:49, Error                 CBS    Failed to load package {0}2 [HRESULT = 0x80073712]
""".replace("{0}", "3F2504E0-4F89-11D3-9A0C-0305E82C330")


def test_of_windows_servicing() -> None:
    found = digest(CBS)
    assert found.is_log
    assert (found.first_time, found.last_time) == ("2026-01-13 09:23:45", "2026-01-13 09:23:49")
    assert found.levels == {"INFO": 1, "ERROR": 2}
    assert found.codes == {"0x80073712": 2}
    assert gist(found) == (
        "Log of 3 lines from 2026-01-13 09:23:45 to 2026-01-13 09:23:49; 2 errors; with 0x80073712; "
        "most often “Error CBS Failed to load package <id> [HRESULT = 0x80073712” (2 times)."
    )
    assert render(found).splitlines()[:6] == [
        "Lines: 3",
        "Time: 2026-01-13 09:23:45 to 2026-01-13 09:23:49",
        "Levels: ERROR 2, INFO 1",
        "Codes: 0x80073712 (2)",
        "Errors and warnings:",
        "  2x Error CBS Failed to load package <id> [HRESULT = 0x80073712",
    ]


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("2026-01-13T09:23:45.123Z ready", "2026-01-13 09:23:45 Z"),
        ("2026/01/13 09:23:45 [error] 7#7: x", "2026-01-13 09:23:45"),
        ("2026-01-13 01:45:01.123 PDT [12345] LOG:  ready", "2026-01-13 01:45:01 PDT"),
        ('"2026-01-13" "09:23:45" "a"', "2026-01-13 09:23:45"),
        ("Aug  6 00:10:45 mx1 postfix/smtp[314]: x", "Aug  6 00:10:45"),
        (
            '10.0.0.9 - - [13/Jan/2026:09:23:45 +0100] "GET / HTTP/1.1" 503 1',
            "2026-01-13 09:23:45 +0100",
        ),
        ("1:C 25 Apr 2024 05:32:35.018 * Redis", "2024-04-25 05:32:35"),
        ("1/13/2026 9:23:45 PM  Warning  Event ID: 4625", "2026-01-13 21:23:45"),
        ('{"@timestamp": "2026-01-13T09:23:45Z", "message": "x"}', "2026-01-13 09:23:45 Z"),
        (
            '{"__REALTIME_TIMESTAMP": "1534860261221373", "MESSAGE": "x"}',
            "2018-08-21 14:04:21 +0000",
        ),
        ("no time at all", None),
    ],
)
def test_times(line: str, time: str | None) -> None:
    found = digest(line)
    assert (found.first_time, found.last_time) == (time, time)


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("Access denied 0x80070005, flags 0x00000001", ["0x80070005"]),
        ("Event ID: 4625 logged", ["event 4625"]),
        ("SQLSTATE[42P01]: undefined table", ["SQLSTATE 42P01"]),
        ('"GET /x HTTP/1.1" 503 12', ["HTTP 503"]),
        ("status=502 upstream", ["HTTP 502"]),
        ("550 5.7.1 relay denied", ["SMTP 550 5.7.1"]),
        ("AADSTS50076: multi-factor needed", ["AADSTS50076"]),
        ("connect ECONNREFUSED 10.0.0.5:389", ["ECONNREFUSED"]),
        ("java.net.SocketTimeoutException: timed out", ["SocketTimeoutException"]),
        ("terminated with exit code 137", ["code 137"]),
        ("version 5.1.2 of 500 things, PORTABLE", []),
    ],
)
def test_codes(line: str, codes: list[str]) -> None:
    assert list(digest(line).codes) == codes


def test_hosts() -> None:
    found = digest(
        "Aug 16 00:10:45 dc01 lsass[3]: no answer of 10.0.0.5\n"
        "cannot open \\\\FS01\\share\n"
        "GET https://intranet.example/x failed\n"
    )
    assert found.hosts == {"dc01": 1, "10.0.0.5": 1, "FS01": 1, "intranet.example": 1}


def test_lines_that_differ_in_numbers_alone_are_one_template() -> None:
    lines = [
        f"2026-01-13 09:23:45 ERROR login of user {n} from 10.0.0.{n} failed" for n in range(40)
    ]
    assert digest("\n".join(lines)).troubles == {"ERROR login of user <n> from <ip> failed": 40}


def test_what_was_exported_newest_first_is_told_in_order() -> None:
    found = digest("2026-01-14 00:00:00 b\n2026-01-13 00:00:00 a")
    assert (found.first_time, found.last_time) == ("2026-01-13 00:00:00", "2026-01-14 00:00:00")


@pytest.mark.parametrize(
    "text", ["", "\n\n", "Dear team,\nthe mail server is down.\nSincerely\n", "LOREM IPSUM\n" * 50]
)
def test_other_texts_are_no_logs(text: str) -> None:
    assert not digest(text).is_log


def test_of_a_long_log_both_ends_are_read() -> None:
    lines = ["2026-01-13 09:00:00 INFO fine"] * 60_000 + ["2026-01-13 10:00:00 FATAL out of disk"]
    found = digest("\n".join(lines))
    assert (found.line_count, found.read_count) == (60_001, 40_000)
    assert found.levels["FATAL"] == 1
    assert found.tail[-1] == "2026-01-13 10:00:00 FATAL out of disk"


@pytest.mark.parametrize(
    "text",
    [
        "1" * 20_000_000,
        "\x1b[" * 10_000_000,
        "{" * 20_000_000,
        "\n" * 20_000_000,
        "a.1" * 7_000_000,
    ],
    ids=["digits", "escapes", "braces", "empty lines", "names"],
)
def test_twenty_megabytes_of_malice_take_no_time(text: str) -> None:
    began = process_time()
    assert len(render(digest(text))) <= LONGEST_DIGEST
    assert process_time() - began < 2


PIECES = st.sampled_from(
    [
        "2026-01-13 09:23:45",
        "Aug 16 00:10:45",
        " ERROR ",
        "0x80070005",
        "10.0.0.5",
        "\\\\FS01\\",
        '{"',
        '":',
    ]
)


@given(st.lists(st.text(max_size=30) | PIECES | st.just("\n"), max_size=60).map("".join))
def test_any_text_has_a_digest(text: str) -> None:
    found = digest(text)
    assert len(render(found)) <= LONGEST_DIGEST
    assert 0 < len(gist(found)) <= 1_000
    assert found.levels.total() <= found.read_count <= found.line_count
