"""What a document may ask for, counted in one pass before it is validated.

Fragments are measured once each and remembered, so thirty fragments that spread one another cost
thirty steps, not two to the thirtieth. One place counts; what later limits need is added to `Size`.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationRule,
)
from strawberry.extensions import ParserCache, ValidationCache

MAX_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class Size:
    """Of a selection with its fragments laid out."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0

    def beside(self, other: "Size") -> "Size":
        return Size(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
        )


CAPS = Size(depth=25, fields=2_000, aliases=100)
MAX_ROOT_FIELDS = 50


class BoundedParsing(ParserCache):
    """Stops the parser at a number of tokens, and remembers what it has parsed.

    A syntax error raised here would escape the operation: on a socket nobody would be told of it. So
    a bad document is left unparsed, and the execution, which parses it again, reports the error.
    """

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        context.parse_options["max_tokens"] = MAX_TOKENS
        with suppress(GraphQLSyntaxError):
            context.graphql_document = self.cached_parse_document(
                context.query, **context.parse_options
            )
        yield


class SchemaForCallers(ValidationRule):
    """The schema is for those who have signed in."""

    def enter_field(self, node: FieldNode, *_: object) -> None:
        if node.name.value in {"__schema", "__type"}:
            code = {"code": "UNAUTHENTICATED"}
            self.report_error(GraphQLError("Sign in to see the schema.", node, extensions=code))


class BoundedValidation(ValidationCache):
    """Refuses a document over its caps, and introspection to strangers, before it is validated."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        document = context.graphql_document
        unnamed = context._provided_operation_name is None  # noqa: SLF001 - the public one guesses
        if document and unnamed and _operations(document) > 1:
            error = GraphQLError(
                "Name the operation to run.", extensions={"code": "BAD_USER_INPUT"}
            )
            context.pre_execution_errors = [error]
            yield
            return
        problem = excess(document) if document else None
        if problem is not None:
            error = GraphQLError(problem, extensions={"code": "DOCUMENT_TOO_LARGE"})
            context.pre_execution_errors = [error]
            yield
            return
        if context.context.caller is None:
            context.validation_rules += (SchemaForCallers,)
        yield from super().on_validate()


def _operations(document: DocumentNode) -> int:
    return sum(isinstance(node, OperationDefinitionNode) for node in document.definitions)


@lru_cache(maxsize=1_000)
def excess(document: DocumentNode) -> str | None:
    """What is too much in any of its operations, in a sentence."""
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    known: dict[str, Size] = {}
    for node in document.definitions:
        if not isinstance(node, OperationDefinitionNode):
            continue
        size = _measure(node.selection_set, fragments, known)
        for name in Size.__slots__:
            cap = getattr(CAPS, name)
            if getattr(size, name) > cap:
                return f"The document has more {name} than the {cap:,} allowed."
        if len(node.selection_set.selections) > MAX_ROOT_FIELDS:
            return f"The document has more than {MAX_ROOT_FIELDS} root fields."
    return None


def _measure(
    selection_set: SelectionSetNode | None,
    fragments: Mapping[str, FragmentDefinitionNode],
    known: dict[str, Size],
) -> Size:
    total = Size()
    for node in selection_set.selections if selection_set else ():
        if isinstance(node, FieldNode):
            below = _measure(node.selection_set, fragments, known)
            total = total.beside(
                Size(below.depth + 1, below.fields + 1, below.aliases + (node.alias is not None))
            )
        elif isinstance(node, InlineFragmentNode):
            total = total.beside(_measure(node.selection_set, fragments, known))
        elif isinstance(node, FragmentSpreadNode):
            total = total.beside(_fragment(node.name.value, fragments, known))
    return total


def _fragment(
    name: str, fragments: Mapping[str, FragmentDefinitionNode], known: dict[str, Size]
) -> Size:
    """A fragment under measure counts as empty inside itself; validation refuses such a cycle."""
    if name not in known and name in fragments:
        known[name] = Size()
        known[name] = _measure(fragments[name].selection_set, fragments, known)
    return known.get(name, Size())
