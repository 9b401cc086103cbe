"""What is noted down of logs as systems write them."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.files.evidence.decoding import decode
from services.files.evidence.digests import LONGEST_DIGEST, digest, gist, render

CBS = """\
2026-01-13 09:23:45, Info                  CBS    Starting TrustedInstaller initialization.
2026-01-13 09:23:46, Error                 CBS    Failed to load package {0}1 [HRESULT = 0x80073712]
2026-01-13 09:23:49, Error                 CBS    Failed to load package {0}2 [HRESULT = 0x80073712]
""".replace("{0}", "3F2504E0-4F89-11D3-9A0C-0305E82C330")


def test_of_windows_servicing() -> None:
    found = digest(CBS)
    assert found.is_log
    assert found.times == ("2026-01-13 09:23:45", "2026-01-13 09:23:49")
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
        ("14.03.2026 09:15:22 Fehler: voll", "2026-03-14 09:15:22"),
        ("[14.03.2026 09:15:22] <01> Error    VSS: failed", "2026-03-14 09:15:22"),
        ("14-03-2026 09:15:22 x", "2026-03-14 09:15:22"),
        ("3/14/2026 9:15:22 AM x", "2026-03-14 09:15:22"),
        ("03/14/2026 12:15:22 am x", "2026-03-14 00:15:22"),
        ("14/03/2026 09:15:22 x", "2026-03-14 09:15:22"),
        ("03/04/2026 09:15:22 x", "2026-03-04 09:15:22"),
        ("[Wed Oct 11 14:32:52.123456 2026] [core:error] x", "2026-10-11 14:32:52"),
        ("2026-01-13 09:23:45.123+02 LOG: x", "2026-01-13 09:23:45 +02"),
        ('time="2026-01-01T10:00:00Z" level=error msg="boom"', "2026-01-01 10:00:00 Z"),
        ('date=2026-01-13 time=09:23:45 devname="FG60" level="error"', "2026-01-13 09:23:45"),
        ("30,01/13/26,00:00:01,DNS Update Request,10.0.0.7", "2026-01-13 00:00:01"),
        ('"SRV","IAS",01/13/2026,09:23:45,1', "2026-01-13 09:23:45"),
        ("Jan 3, 2026 9:23:45 PM org.example.Main run", "2026-01-03 21:23:45"),
        ("*Mar  1 18:46:11.123: %SYS-5-CONFIG_I: x", "Mar  1 18:46:11"),
        ("1767225600 ERROR a", "2026-01-01 00:00:00 +0000"),
        ("1767225600.123    45 10.0.0.1 TCP_MISS/200", "2026-01-01 00:00:00 +0000"),
        ("[1767225600123] a", "2026-01-01 00:00:00 +0000"),
        ("ts=1767225600.5 level=warn", "2026-01-01 00:00:00 +0000"),
        ("type=SYSCALL msg=audit(1767225600.243:24287): x", "2026-01-01 00:00:00 +0000"),
        ("2026-01-01 ERROR x", "2026-01-01"),
        ("[01.02.2026 09:15] x", "2026-02-01 09:15"),
        ("Feb 29 10:00:00 fw1 kernel: x", "Feb 29 10:00:00"),
        ("2016-12-31T23:59:60Z a leap second", "2016-12-31 23:59:60 Z"),
        ("no time at all", None),
        ("2026-01-13,Miller,12.50", None),
        ("1767225600;Miller", None),
        ("called on 2026-01-13 about it", None),
        ("build 14.03.2026 of it", None),
        ("0000-00-00 00:00:00 ERROR a", None),
        ("2026-99-99 10:00:00 ERROR a", None),
        ("2026-02-30 10:00:00 ERROR a", None),
        ("2026-02-03 10:00:61 ERROR a", "2026-02-03"),
        ("2026-02-03 25:00:00 ERROR a", "2026-02-03"),
        ("9999-12-31 23:59:59 never", None),
        ("1601-01-01 00:00:00 never", None),
        ("Jan 32 10:00:00 fw1 kernel: x", None),
        ("32.13.2026 10:00:00 x", None),
        ("10.1.12.26 10:00:00 x", None),
        ("2026-99-99 00:00:00 then 2026-01-13 09:23:45", "2026-01-13 09:23:45"),
    ],
)
def test_times(line: str, time: str | None) -> None:
    assert digest(line).times == ((time, time) if time else None)


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


@pytest.mark.parametrize(
    ("lines", "times"),
    [
        (
            ["2026-01-14 00:00:00 b", "2026-01-13 00:00:00 a"],
            ("2026-01-13 00:00:00", "2026-01-14 00:00:00"),
        ),
        (
            ["2026-03-02 10:00:00 b", "2026-03-01 10:00:00 a", "2026-03-03 10:00:00 c"],
            ("2026-03-01 10:00:00", "2026-03-03 10:00:00"),
        ),
        (
            ["2026-03-01T10:00:00+02:00 a", "2026-03-01T09:00:00Z b", "2026-03-01T08:30:00Z c"],
            ("2026-03-01 08:00:00 Z", "2026-03-01 09:00:00 Z"),
        ),
        (
            ["2026-03-01 10:00:00 CET a", "2026-03-01 09:30:00 UTC b"],
            ("2026-03-01 09:00:00 Z", "2026-03-01 09:30:00 Z"),
        ),
        (
            ["2026-03-01 10:00:00 -0500 a", "2026-03-01 09:00:00 -0500 b"],
            ("2026-03-01 09:00:00 -0500", "2026-03-01 10:00:00 -0500"),
        ),
        (
            ["Dec 31 23:59:58 fw1 kernel: a", "Jan  1 00:00:02 fw1 kernel: b"],
            ("Dec 31 23:59:58", "Jan  1 00:00:02"),
        ),
        (
            ["Jan  1 00:00:02 fw1 kernel: b", "Dec 31 23:59:58 fw1 kernel: a"],
            ("Dec 31 23:59:58", "Jan  1 00:00:02"),
        ),
        (
            ["Mar  2 10:00:00 fw1 x", "Mar  1 10:00:00 fw1 x", "2026-03-03 10:00:00 x"],
            ("Mar  1 10:00:00", "Mar  2 10:00:00"),
        ),
        (
            ["03/04/2026 10:00:00 a", "31/03/2026 10:00:00 b"],
            ("2026-03-31 10:00:00", "2026-04-03 10:00:00"),
        ),
        (
            ["1767229200 ERROR b", "1767225600 ERROR a"],
            ("2026-01-01 00:00:00 +0000", "2026-01-01 01:00:00 +0000"),
        ),
    ],
)
def test_the_earliest_and_the_latest_whatever_their_order_and_zones(
    lines: list[str], times: tuple[str, str]
) -> None:
    assert digest("\n".join(lines)).times == times


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("2026-03-14 09:15:22 Error Disk full", "ERROR"),
        ("03/14/2026 09:15:22 AM Error Disk full on SRV-FS01", "ERROR"),
        ("03/14/2026 09:15:22 ERROR Disk full", "ERROR"),
        ("2026-03-14 09:15:22 warning low", "WARNING"),
        ("14.03.2026 09:15:22 Fehler: Datenträger voll", "ERROR"),
        ("14.03.2026 09:15:22 Warnung knapp", "WARNING"),
        ("Fehler;14.03.2026 09:15:22;Disk;7;Keine", "ERROR"),
        ("[14.03.2026 09:15:22] <01> Error    VSS: failed", "ERROR"),
        ("[14.03.2026 09:15:22] <01> Info done", "INFO"),
        ('time="2026-01-01T10:00:00Z" level=error msg="boom"', "ERROR"),
        ("ts=2026-01-01T10:00:00Z level=warn msg=x", "WARNING"),
        ("2026-01-01 10:00:00 level=error msg=boom", "ERROR"),
        ('2026-01-01 10:00:03 {"level":"critical"}', "FATAL"),
        ("2026-01-01 10:00:00 severity: high, LogLevel=Debug", "DEBUG"),
        ("2026-01-01 10:00:00 INFO set level=debug", "INFO"),
        ("2026-01-01 10:00:00 [error] disk", "ERROR"),
        ("[Wed Oct 11 14:32:52 2026] [core:error] x", "ERROR"),
        ('date=2026-01-13 time=09:23:45 devname="FG60" level="error" x', "ERROR"),
        ("*Mar  1 18:46:11.123: %LINK-3-UPDOWN: Interface Gi0/1", "ERROR"),
        ("<134>Jan 13 09:23:45 fw1 kernel: x", "INFO"),
        ("<131>Jan 13 09:23:45 fw1 app: WARNING: x", "WARNING"),
        ("50%-3-X of <b>them", None),
        ("Error Disk full", None),
        ("2026-01-01 10:00:00 errors were found", None),
        ("2026-01-01 10:00:00 Error-prone", None),
        ("2026-01-01 10:00:00 Log file opened", None),
        ("2026-01-01 10:00:00 completed without errors", None),
        ("2026-01-01 10:00:00 GET /errors/critical.css of mr.error@x.example", None),
    ],
)
def test_levels(line: str, level: str | None) -> None:
    assert digest(line).levels == ({level: 1} if level else {})


IIS = """\
#Software: Microsoft Internet Information Services 10.0
#Date: 2026-03-14 09:00:00
#Fields: date time s-ip cs-method cs-uri-stem cs(User-Agent) sc-status sc-substatus time-taken
2026-03-14 09:00:01 10.0.0.5 GET /owa AGENT 500 0 1200
2026-03-14 09:00:05 10.0.0.5 GET /owa Mozilla 200 0 12
2026-03-14 09:00:06 10.0.0.5 GET /owa Mozilla - 0 500
"""


def test_of_a_web_server_that_names_its_columns() -> None:
    found = digest(
        IIS.replace("AGENT", "Mozilla/5.0+" * 100)
    )  # longer than what is shown of a line
    assert found.codes == {"HTTP 500": 1, "HTTP 200": 1}
    assert gist(digest(IIS)) == (
        "Log of 6 lines from 2026-03-14 09:00:00 to 2026-03-14 09:00:06; with HTTP 500; "
        "most often “<ip> GET /owa AGENT <n> <n> <n>” (once)."
    )


EVENTS = """\
Level,Date and Time,Source,Event ID,Task Category
Error,3/14/2026 9:15:22 AM,Disk,7,None,The device has a bad block.
Warning,3/14/2026 9:16:22 AM,Disk,153,None,"The IO operation was retried, Event ID 153
on another line"
Error,3/14/2026 9:17:22 AM,Service Control Manager,7031,None,Spooler terminated
"""


@pytest.mark.parametrize(
    "text",
    [
        EVENTS,
        EVENTS.replace(",", "\t"),
        EVENTS.replace(",", ";").replace("Event ID;", "Ereignis-ID;"),
        "#TYPE Event\n"
        + EVENTS.replace("Event ID,", '"Id",').replace("Level,", '"LevelDisplayName",'),
    ],
)
def test_of_exported_events(text: str) -> None:
    found = digest(text)
    assert found.codes == {"event 7": 1, "event 153": 1, "event 7031": 1}
    assert found.levels == {"ERROR": 2, "WARNING": 1}
    assert found.times == ("2026-03-14 09:15:22", "2026-03-14 09:17:22")


def test_other_tables_have_no_events() -> None:
    assert digest("Id,Name,Street\n4711,Miller,Main\n").codes == {}
    assert digest("#Fields: date time action\n2026-03-14 09:00:01 500\n").codes == {}


def test_a_gap_is_told() -> None:
    line = b"2026-01-13 09:00:00 ERROR x\n"
    decoded = decode(line * 100 + bytes(512) + line * 100)
    found = digest(decoded.text, decoded.gaps)
    assert gist(found) == (
        "Log of 200 lines at 2026-01-13 09:00:00; a gap of 512 NULs after line 100; 200 errors; "
        "most often “ERROR x” (200 times)."
    )
    assert "\nDamage: a gap of 512 NULs after line 100\n" in render(found)


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
    assert gist(found) == (
        "Log of 60,001 lines from 2026-01-13 09:00:00 to 2026-01-13 10:00:00; "
        "in the first and the last 20,000 lines, which alone were read, 1 fatal error; "
        "most often “FATAL out of disk” (once)."
    )
    assert render(found).startswith(
        "Lines: 60,001 (40,000 read: the first and the last)\n"
        "Time: 2026-01-13 09:00:00 to 2026-01-13 10:00:00\n"
        "Levels: FATAL 1, INFO 39,999\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "1" * 20_000_000,
        "\x1b[" * 10_000_000,
        "{" * 20_000_000,
        "\n" * 20_000_000,
        "a.1" * 7_000_000,
        "#Fields: a sc-status\n" + '",' * 10_000_000,
        "level=" * 3_000_000,
        "1/1/2026 " * 2_000_000,
    ],
    ids=["digits", "escapes", "braces", "empty lines", "names", "cells", "levels", "days"],
)
def test_twenty_megabytes_of_malice_take_no_time(text: str) -> None:
    began = process_time()
    assert len(render(digest(text))) <= LONGEST_DIGEST
    assert process_time() - began < 2


PIECES = st.sampled_from(
    [
        "2026-01-13 09:23:45",
        "Aug 16 00:10:45",
        "14.03.2026 09:15:22",
        "31/12/2026 11:59:60 PM",
        "0000-00-00 00:00:00",
        "2026-03-01 10:00:00 +99:99",
        "1767225600 ",
        "#Fields: date sc-status",
        "Level,Event ID",
        "level=",
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
