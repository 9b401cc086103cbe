"""Whether what is asked for is something that is cheaper to read along."""

from collections.abc import Collection, Iterator, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationType,
    SelectionSetNode,
    get_operation_ast,
)

from schema.context import Info

ENTERING = "session"
"""The field of Query that looks at who calls by the statement that reads, where a tree is asked of it."""

TREE_FIELDS = frozenset({"rootBranch", "activeBranch", "branches"})


def finds_out_who_calls(document: DocumentNode, operation_name: str | None) -> bool:
    """Whether a session with its tree is all that a valid document asks for."""
    asked = get_operation_ast(document, operation_name)
    if asked is None or asked.operation is not OperationType.QUERY:
        return False
    fields = asked.selection_set.selections
    only = fields[0]
    if len(fields) != 1 or not isinstance(only, FieldNode) or only.name.value != ENTERING:
        return False
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    return not TREE_FIELDS.isdisjoint(_field_names(only.selection_set, fragments))


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
