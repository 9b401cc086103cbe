"""A whole session as a file that can be kept: read once, described once, written in three forms."""
