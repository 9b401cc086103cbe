"""What is kept of a long file parts no secret from what it is recognised by."""

import pytest

from services.ai.redaction import Redactor
from services.files.evidence.examination import HEAD, LONGEST_TEXT, examine, excerpt

BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n"
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY * 40}-----END RSA PRIVATE KEY-----\n"
LINE = "07:14 the service waits\n"
TAIL = LONGEST_TEXT - HEAD


def log(before: int, secret: str, after: int) -> str:
    """So many characters before and after it."""
    return f"{(LINE * (before // 10))[:before]}\n{secret}\n{(LINE * (after // 10))[:after]}"


@pytest.mark.parametrize("off", range(-2_300, 2_300, 100))
def test_a_private_key_across_a_cut_is_left_out(off: int) -> None:
    for text in (log(HEAD - 1_000 + off, KEY, 9_000), log(9_000, KEY, TAIL - 1_000 + off)):
        kept = excerpt(text)

        assert len(kept) <= LONGEST_TEXT + 100
        assert "MIIE" not in Redactor().redact(kept)


@pytest.mark.parametrize("off", range(-40, 40))
def test_a_password_across_a_cut_is_left_out_with_its_name(off: int) -> None:
    secret = "the admin password: Tr0ub4-dor-and-3"
    for text in (log(HEAD + off, secret, 9_000), log(9_000, secret, TAIL + off)):
        kept = Redactor().redact(excerpt(text))

        assert not any(part in kept for part in ("Tr0", "dor", "and-3"))


def test_of_a_text_without_secrets_the_beginning_and_the_end_are_kept() -> None:
    text = LINE * 1_000

    kept = excerpt(text)

    assert kept.startswith(text[:HEAD])
    assert kept.endswith(text[-TAIL:])
    assert "[… 583 lines, 14,000 characters left out …]" in kept


async def test_a_digest_shows_no_lines_of_a_private_key() -> None:
    text = "2026-01-01 10:00:00 ERROR the service stopped\n" * 20 + KEY

    examined = await examine(text.encode(), "text/plain", "app.log")

    assert examined.summary is not None
    assert "MIIE" not in examined.summary
    assert "-----BEGIN RSA PRIVATE KEY-----\n  [… private key left out …]" in examined.summary
