"""Takes secrets out of what a model is shown, and leaves a name in the place of each: [PASSWORD-1].

The same secret has the same name wherever it occurs from then on, and the names are given out in the order
of first occurrence along the lineage. So a text is redacted the same way as long as what precedes it is the
same, which prompt caches need. Nothing is put back: an answer names the placeholder.

Every pattern is bounded, so that the time grows with the length of the text alone.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

from services.ai.document_tasks import Case, CaseFinding, DocumentTask
from services.ai.port import Attachment, Conversation, Hypothesis, Segment, Task, Turn, TurnRequest
from services.ai.prose_secrets import FORMS, looks_like_a_password
from services.ai.tasks import (
    AnalyseBranch,
    DescribeFile,
    GiveSecondOpinion,
    HypothesisFacts,
    PrepareHandoff,
)

REMEMBERED = 2_048
"""Texts whose secrets are kept found: a conversation is redacted anew for every answer."""

LONGEST_REMEMBERED = 50_000

SHORTEST_KNOWN = 6
"""Characters from which a secret is recognised where nothing around it says that it is one."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    start: int
    end: int
    kind: str


# ------------------------------------------------------------------ what is one

_STATES = frozenset(
    re.findall(
        r"\S+",
        """accepted active and authentication blank blocked changed correct default denied disabled empty
        enabled encrypted error errors exceeded expired expires expiring failed failure false fehlt
        forgotten falsch hash hidden if in incorrect invalid is it known locked manager matched mismatch
        missing must n/a needed never new no none not null of ok okay old on optional or policy protected
        provided redacted refused rejected required reset revoked same saved set string synced temporary
        that the this to true type unchanged undefined unknown unset updated valid was were will wrong yes
        you your abgelaufen geändert gesperrt leer ungültig unbekannt vergessen zurückgesetzt expiré
        incorrecte invalide oublié refusé caducada incorrecta inválida olvidada vacía onjuist ongeldig
        vergeten verkeerd verlopen""",
    )
)
_REFERENCE = re.compile(
    r"\$\{?\w+\}?|\$\(.*|%\w+%|\*+|[xX]{3,}|\.+|<.*|\[.*|\{.*|-+|_+|•+|\$env:.*|@?\w+\(.*",
    re.DOTALL,
)
_HYPHENED = re.compile(r"[a-zäöüß]{2,}-[a-zäöüß]{2,}", re.IGNORECASE)
"""Of a sentence: "case-sensitive"."""
_NOT_PLAIN = re.compile(r"[0-9]|[^\w\s]|[a-z][A-Z]")

_PASSWORD = r"passw(?:or)?d|passwort|kennwort|passphrase|passcode|(?<![a-z])pwd|(?<![a-z])pass|(?<![a-z])pw|psk|pre-?shared[ _-]?key|network security key|wi-?fi[ _-]?(?:key|code)|(?:wlan|wi-?fi)-?(?:schlüssel|sleutel)|netzwerksicherheitsschlüssel|cl[ée] wi-?fi|mot de passe|(?<![a-z])mdp|contrase[ñn]a|wachtwoord|(?<!palabra )(?<!palabras )\bclave"  # noqa: E501, S105
_TOKEN = r"(?<!publickey)(?<!publickey=)token|secret|api[ _-]?key|access[ _-]?key|account[ _-]?key|storage[ _-]?key|private[ _-]?key|auth[ _-]?key|encryption[ _-]?key|client[ _-]?secret|session[ _-]?id|sessionid"  # noqa: E501, S105
_VALUE = (
    r"""(?:"(?P<double>[^"\n]{1,300})"|'(?P<single>[^'\n]{1,300})'|(?P<bare>[^\s"'<>,;|]{1,300}))"""
)

_ASSIGNED = re.compile(
    rf"(?:(?P<password>{_PASSWORD})|(?P<token>{_TOKEN}))"
    rf"[\"'\]]?[ \t]{{0,3}}(?P<how>:=|=>|=|:|['’]s\b"
    r"|(?:\b(?:is|was|ist|war|lautet|est|était|es|era|to|auf|naar)\b(?:[ \t]{1,3}(?:now|jetzt|nun|nu))?:?))"
    rf"[ \t]{{0,3}}{_VALUE}"
    r"(?=(?P<rest>[ \t]+\w)?)",
    re.IGNORECASE,
)


