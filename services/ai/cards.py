"""Troubleshooting cards: what the offline playbook knows, read from YAML and checked."""

from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

PLAYBOOKS = Path(__file__).parent / "playbooks"

Claim = Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S")]
Text = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")]
Label = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Description = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
Verdict = Literal["confirmed", "refuted"]


class CardError(Exception):
    """A card cannot be used; the message names its file and field."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, str_strip_whitespace=True)


class Check(_Part):
    """`expect` is a statement that the engineer answers with yes or no, `denied` what holds if it is no:
    either is a finding, which people read without the check.

    `yes_means` and `no_means` say which of the answers settles the hypothesis; without them the
    next check follows. An action changes something, a verification only looks.
    """

    kind: Literal["verification", "action"] = "verification"
    do: Text
    expect: Claim
    denied: Claim
    if_yes: Text
    if_no: Text
    yes_means: Verdict | None = None
    no_means: Verdict | None = None


class CardHypothesis(_Part):
    """`likelihood` is the author's prior, 0 to 1, before anything is known of the case."""

    label: Label
    description: Description
    likelihood: float = Field(gt=0, lt=1)
    checks: tuple[Check, ...] = Field(min_length=1, strict=False)


class Card(_Part):
    """A text can be about the card only if it holds a word of `subject`, which names the thing,
    and one of `complaint`, which names what is wrong with it, within two sentences. An entry of
    several words counts where they stand side by side.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Label
    domain: Label
    symptoms: tuple[Text, ...] = Field(min_length=1, strict=False)
    keywords: tuple[Label, ...] = Field(min_length=1, strict=False)
    subject: tuple[Label, ...] = Field(min_length=1, strict=False)
    complaint: tuple[Label, ...] = Field(min_length=1, strict=False)
    hypotheses: tuple[CardHypothesis, ...] = Field(min_length=2, max_length=5, strict=False)
    resolution: Text
    rule_out: tuple[Text, ...] = Field(min_length=1, strict=False)

    @model_validator(mode="after")
    def _likelihoods_exclude_each_other(self) -> Self:
        if sum(hypothesis.likelihood for hypothesis in self.hypotheses) > 1:
            raise ValueError("hypotheses: the likelihoods add up to more than 1")
        return self


def load_cards(folder: Path = PLAYBOOKS) -> tuple[Card, ...]:
    """Every card of the folder, by file name. Raises CardError."""
    cards = tuple(_read_card(file) for file in sorted(folder.glob("*.yaml")))
    owners: dict[str, str] = {}
    for card in cards:
        for hypothesis in card.hypotheses:
            label = hypothesis.label.casefold()
            if label in owners:
                raise CardError(
                    f"{card.id}.yaml: hypotheses: the label {hypothesis.label!r} "
                    f"is taken in {owners[label]}.yaml"
                )
            owners[label] = card.id
    return cards


def _read_card(file: Path) -> Card:
    try:
        card = Card.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise CardError(f"{file.name}: not valid YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "card"
        raise CardError(f"{file.name}: {field}: {first['msg']}") from error
    if card.id != file.stem:
        raise CardError(f"{file.name}: id: is {card.id!r} but the file is named {file.stem!r}")
    return card
