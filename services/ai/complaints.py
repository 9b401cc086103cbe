"""Complaints that fit whatever has stopped doing its work."""

GENERAL_COMPLAINTS = (
    "not work", "no longer work", "stop work", "stopped", "not function", "not respond", "not start",
    "not open", "not load", "not run", "not turn on", "not connect", "no connection", "not detected",
    "not found", "not available", "unavailable", "not reachable", "not give", "not get", "not show",
    "not see", "not", "no", "nothing", "nobody", "no one", "missing", "gone", "disappeared", "wrong",
    "broke", "broken", "fail", "failure", "down", "error", "problem", "issue", "trouble",
)  # fmt: skip