_OF_ANOTHER_RULE = re.compile(r"[?&/][\w\-]{0,39}$")
"""Before the name: a part of an address, an option, or "user/password"."""


def _assigned(match: re.Match[str]) -> str | None:
    if _OF_ANOTHER_RULE.search(match.string[max(0, match.start() - 40) : match.start()]):
        return None
    group = next(name for name in ("double", "single", "bare") if match[name] is not None)
    value = match[group]
    bare = value.rstrip(".,;:?)") if group == "bare" else value
    if bare.casefold() in _STATES or _REFERENCE.fullmatch(bare):
        return None
    plain = not _NOT_PLAIN.search(bare)
    if match["how"][0] not in ":=" and group == "bare":  # prose: "the password is wrong"
        return (
            group
            if len(bare) >= SHORTEST_KNOWN and not (plain or _HYPHENED.fullmatch(bare))
            else None
        )
    if match["how"] == ":" and plain and match["rest"]:  # a sentence: "Password: please enter it"
        return None
    if match["token"]:
        return group if len(bare) >= 8 and any(c.isdigit() for c in bare) else None  # noqa: PLR2004
    return group if len(bare) >= 3 else None  # noqa: PLR2004


def _mixed(match: re.Match[str]) -> str | None:
    value = match["secret"]
    told = any(c.isdigit() for c in value) or value.endswith("=")
    return "secret" if told and _NOT_PLAIN.search(value) else None


def _plain(match: re.Match[str]) -> str | None:
    return None if _REFERENCE.fullmatch(match["secret"]) else "secret"


def _look(match: re.Match[str]) -> str | None:
    group = "secret" if match["secret"] is not None else "quoted"
    return group if looks_like_a_password(match[group]) else None


