"""Whether what is asked for is something that is cheaper to read along."""

from collections.abc import Collection, Iterator, Mapping

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationType,
    SelectionSetNode,
    get_operation_ast,
)
from strawberry.types import ExecutionContext

from schema.context import Info

ENTERING = "session"
"""The field of Query that looks at who calls by what it reads with, or asks before it reads."""


def finds_out_who_calls(operation: ExecutionContext) -> bool:
    """Whether that field is all that a known document asks for."""
    known = operation.context.documents.find(operation.query or "")
    name = operation._provided_operation_name  # noqa: SLF001 - the public one guesses
    asked = known and get_operation_ast(known.document, name)
    if asked is None or asked.operation is not OperationType.QUERY:
        return False
    fields = asked.selection_set.selections
    only = fields[0]
    return len(fields) == 1 and isinstance(only, FieldNode) and only.name.value == ENTERING


def selects(info: Info, names: Collection[str]) -> bool:
    """Looks one level deep, through fragments; @skip and @include are not weighed."""
    raw = info._raw_info  # noqa: SLF001 - strawberry's own selected_fields converts the whole tree
    return any(
        name in names
        for node in raw.field_nodes
        for name in _field_names(node.selection_set, raw.fragments)
    )


def _field_names(
    selection_set: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[str]:
    for node in selection_set.selections if selection_set else ():
        if isinstance(node, FieldNode):
            yield node.name.value
        elif isinstance(node, InlineFragmentNode):
            yield from _field_names(node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            yield from _field_names(fragments[node.name.value].selection_set, fragments)
