"""What of a schema may be compiled: fields that are attributes, and types whose objects have one class."""

from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    is_object_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

AT_HAND = "at_hand"

Reading = Callable[[Any], object]


class NotAtHand(Exception):
    """What a resolver would have to fetch."""


def at_hand(read: Reading) -> Mapping[object, object]:
    """Metadata of a field whose resolver need not be asked where its object has the answer already.

    `read` is given the object, changes nothing, and raises NotAtHand where the resolver is needed.
    """
    return {AT_HAND: read}


def attribute_of(field: GraphQLField) -> str | None:
    """The name of the attribute that the field returns; None if it does anything else."""
    definition = _definition_of(field)
    if (
        definition is None
        or field.args
        or getattr(field.resolve, "__name__", "") != "_get_basic_result"  # strawberry's for these
        or type(definition).get_result is not StrawberryField.get_result
        or definition.default_resolver is not getattr
    ):
        return None
    name = definition.python_name
    return name if name.isidentifier() and not iskeyword(name) else None


def reading_of(field: GraphQLField) -> Reading | None:
    definition = _definition_of(field)
    if definition is None or field.args:
        return None
    return definition.metadata.get(AT_HAND)


def _definition_of(field: GraphQLField) -> StrawberryField | None:
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return definition if isinstance(definition, StrawberryField) else None


def class_of(object_type: GraphQLObjectType) -> type | None:
    """The class whose instances are this type's objects; None where their class alone does not say it."""
    definition = object_type.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(definition, StrawberryObjectDefinition):
        return None
    if definition.is_type_of or definition.concrete_of or definition.is_graphql_generic:
        return None
    origin = definition.origin
    if issubclass(origin, BaseException) or hasattr(origin, "__await__"):
        return None
    return origin


def classes_of(
    schema: GraphQLSchema, abstract: GraphQLAbstractType
) -> dict[type, GraphQLObjectType]:
    """Those whose objects strawberry takes for one type of an interface or a union, and for no other."""
    definition = abstract.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if isinstance(abstract, GraphQLInterfaceType) and (
        not isinstance(definition, StrawberryObjectDefinition) or definition.resolve_type
    ):
        return {}
    types = [type_ for type_ in schema.get_possible_types(abstract) if is_object_type(type_)]
    origins = {
        type_: getattr(
            type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF), "origin", object
        )
        for type_ in types
    }
    found: dict[type, GraphQLObjectType] = {}
    for type_ in types:
        origin = class_of(type_)
        rivals = (other for other in types if other is not type_)
        if origin is not None and not any(issubclass(origin, origins[rival]) for rival in rivals):
            found[origin] = type_
    return found
