"""What ends a command: sentences for whoever typed it, without a traceback."""


class CommandFailed(Exception):
    """Whole sentences: what is wrong, and what to do."""
