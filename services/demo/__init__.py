"""Accounts to try the product with: written-out sessions, a queue that is alive, a tree of 1,000."""

from services.demo.load import load_once

__all__ = ["load_once"]
