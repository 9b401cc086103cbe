"""The documents that a resolved session leaves behind, from the first draft to the review."""
