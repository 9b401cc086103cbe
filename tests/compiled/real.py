"""The types of the schema that is served, every one of them to be had from the root."""

from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    is_composite_type,
)

from schema.root import graphql_schema

CORE = graphql_schema._schema
ROOTS = {"Query", "Mutation", "Subscription"}
TYPES = [
    type_
    for name, type_ in CORE.type_map.items()
    if is_composite_type(type_) and not name.startswith("__") and name not in ROOTS
]

REAL = GraphQLSchema(
    query=GraphQLObjectType(
        "Roots",
        {
            f"{kind}{type_.name}": GraphQLField(
                of, resolve=lambda _, info: info.context.answer(info)
            )
            for type_ in TYPES
            for kind, of in (
                ("one", type_),
                ("many", GraphQLNonNull(GraphQLList(GraphQLNonNull(type_)))),
            )
        },
    ),
    types=TYPES,
)
