"""What an engineer's reply says of a check. No clear yes or no is no answer.

A wrong verdict rules a cause out or in, where asking again costs a message. So a reply counts only if it
begins with a plain yes or no, or if all of it repeats what the check expects, affirmed or denied. What it
repeats is compared by what both deny, limit or count: "another", "no longer", "one of". Words about later,
about somebody else, a question or a doubt leave the check open, whatever stands beside them.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from services.ai.retrieval import stem

_SHORT = 60
"""Words up to which the whole reply is looked at for what leaves a check open; of a longer one, which holds
a log or an output, the first line."""

_UNDO = re.compile(
    r"\W*(?:please\W+)?(?:undo(?:\s+(?:it|that|this|(?:the|my) last (?:answer|one)))?"
    r"|take (?:it|that|my (?:last )?answer) back)(?:\W+please)?\W*",
    re.IGNORECASE,
)

_LATER = r"""
    yet|later|soon|tomorrow|tonight|today|(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:this|next) \w+
    will|shall|going to|about to|until|till|in (?:an?|some|\d+) \w+|so far|in progress|first thing
    wait|waiting|hold on|(?:a|one) (?:sec|second|minute|moment)
    (?:once|when|as soon as) (?:he|she|they|i|we)
    try|retry|again later|on it|working on|let me|give me|to (?:check|test|try|ask|do)|needs? to|have to
    (?:check|test|look|try|do|ask|call|install|download)ing
    working (?:it|that|this|now|on|for|him|her|them)
    (?:can|could|do|did|have|has|had) not (?:\w+ )?(?:check|test|reach|try|tri|do|done|look|ask)(?:ed)?
    (?:can|could|did) not (?:get|got) to|still (?:check|test|try|do|ask|wait|look|runn)ing
"""
_OTHERS = r"""
    colleagues?|customer|boss|passed|handed|ask|asked|tell|told|somebody|someone|anybody|voicemail
    holidays?|vacation|on leave|lunch|meeting|absent|away|busy|sick|unavailable|asleep
    (?:out|in|at)(?: of)? the office|out of office|(?:answer|answers|pick|picks)(?: up)? the phone
    (?:not |away )(?:at|from) (?:my|his|her|the) desk
    (?:he|she|they|user) (?:has |have |is |are |had )?(?:left|gone|out|off|not (?:in|here|there))
"""
_DOUBT = r"""
    unsure|maybe|perhaps|partly|partially|possibly|probably|presumably|likely|apparently
    seem(?:s|ed)?|looks like
    think|thinks|thought|guess|suppose|assume|believe|hope|might|may|could be|should|would|if|unless|whether
    depends|sometimes|mostly|almost|nearly|hardly|barely|some of|half|not (?:sure|certain|clear|that i know)
    (?:do|does|did|can) not (?:know|tell|remember|understand)|no (?:idea|clue|way to)|more or less
    (?:kind|sort) of|mean|meant|yes (?:and|or) no
"""
_SOMETHING_ELSE = r"""
    please|sorry|mind|forget|ignore|continue|proceed|go (?:on|ahead)|understood|ok|okay|sure
"""
_ANOTHER_THING = r"""
    (?:wrong|other|another|different) (?:branch|window|chat|session|tab|hypothesis|one|customer|machine|pc)
    (?:wrong|other|another|different) (?:user|person|client|matter|thing|question|story|topic|case)
    (?:wrong|other|another|different) (?:ticket|day)
    appointment|(?:an?|the|our|her|his) visit
    pick(?:s|ed)? up|hangs? up|hung up|rang|(?:call|ring)(?:s|ed|ing)? (?:me |us )?back
    (?:nobody|no one) (?:\w+ )?(?:answer|pick|call|repl|respond|there|here|home|around|reach|avail)\w*
