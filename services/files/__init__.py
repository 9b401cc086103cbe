"""Files that people bring in: kept, read, described, sent with messages and fetched again."""
