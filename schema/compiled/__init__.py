"""Selections of plain fields, compiled: one function for an object type and what is asked of it.

`fields` says what may be compiled, `leaves` and `writer` write the functions, `filling` runs them in
turns, `plans` keeps them, and `execution` puts them where graphql-core completes objects and lists.

All of it is optimistic. A compiled function knows only the case in which every value is of the class that
the schema expects. Whatever else it meets - an exception, another class, null where none may be, an
awaitable - makes it give up, and graphql-core completes the same value from the beginning. Reading
attributes changes nothing, so nobody can tell; errors, their paths and order, and how far null spreads are
always graphql-core's. See docs/decisions/0026-compiled-selections.md; tests/compiled compares the two.
"""