"""


def _any_of(*lists: str) -> str:
    return "|".join(line.strip() for listed in lists for line in listed.strip().splitlines())


_LEAVES_OPEN = re.compile(rf"\?|\b(?:{_any_of(_LATER, _OTHERS, _DOUBT, _SOMETHING_ELSE)})\b")
_OF_ANOTHER_THING = re.compile(rf"\b(?:{_any_of(_ANOTHER_THING)})\b")
"""Leaves a check open as well, unless the check itself is about it."""

_RESERVATION = re.compile(r"\b(?:but|however|although|though|except)\b")
_SPEAKS_OF_ONESELF = re.compile(
    r"\b(?:i|we)\b(?!\s+(?:(?:have|had|can|could|do|did|just)\s+(?:not\s+)?)*"
    r"(?:see|saw|seen|find|found|get|got|check|checked|test|tested|looked|tried|verified|confirm|confirmed"
    r"|read)\b)"
)

_STOPS = r"(?=\s*$|\s*[,.;:!…]+(?:\s|$)|\s+[–—-]+\s|\s*[–—]|[\"”')*_]+(?:\W|$))"
_LEADING = re.compile(
    rf"\W*(?:(?P<yes>(?:yes|yep|yeah|yup|aye)(?:{_STOPS}|(?=\s+(?:it|that|this|they|there|the|she|he)\b))"
    rf"|(?:affirmative|correct|confirmed|true|exactly|indeed){_STOPS}|y(?=\W*$|,\s))"
    rf"|(?P<no>(?:no|nope|nah)(?:{_STOPS}|(?=\s+(?:it|that|this|they|there|the|she|he)\b))"
    rf"|(?:negative|false|incorrect|untrue){_STOPS}|n(?=\W*$|,\s)))"
)

_HE = r"(?:it|that|this|they|these|those|he|she|there)"
_OF_THE_STATEMENT = re.compile(
    rf"(?:{_HE} (?:is|was) )?(?P<not>not )?(?:right|correct|true|so|the case|confirmed|as expected)"
)
_OF_ITS_VERB = re.compile(
    rf"{_HE} (?:is|are|was|were|does|do|did|has|have|had|can|could)(?P<not> not)?(?: there)?"
)
_WORKS = re.compile(
    rf"(?:(?:{_HE}|everything|all) )?(?:does |do |did |is |are )?"
    r"(?:work|works|worked|working|succeeds|succeeded|passes|passed)"
)
_FAILS = re.compile(
    rf"(?:{_HE} )?(?:(?:is |are |does |do |did |has )?not (?:work|works|worked|working|succeed|pass)"
    r"|(?:is |are |was |has )?(?:fail|fails|failed|failing|broken)|nothing works)"
)
_NO_TROUBLE = re.compile(
    rf"(?:{_HE} (?:is|are|was|were|has|have) )?(?:no|not|nothing|never|without|neither)(?: \w+)? "
    r"(?:refused|denied|errors?|wrong|problems?|issues?|troubles?|warnings?|failures?|broken|failing|failed)"
)
_WORKING = re.compile(
    r"\b(?:works?|opens?|loads?|starts?|succeeds?|succeeded|passes|passed|connects?|arrives?|prints?|answers?"
    r"|reach(?:ed|able)|sends?|receives?|syncs?|runs?|signs?|saves?|warms?|lit|fast|back|appears?)\b"
)
_NEGATIVE = re.compile(
    r"\b(?:not?|none|neither|nothing|never|without|free of|fail\w*|error\w*|den(?:y|ies|ied)|refused?"
    r"|stopped|differ\w*|block\w*|wrong|degraded|old|missing|lost|gone)\b"
)
_COMPARED = re.compile(r"\b(?:another\b.*\bthan|other than)\b")
_MANY = re.compile(r"[,;:]|\b(?:and|or|nor|but|while|unless|if)\b")
_NO_LONGER_BY_ITSELF = re.compile(
    r"(?<!\w )\b(?:no longer|not any ?(?:more|longer))(?=\W*[,.;!\n]|\W*$)"
)
# From the first mark of a row only: a long row would be tried from each of its marks.
_END_OF_PART = re.compile(r"(?<![,.;:!\n–—])[,.;:!\n–—]+(?:\s|$)|\s-\s")
_WITHOUT_ERROR = re.compile(r"\bwithout (?:an |any )?errors?\b")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_AUXILIARIES = _set("is are was were be been does do did has have had can could")
_NOTHING_SAID = _set(
    "now still indeed really all fully correctly properly again fine well too as expected just there"
)
_SUBJECTS = _set("it that this they these those he she there")
_ARTICLES = _set("the a an its his her their my your this that these those")
_DENIALS = _set("not never")
_TURNS = _DENIALS | _set(
    """no none neither nobody nothing without another other others different else same than except only one
    both either any all every each some something most few several certain"""
)
"""Words without which a statement says another thing; a "not" beside them does not make its opposite."""

_RELATIVES = _set("that which who")
_CIRCUMSTANCES = _set("with on in from for after by at under during once there")
"""Begin what a repetition may leave out: "it opens" for "it opens with the password"."""

_WORD = re.compile(r"[\w']+(?:[.\-][\w']+)*")
_MARKS = " .,;:!…()\"'“”‘’*_–—-"
_VERB = re.compile(r"\w{2,}[^s]s")

Said = Literal["yes", "no", "nothing", "something"]
"""Of a part of a reply. Nothing that bears on the check, as "no errors"; something not understood."""


def is_undo(reply: str) -> bool:
    return _UNDO.fullmatch(reply) is not None


def read_reply(reply: str, expected: str) -> bool | None:
    """Whether the reply says that the expectation was met; None if that is not clear."""
    said, expected = _folded(reply).strip(), _folded(expected)
    if _bare(said) == _bare(expected) and "?" not in said:
        return True
    told = said if len(said.split()) <= _SHORT else said.partition("\n")[0]
    if _leaves_open(told, expected):
        return None
    leading = _LEADING.match(told)
    if leading is not None:
        return _unless_taken_back(leading["yes"] is not None, told[leading.end() :], expected)
    parts = set(_parts(told, expected))
    clear = parts & {"yes", "no"}
    return "yes" in clear if len(clear) == 1 and "something" not in parts else None


def _leaves_open(told: str, expected: str) -> bool:
    return _LEAVES_OPEN.search(told) is not None or any(
        found[0] not in expected for found in _OF_ANOTHER_THING.finditer(told)
    )


def _unless_taken_back(answer: bool, rest: str, expected: str) -> bool | None:
    """The answer that a reply begins with, if the rest of it does not limit it or say the opposite."""
    if _RESERVATION.search(re.split(r"[.!;\n]", rest)[0]):
        return None
    if _SPEAKS_OF_ONESELF.search(rest.partition("\n")[0]):
        return None
    said = {"yes"} if _bare(rest) == _bare(expected) else set(_parts(rest, expected))
    return None if ("no" if answer else "yes") in said else answer


def _parts(text: str, expected: str) -> Iterator[Said]:
    for part in _END_OF_PART.split(text):
        words = _WORD.findall(part)
        leading = _LEADING.match(" ".join(words))
        if leading is not None:
            yield "no" if leading["yes"] is None else "yes"
            words = words[1:]
        if words:
            yield (
                _of_the_statement(words) or _repeated(words, expected) or _in_short(words, expected)
            )


def _of_the_statement(words: Sequence[str]) -> Said | None:
    """A word about the statement as such: "that is so"."""
    found = _OF_THE_STATEMENT.fullmatch(" ".join(words))
    return found and ("no" if found["not"] else "yes")


def _in_short(words: Sequence[str], expected: str) -> Said:
    """ "It does not" or "works". Where it is expected that something is not so, either could mean both."""
    plain = " ".join(word for word in words if word not in _NOTHING_SAID or word == "there")
    if _NO_TROUBLE.fullmatch(plain):
        return "nothing"
    if _NEGATIVE.search(expected) or _COMPARED.search(expected):
        return "something"
    of_verb = _OF_ITS_VERB.fullmatch(plain)
    if of_verb is not None:
        return "no" if of_verb["not"] else "yes"
    if _WORKING.search(expected):
        if _WORKS.fullmatch(plain):
            return "yes"
        if _FAILS.fullmatch(plain):
            return "no"
    return "something"


def _repeated(words: Sequence[str], expected: str) -> Said | None:
    """Whether the words say again, or deny, what is expected; None where they say something else.

    They name the same predicate after the same subject or a pronoun, nothing that is not expected, and
    every word that turns its meaning. An expectation of several parts is not repeated by one of them.
    """
    wanted = _WORD.findall(expected)
    place = None if _MANY.search(expected.rstrip(". ")) else _predicate(wanted)
    if place is None:
        return None
    if "without" not in wanted:
        words = _WITHOUT_ERROR.sub("", " ".join(words)).split()
    at = next((i for i, word in enumerate(words) if stem(word) == stem(wanted[place])), 0)
    if (
        at == 0
        or words[at - 1] in _ARTICLES - _SUBJECTS
        or not _names_the_subject(words[:at], wanted[:place])
        or not _says_what_follows(words[at + 1 :], wanted[place + 1 :])
    ):
        return None
    denied, turns = _denied(words, at)
    wanted_denied, wanted_turns = _denied(wanted, place)
    if turns == wanted_turns and denied == wanted_denied:
        return "yes"
    # "One of them is not" leaves it open whether another is.
    return None if turns or wanted_turns else "no"


def _names_the_subject(words: Sequence[str], wanted: Sequence[str]) -> bool:
    """By a pronoun, or by its last word and others of it: "Outlook" is not "Outlook on the web"."""
    between = _AUXILIARIES | _NOTHING_SAID | _DENIALS
    named = [word for word in words if word not in between]
    subject = [stem(word) for word in wanted if word not in between]
    if not named or not subject:
        return False
    own = {stem(word) for word in named if word not in _SUBJECTS | _ARTICLES}
    return own <= set(subject) and (not own or subject[-1] in own)


def _says_what_follows(words: Sequence[str], wanted: Sequence[str]) -> bool:
    """All up to the first circumstance, and nothing else than what is wanted."""
    little = _NOTHING_SAID | _ARTICLES
    end = next((i for i, word in enumerate(wanted) if word in _CIRCUMSTANCES), len(wanted))
    needed = {stem(word) for word in wanted[:end] if word not in little}
    said = {stem(word) for word in words}
    allowed = {stem(word) for word in wanted}
    return needed <= said and all(word in little or stem(word) in allowed for word in words)


def _denied(words: Sequence[str], at: int) -> tuple[bool, Sequence[str]]:
    """Whether the predicate is denied right before it; and, sorted, what else turns the meaning."""
    start = at
    while start and words[start - 1] in _AUXILIARIES | _NOTHING_SAID | _ARTICLES | _DENIALS:
        start -= 1
    turns = sorted(word for word in [*words[:start], *words[at:]] if word in _TURNS)
    return sum(word in _DENIALS for word in words[start:at]) % 2 == 1, turns


def _predicate(wanted: Sequence[str]) -> int | None:
    """Where the expectation's predicate stands: behind its auxiliary, else its first verb in -s.

    The auxiliary of "the one that is shown" belongs to the subject.
    """
    for place, word in enumerate(wanted):
        relative = place > 1 and wanted[place - 1] in _RELATIVES
        if word in _AUXILIARIES and place and not relative:
            behind = range(place + 1, len(wanted))
            skipped = _AUXILIARIES | _NOTHING_SAID | _ARTICLES | _DENIALS
            return next((i for i in behind if wanted[i] not in skipped), None)
    return next((i for i, word in enumerate(wanted) if i and _VERB.fullmatch(word)), None)


def _bare(text: str) -> str:
    """Without the marks and spaces around it, which say nothing."""
    return " ".join(text.split()).strip(_MARKS)


def _folded(text: str) -> str:
    plain = text.casefold().replace("’", "'").replace("won't", "will not")
    plain = plain.replace("n't", " not").replace("cannot", "can not").replace("ca not", "can not")
    plain = _NO_LONGER_BY_ITSELF.sub("it does not", plain)
    plain = re.sub(r"\bno longer\b(?! than)", "not", plain)
    plain = re.sub(r"\bnot\b(.{0,60}?) any ?(?:more|longer)\b", r"not\1", plain)
    plain = re.sub(r"\b(it|that|there|he|she|what)'s\b", r"\1 is", plain)
    plain = re.sub(r"\b(\w+)'ll\b", r"\1 will", plain)
    plain = re.sub(r"\b(they|we|you)'re\b", r"\1 are", plain)
    return re.sub(r"\bi'm\b", "i am", plain)
