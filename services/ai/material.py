"""Text that people and other systems wrote, marked as what gives no orders."""


def delimited(source: str, text: str) -> str:
    """`&` and `<` are written as entities, so that nothing inside can end the block.

    What is to be taken out or cut comes first: secrets are not recognised in what is written so.
    """
    name = one_line(source).replace("&", "&amp;").replace("<", "&lt;").replace('"', "'")
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return f'<untrusted source="{name}">\n{escaped}\n</untrusted>'


def one_line(text: str) -> str:
    return " ".join(text.split())