def _card_number(match: re.Match[str]) -> str | None:
    """By the check digit (Luhn, ISO/IEC 7812-1)."""
    digits = [int(c) for c in match["secret"] if c.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return "secret" if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else None


@dataclass(frozen=True, slots=True)
class _Rule:
    """`triggers` are lower case; a text that holds none of them is not searched."""

    kind: str
    pattern: re.Pattern[str]
    triggers: tuple[str, ...]
    group_of: Callable[[re.Match[str]], str | None] = _plain
    """Which group of the match is the secret; None if it is none after all."""


def _rule(
    kind: str,
    pattern: str,
    triggers: str,
    group_of: Callable[[re.Match[str]], str | None] = _plain,
    flags: re.RegexFlag = re.IGNORECASE,
) -> _Rule:
    return _Rule(kind, re.compile(pattern, flags), tuple(triggers.split()), group_of)


_RULES = (
    _rule(
        "PRIVATE-KEY",
        r"(?P<secret>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
        r"(?:\s{0,4}(?:[A-Za-z0-9+/=]{8,128}|(?:Proc-Type|DEK-Info):[^\n]{0,80})){0,400}+"
        r"(?:\s{0,4}[A-Za-z0-9+/=]{0,128}\s{0,4}-----END [A-Z ]{0,30}PRIVATE KEY-----)?)",
        "-----begin",
        flags=re.NOFLAG,
    ),
    _rule("TOKEN", r"\b(?P<secret>eyJ[\w\-]{8,8000}\.[\w\-]{4,8000}(?:\.[\w\-]{0,8000})?)", "eyj",
          flags=re.NOFLAG),
    _rule(
        "KEY",
        r"(?<![A-Za-z0-9])(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{16}|gh[opsur]_[A-Za-z0-9]{30,255}"
        r"|github_pat_\w{22,255}|glpat-[\w\-]{20,64}|xox[abeprs]-[\w\-]{10,250}"
        r"|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,255}|sk-[\w\-]{20,255}|AIza[\w\-]{35}"
        r"|SG\.[\w\-]{16,64}\.[\w\-]{16,128}|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30,64}"
        r"|dop_v1_[a-f0-9]{64}|ya29\.[\w\-]{20,500}|shp(?:at|ss)_[a-fA-F0-9]{32})",
        "akia asia gho_ ghp_ ghs_ ghu_ ghr_ github_pat_ glpat- xox sk_ rk_ pk_ sk- aiza sg. npm_ hf_ "
        "dop_v1_ ya29. shpat_ shpss_",
        flags=re.NOFLAG,
    ),
    _rule("COOKIE", r"\b(?:set-)?cookie:[ \t]{0,3}(?P<secret>[^\r\n]{3,4000})", "cookie:"),
    _rule(
        "TOKEN",
        r"\b(?:bearer|basic|negotiate|ntlm)[ \t]{1,3}(?P<secret>[\w.~+/\-]{12,8000}={0,2})",
        "bearer basic negotiate ntlm",
        _mixed,
    ),
    _rule(
        "PASSWORD",
        r"\b[a-z][a-z0-9+.\-]{1,20}://[^\s/:@\"'<>]{0,100}:(?P<secret>[^\s/@\"'<>]{1,200})@",
        "://",
    ),
    _rule(
        "TOKEN",
        r"[?&](?:pass(?:word|wd)?|pwd|pw|sig|signature|x-amz-signature|x-amz-security-token|access_token|refresh_token|id_token"
        r"|client_secret|code(?==[^&\s]{20}))=(?P<secret>[^\s&\"'<>]{8,4000})",
        "pass pwd= pw= sig= signature= token= secret= code=",
    ),
    _rule("SECRET", r"(?P<secret>otpauth://[^\s\"'<>]{8,500})", "otpauth://"),
    _rule(
        "PASSWORD",
        r"\bnet1?[ \t]+use\b[^\n/]{0,300}/user:\S{1,100}[ \t]+(?P<secret>[^\s/]\S{2,100})",
        "net",
    ),
    _rule(
        "PASSWORD",
        r"\bnet1?[ \t]+use[ \t]+(?:\S{1,3}:[ \t]+)?\\\\\S{1,200}[ \t]+(?P<secret>[^\s/]\S{2,100})"
        r"[ \t]+/user:",
        "net",
    ),
    _rule(
        "PASSWORD",
        r"\bnet1?[ \t]+user[ \t]+[^\s/]{1,60}[ \t]+(?P<secret>[^\s/*]\S{2,100})",
        "net",
    ),
    _rule(
        "PASSWORD",
        r"\b(?:psexec\w{0,4}|sshpass|mysql\w{0,8}|plink|pscp|smbclient|mstsc|rasdial|sqlcmd|osql|bcp|isql)\b"
        r"[^\n]{0,200}?[ \t]-pw?[ =]?(?P<secret>[^\s\-]\S{2,100})",
        "psexec sshpass mysql plink pscp smbclient mstsc rasdial sqlcmd osql bcp isql",
    ),
    _rule(
        "PASSWORD",
        r"(?<![\w-])(?:--?|/)(?:pass|passwd|password|pwd|passphrase|secret|api-?key|token|access-token)"
        r"(?:[:=]|[ \t]{1,3})[\"']?(?P<secret>[^\s\"'\-/$(][^\s\"']{2,200})",
        "pass pwd secret key token",
    ),
    _rule(
        "PASSWORD",
        r"\bConvertTo-SecureString[ \t]+(?:-(?:String|AsPlainText|Force)[ \t]+){0,3}"
        r"[\"'](?P<secret>[^\"'\n]{1,300})[\"']",
        "securestring",
    ),
    _rule(
        "PASSWORD",
        r"\bConvertTo-SecureString[ \t]+(?:-(?:String|AsPlainText|Force)[ \t]+){0,3}"
        r"(?P<secret>[^\s\"'$(\-][^\s\"')]{2,200})",
        "securestring",
    ),
    _rule(
        "PASSWORD",
        r"\b(?:ldapsearch|ldapmodify|ldapadd)\b[^\n]{0,200}?[ \t]-w[ \t]?(?P<secret>[^\s\-]\S{2,100})",
        "ldap",
    ),
    _rule("PASSWORD", r"[ \t]/rp[ \t]+\"?(?P<secret>[^\s\"/*]\S{2,100})", "/rp"),
    _rule(
        "PASSWORD",
        r"\b(?:smbclient|rpcclient|smbmap)\b[^\n]{0,200}?[ \t](?:-u|--user)[ \t=]?[\"']?[\w.\\-]{1,60}%"
        r"(?P<secret>[^\s\"']{3,100})",
        "smb rpcclient",
    ),
    _rule(
        "PRIVATE-KEY",
        r"\bclient-key-data[\"']?:[ \t]{0,3}[\"']?(?P<secret>[a-z0-9+/=]{16,16000})",
        "client-key-data",
    ),
    _rule(
        "PASSWORD",
        r"\bcurl\b[^\n]{0,300}?[ \t](?:-u|--user)[ \t=][\"']?[^\s:\"']{1,100}:(?P<secret>[^\s\"']{1,200})",
        "curl",
    ),
    _rule(
        "PASSWORD",
        r"<(?:\w{1,20}:)?[\w.\-]{0,30}(?:password|passwd|pwd|passphrase|secret|apikey|token)\b[^<>]{0,100}>"
        r"(?P<secret>[^<\s][^<]{0,500})</",
        "password> passwd> pwd> passphrase> secret> apikey> token> password token secret",
    ),
    _rule(
        "PASSWORD",
        r"\b(?:key|name)=[\"'][^\"'\n]{0,40}(?:password|pwd|secret|token|apikey)[\"'][ \t]{1,5}"
        r"value=[\"'](?P<secret>[^\"'\n]{1,300})[\"']",
        "value=",
    ),
    _rule(
        "PASSWORD",
        r"\b(?:user(?:name)?|login)[ \t]?/[ \t]?(?:password|pass|pwd|pw)\b[ \t]{0,3}[:=]?[ \t]{0,3}"
        r"[^\s/]{1,80}[ \t]{0,2}/[ \t]{0,2}(?P<secret>[^\s/]{3,100})",
        "pass pwd pw",
    ),
    _rule("RECOVERY-KEY", r"(?<!\d)(?P<secret>(?:\d{6}-){7}\d{6})(?!\d)", "-"),
    _rule(
        "HASH",
        r"(?P<secret>\$(?:1|2[aby]|5|6|y)\$[^\s:$]{1,80}\$[^\s:]{8,200}"
        r"|\b[0-9a-f]{32}:[0-9a-f]{32}\b)",
        "$ :",
    ),
    _rule(
        "CARD-NUMBER",
        r"(?<![\w.\-])(?P<secret>(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6\d{3})(?:[ \-]?\d{4}){3}"
        r"|3[47]\d\d[ \-]?\d{6}[ \-]?\d{5})(?![\w\-])",
        "2 3 4 5 6",
        _card_number,
    ),
    *(
        _rule(form.kind, form.pattern, form.triggers, _look if form.by_look else _plain)
        for form in FORMS
    ),
)  # fmt: skip
_ASSIGNMENT_TRIGGERS = (
    "passw", "kennwort", "passphrase", "passcode", "pwd", "pass", "pw", "psk", "shared", "security key",
    "wifi", "wi-fi", "token", "secret", "key", "session", "wlan", "schlüssel", "clé", "cle", "mdp",
    "contrase", "wachtwoord", "clave",
)  # fmt: skip


def find_secrets(text: str) -> tuple[Found, ...]:
    """In their order; where two overlap, the one that begins first."""
    remembered = _find_remembered if len(text) <= LONGEST_REMEMBERED else _find
    return remembered(text)


def _find(text: str) -> tuple[Found, ...]:
    lowered = text.lower()
    found = sorted(_candidates(text, lowered), key=lambda one: (one.start, -one.end))
    kept: list[Found] = []
    for one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return tuple(kept)


_find_remembered = lru_cache(REMEMBERED)(_find)


def forget() -> None:
    """What was found in which text, as after a start."""
    _find_remembered.cache_clear()


def _candidates(text: str, lowered: str) -> Iterator[Found]:
    for rule in _RULES:
        if any(trigger in lowered for trigger in rule.triggers):
            for match in rule.pattern.finditer(text):
                group = rule.group_of(match)
                if group is not None:
                    yield Found(*match.span(group), rule.kind)
    if any(trigger in lowered for trigger in _ASSIGNMENT_TRIGGERS):
        for match in _ASSIGNED.finditer(text):
            group = _assigned(match)
            if group is not None:
                start, end = match.span(group)
                if group == "bare":
                    end = start + len(match[group].rstrip(".,;:?)"))
                yield Found(start, end, "TOKEN" if match["token"] else "PASSWORD")


# ------------------------------------------------------------------ naming them


class Redactor:
    """Of one request. Texts come in the order of the lineage."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    def redact(self, text: str) -> str:
        pieces, end = [], 0
        for found in find_secrets(text):
            secret = text[found.start : found.end]
            pieces += [
                self._known_taken_out(text[end : found.start]),
                self._name(secret, found.kind),
            ]
            end = found.end
        return "".join((*pieces, self._known_taken_out(text[end:])))

    def _name(self, secret: str, kind: str) -> str:
        if secret not in self._names:
            self._counts[kind] += 1
            self._names[secret] = f"[{kind}-{self._counts[kind]}]"
        return self._names[secret]

    def _known_taken_out(self, text: str) -> str:
        for secret in sorted(self._names, key=len, reverse=True):
            if len(secret) >= SHORTEST_KNOWN:
                text = text.replace(secret, self._names[secret])
        return text


def redacted_request(request: TurnRequest) -> TurnRequest:
    redactor = Redactor()
    return replace(
        request,
        conversation=_conversation(request.conversation, redactor),
        volatile=tuple(redactor.redact(block) for block in request.volatile),
        question=_turn(request.question, redactor),
    )


def redacted_task(task: Task[Any]) -> Task[Any]:
    """Raises TypeError for a task that it does not know."""
    redactor = Redactor()
    match task:
        case AnalyseBranch():
            return replace(
                task,
                conversation=_conversation(task.conversation, redactor),
                hypotheses=_each(task.hypotheses, _facts, redactor),
                known=_each(task.known, _text, redactor),
            )
        case PrepareHandoff():
            return replace(
                task,
                conversation=_conversation(task.conversation, redactor),
                engineer_notes=_optional(task.engineer_notes, redactor),
                hypotheses=_each(task.hypotheses, _facts, redactor),
            )
        case DocumentTask():
            return replace(task, case=_case(task.case, redactor))
        case GiveSecondOpinion():
            return replace(
                task,
                session=replace(task.session, intake=redactor.redact(task.session.intake)),
                observations=_each(task.observations, _text, redactor),
            )
        case DescribeFile():
            return replace(task, attachment=_attachment(task.attachment, redactor))
    raise TypeError(f"Cannot redact {type(task).__name__}")


def _conversation(conversation: Conversation, redactor: Redactor) -> Conversation:
    session = conversation.session
    return replace(
        conversation,
        session=replace(
            session,
            reference=_optional(session.reference, redactor),
            intake=redactor.redact(session.intake),
        ),
        lineage=_each(conversation.lineage, _segment, redactor),
    )


def _segment(segment: Segment, redactor: Redactor) -> Segment:
    hypothesis = segment.hypothesis
    return Segment(
        hypothesis=None
        if hypothesis is None
        else Hypothesis(redactor.redact(hypothesis.label), redactor.redact(hypothesis.description)),
        digest=redactor.redact(segment.digest),
        turns=_each(segment.turns, _turn, redactor),
    )


def _turn(turn: Turn, redactor: Redactor) -> Turn:
    return replace(
        turn,
        attachments=_each(turn.attachments, _attachment, redactor),
        text=redactor.redact(turn.text),
    )


def _attachment(file: Attachment, redactor: Redactor) -> Attachment:
    return replace(
        file,
        filename=redactor.redact(file.filename),
        description=_optional(file.description, redactor),
        summary=_optional(file.summary, redactor),
        text=_optional(file.text, redactor),
    )


def _case(case: Case, redactor: Redactor) -> Case:
    return replace(
        case,
        conversation=_conversation(case.conversation, redactor),
        resolution=redactor.redact(case.resolution),
        problem=_optional(case.problem, redactor),
        hypotheses=_each(case.hypotheses, _facts, redactor),
        findings=_each(case.findings, _finding, redactor),
    )


def _finding(found: CaseFinding, redactor: Redactor) -> CaseFinding:
    return replace(found, branch=redactor.redact(found.branch), claim=redactor.redact(found.claim))


def _facts(facts: HypothesisFacts, redactor: Redactor) -> HypothesisFacts:
    return replace(
        facts,
        label=redactor.redact(facts.label),
        description=redactor.redact(facts.description),
        reason=_optional(facts.reason, redactor),
        tried=_each(facts.tried, _text, redactor),
        concluded=_optional(facts.concluded, redactor),
        findings=_each(facts.findings, _text, redactor),
    )


def _text(text: str, redactor: Redactor) -> str:
    return redactor.redact(text)


def _optional(text: str | None, redactor: Redactor) -> str | None:
    return None if text is None else redactor.redact(text)


def _each(
    items: tuple[T, ...], redacted: Callable[[T, Redactor], T], redactor: Redactor
) -> tuple[T, ...]:
    return tuple(redacted(item, redactor) for item in items)
