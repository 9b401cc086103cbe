"""Lists of documents that an installation trusts, as the builds of its clients write them."""

from collections.abc import Mapping
from json import JSONDecodeError
from pathlib import Path

from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    specified_rules,
)
from strawberry.schema.schema import validate_document

from schema.limits import excess, oversize
from schema.measure import measure, page_sizes
from schema.transport.encoding import decode
from services.runtime import Limits


class Untrustworthy(Exception):
    """A sentence that names the list, and the document in it."""


def read_list(path: Path) -> dict[str, str]:
    """Documents by the names that clients use, as the client preset of GraphQL Code Generator and Relay's
    compiler write them. Raises Untrustworthy."""
    try:
        found = decode(path.read_bytes())
    except OSError as error:
        raise Untrustworthy(f"{path} cannot be read: {error.strerror}.") from None
    except JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise Untrustworthy(f"{path} must be a JSON object of documents by their names.")
    return {name.removeprefix("sha256:"): text for name, text in found.items()}


def require_sound(schema: GraphQLSchema, limits: Limits, documents: Mapping[str, str]) -> None:
    """Raises Untrustworthy for a document that could never run."""
    for name, text in documents.items():
        problem = _problem(schema, limits, text)
        if problem is not None:
            raise Untrustworthy(f"The document {name} cannot be run: {problem}")


def _problem(schema: GraphQLSchema, limits: Limits, text: str) -> str | None:
    error = oversize(text, None, limits)
    if error is not None:
        return error.message
    try:
        document = parse(text, max_tokens=limits.max_tokens)
    except GraphQLError as wrong:
        return wrong.message
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if not operations:
        return "It has no operation."
    shortest = {
        declared.variable.name.value: 1
        for operation in operations
        for declared in operation.variable_definitions or ()
    }
    error = excess(measure(document, page_sizes(document, shortest)), limits)
    errors = [error] if error else validate_document(schema, document, tuple(specified_rules))
    return errors[0].message if errors else None
