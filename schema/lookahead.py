"""Whether a field's own selection asks for something that is cheaper to read along."""

from collections.abc import Collection, Iterator, Mapping

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from schema.context import Info


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
