"""The work of redaction grows with the length of what is read, not with the secrets that are known."""

import random
import string
import sys
from collections import Counter
from types import FrameType

from services.ai import redaction
from services.ai.redaction import Redactor, forget

LETTERS = random.Random(7)


def log(passwords: int) -> str:
    made = ("".join(LETTERS.choices(string.ascii_letters, k=11)) + "1" for _ in range(passwords))
    return "\n".join(f"user {number} password={one}" for number, one in enumerate(made))


def calls_for(texts: list[str]) -> int:
    """Calls that the module receives and makes while the texts are redacted, the first time."""
    counted: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event in {"call", "c_call"} and frame.f_code.co_filename == redaction.__file__:
            counted[frame.f_code.co_name] += 1

    forget()
    redactor = Redactor()
    sys.setprofile(count)
    try:
        for text in texts:
            redactor.redact(text)
    finally:
        sys.setprofile(None)
    return counted.total()


def test_a_file_costs_the_same_however_many_secrets_came_before() -> None:
    few, many = [log(20) for _ in range(20)], [log(20) for _ in range(100)]

    assert calls_for(many) < 5 * calls_for(few) * 1.2


def test_each_of_many_secrets_is_known_afterwards() -> None:
    redactor = Redactor()
    texts = [log(50) for _ in range(20)]
    passwords = [line.split("=")[1] for text in texts for line in text.split("\n")]
    for text in texts:
        redactor.redact(text)

    said = redactor.redact("".join(f"x{password}y " for password in passwords))

    assert said == "".join(f"x[PASSWORD-{number + 1}]y " for number in range(len(passwords)))


def test_of_known_secrets_that_begin_alike_the_longest_is_taken() -> None:
    redactor = Redactor()
    redactor.redact("password=hunter2\npassword=hunter2-b\npassword=hunter2-bc1")

    said = redactor.redact("hunter2 hunter2-b hunter2-bc1 hunter2-bc hunthunter2")

    assert said == "[PASSWORD-1] [PASSWORD-2] [PASSWORD-3] [PASSWORD-2]c hunt[PASSWORD-1]"
