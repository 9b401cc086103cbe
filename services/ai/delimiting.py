"""How material is told from orders in a prompt."""


def delimited(source: str, text: str) -> str:
    """Marks `text` as material that gives no orders.

    `&` and `<` are written as entities, so that nothing inside can end the block.
    """
    name = one_line(source).replace("&", "&amp;").replace("<", "&lt;").replace('"', "'")
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return f'<untrusted source="{name}">\n{escaped}\n</untrusted>'


def one_line(text: str) -> str:
    return " ".join(text.split())
