"""The commands: `python -m cli --help`. A file for each family of commands."""

from cli.database import migrate

__all__ = ["migrate"]
