"""Secrets as people write them down in a sentence: by what stands around them, and by their look.

They are written in more ways than are listed here, so this is a best effort. Gaps and values are
bounded, and a value begins after a space, a quote or a bracket: the time grows with the text alone.
"""

import re
from dataclasses import dataclass

_NAME = (
    r"(?:passwor[dt]|passwd|kennwort|passphrase|passcode|pwd|pw|psk|pre-?shared[ _-]?key|mot de passe|mdp"
    r"|contrase[ñn]a|wachtwoord|client[ _-]?secret|wi-?fi[ _-]?key|wlan-?schlüssel)"
)
_NAMES = (
    "passwor passwd kennwort passphrase passcode pwd pw psk shared passe mdp contrase wachtwoord secret "
    "fi schlüssel"
)
_LOGIN = (
    r"(?:log-?in|logon|credentials?|creds?|user(?:[ _-]?(?:name|id))?|account|anmeldung"
    r"|benutzer(?:name)?|zugangsdaten|identifiants?|credenciales|usuario|inloggegevens|gebruiker(?:snaam)?)"
)
_WHOSE = (
    r"(?:(?:his|her|their|its|my|our|your|the|a|an|das|ein|sein|ihr|mein|unser|als|le|la|un|une|son|el|su|una"
    r"|het|een|zijn|new|old|current|temp(?:orary)?|initial|default|neue[sm]?|alte[sm]?)[ \t]{1,3}){0,3}"
)
_CHANGED = (
    r"(?:chang|reset|set|switch|änder|geänder|zurückgesetz|gesetz|cambi|gewijzig|wijzig)\w{0,10}"
)
_IS = r"(?:is|was|ist|war|lautet|est|es|:|=)"

_VALUE = r"(?P<secret>[^\s\"'<>]{3,200}[^\s\"'<>,;:.?)\]])"
_BEFORE = r"(?<![^\s\"'(])"
_QUOTE = r"[\"'(]?"
_BARE_OR_QUOTED = (
    r"(?:[\"'](?P<quoted>[^\"'\n]{4,100})[\"']|(?P<secret>[^\s\"'<>]{3,200}[^\s\"'<>,;:.?)\]]))"
)
_GAP = r"[^\n;]{0,40}?"
_FROM, _TO = r"\b(?:from|von|de|van)[ \t]{1,3}", r"\b(?:to|auf|naar|à|a)[ \t]{1,3}"


@dataclass(frozen=True, slots=True)
class Form:
    """`triggers` are lower case; a text that holds none of them has no such secret."""

    kind: str
    pattern: str
    triggers: str
    by_look: bool = True
    """Whether it is one only if it looks like one."""


