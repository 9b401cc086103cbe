"""Which of our media types a client takes (RFC 9110, section 12.5.1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
MULTIPART = "multipart/mixed"
HTML = "text/html"

OFFERED = (JSON, GRAPHQL_RESPONSE, EVENT_STREAM, MULTIPART)
"""The first that a range fits is taken; `*/*` means JSON, as clients older than the draft expect."""


@dataclass(frozen=True, slots=True)
class Range:
    """As `application/json;q=0.5`; its parameters are kept in lower case, without quotes."""

    type: str
    parameters: dict[str, str]

    def fits(self, media: str) -> bool:
        family, _, subtype = self.type.partition("/")
        return self.type in {media, "*/*"} or (subtype == "*" and media.startswith(f"{family}/"))

    @property
    def quality(self) -> float:
        try:
            return float(self.parameters.get("q", "1"))
        except ValueError:
            return 0.0


def ranges(accept: str) -> list[Range]:
    """The most wanted first; those with a quality of 0 are left out."""
    wanted = [_range(part) for part in accept.split(",") if part.strip()]
    return sorted((one for one in wanted if one.quality > 0), key=lambda one: -one.quality)


def _range(part: str) -> Range:
    media, *parameters = part.lower().split(";")
    return Range(media.strip(), dict(_parameters(parameters)))


def _parameters(parameters: list[str]) -> Iterator[tuple[str, str]]:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        yield name.strip(), value.strip(' "')


@lru_cache(maxsize=32)
def choose(accept: str) -> str | None:
    """None where nothing that we offer is taken. Multipart only as Apollo's subscriptions ask for it:
    https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol
    """
    if not accept.strip():
        return JSON
    for wanted in ranges(accept):
        for media in OFFERED:
            if media == MULTIPART and "subscriptionspec" not in wanted.parameters:
                continue
            if wanted.fits(media):
                return media
    return None


def wants_page(accept: str) -> bool:
    return any(wanted.type == HTML for wanted in ranges(accept))