FORMS = (
    Form("PASSWORD", rf"\b{_NAME}[ \t]{{1,3}}{_BARE_OR_QUOTED}", _NAMES),
    Form(
        "PASSWORD",
        rf"{_BEFORE}{_VALUE}[\"')]?[ \t]{{1,3}}(?:as|is|was|for|ist|war|als|comme|est|como|es)[ \t]{{1,3}}"
        rf"{_WHOSE}{_NAME}\b",
        _NAMES,
    ),
    *(
        Form("PASSWORD", pattern, _NAMES)
        for way in (_FROM, _TO)
        for pattern in (
            rf"\b{_CHANGED}{_GAP}\b{_NAME}\b{_GAP}{way}{_QUOTE}{_VALUE}",
            rf"\b{_NAME}\b{_GAP}\b{_CHANGED}{_GAP}{way}{_QUOTE}{_VALUE}",
        )
    ),
    Form(
        "PASSWORD", rf"\b{_NAME}\b{_GAP}{_TO}{_QUOTE}{_VALUE}[^\n;]{{0,20}}?[ \t]{_CHANGED}", _NAMES
    ),
    Form(
        "PASSWORD",
        rf"\b{_CHANGED}{_GAP}{_FROM}{_QUOTE}{_VALUE}[\"')]?[ \t]{{1,3}}{_TO}[^\n;]{{0,120}}?\b{_NAME}\b",
        _NAMES,
    ),
    Form(
        "PASSWORD",
        rf"\b{_CHANGED}{_GAP}{_FROM}\S{{3,200}}[ \t]{{1,3}}{_TO}{_QUOTE}{_VALUE}[^\n;]{{0,40}}?\b{_NAME}\b",
        _NAMES,
    ),
    Form(
        "PASSWORD",
        rf"\b{_LOGIN}[ \t]{{0,3}}{_IS}?[ \t]{{0,3}}{_QUOTE}[\w.@\\-]{{1,80}}[\"')]?"
        rf"[ \t]{{0,3}}[/:|,][ \t]{{0,3}}{_QUOTE}{_VALUE}",
        "log cred user account anmeldung benutzer zugang identifiant usuario inlog gebruiker",
    ),
    Form(
        "PIN",
        r"\b(?:PIN|PUK)(?:[ _-]?(?:code|number|nummer))?[ \t]{0,3}"
        r"(?:(?:is|was|ist|lautet|est|es|to|now)\b|:|=|'s)?(?:[ \t]{1,3}now)?[ \t]{0,3}[:\"'#]?"
        r"[ \t]{0,2}(?P<secret>\d{4,8}|\d{3}-\d{3}-\d{3})(?![\w/]|[.:,-]\d)",
        "pin puk",
        by_look=False,
    ),
    Form(
        "PIN",
        r"\b(?:(?:door|gate|alarm|safe|entry|access|unlock)[ -]?code"
        r"|(?:zugangs|zutritts|tür|alarm)-?code|code d['’]accès|código de acceso|toegangscode)"
        r"[ \t]{0,3}(?:(?:is|was|ist|lautet|est|es)\b|:|=)?[ \t]{0,3}[\"'#]?"
        r"(?P<secret>\d{4,10})(?![\w/]|[.:,-]\d)",
        "code código",
        by_look=False,
    ),
    Form(
        "SECRET",
        r"\b(?:mfa|2fa|totp|otp|two-factor|authenticator)[ _-]{0,2}(?:app[ _-])?"
        r"(?:seed|secret|(?:setup )?key)"
        rf"[ \t]{{0,3}}{_IS}?[ \t]{{0,3}}[\"']?"
        r"(?P<secret>(?=[a-z]{0,40}[2-7])[a-z2-7]{16,128}={0,6}"
        r"|(?:[a-z2-7]{4}[ -]){3,31}[a-z2-7]{4})(?!\w)",
        "seed secret key",
        by_look=False,
    ),
    Form(
        "COMMUNITY",
        r"\b(?:snmp(?:v[123]c?)?[ _-](?:(?:ro|rw|read|write|read-?only|read-?write)[ _-])?"
        rf"community(?:[ _-]?string)?|community[ _-]string)[ \t]{{0,3}}{_IS}?[ \t]{{0,3}}[\"']?"
        r"(?P<secret>(?=[^\s\"'<>]{0,60}[\d!#$%&*+@])[^\s\"'<>]{2,63}[^\s\"'<>,;:.?)\]])",
        "community",
        by_look=False,
    ),
    Form(
        "COMMUNITY",
        r"\bsnmp-server[ \t]+community[ \t]+(?!(?:public|private)\b)(?P<secret>[^\s\"]{1,64})",
        "snmp-server",
        by_look=False,
    ),
    Form(
        "COMMUNITY",
        r"\bsnmp(?:get|getnext|walk|bulkget|bulkwalk|set|table)\b[^\n]{0,100}?[ \t]-c[ \t]{0,3}[\"']?"
        r"(?!(?:public|private)\b)(?P<secret>[^\s\"']{1,64})",
        "snmp",
        by_look=False,
    ),
    Form(
        "RECOVERY-KEY",
        r"\b(?:bitlocker|recovery|wiederherstellung\w{0,12})\b[^\n]{0,60}?(?<!\d)"
        r"(?P<secret>\d{48}|(?:\d{6} ){7}\d{6})(?!\d)",
        "bitlocker recovery wiederherstellung",
        by_look=False,
    ),
)

_SIGN = re.compile(r"[!#$%^&*+=~?@§€]")
_SOMETHING_ELSE = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.[a-z]{2,10}|[^:]{1,20}://.*|[a-z]:\\.*|[\\/\[{<$%].*"
    r"|(?:office|microsoft|windows|win|server|exchange|outlook|sharepoint|sql|kb|acrobat|sage|version|v)"
    r"[ _-]?\d[\w.]*",
    re.IGNORECASE | re.DOTALL,
)
"""Addresses, paths, placeholders, products with their version."""


def looks_like_a_password(value: str) -> bool:
    """In a sentence: a letter and a digit, and a sign in six characters or both cases in eight."""
    if _SOMETHING_ELSE.fullmatch(value):
        return False
    if not (any(map(str.isdigit, value)) and any(map(str.isalpha, value))):
        return False
    if _SIGN.search(value):
        return len(value) >= 6  # noqa: PLR2004
    return len(value) >= 8 and value != value.lower() and value != value.upper()  # noqa: PLR2004
