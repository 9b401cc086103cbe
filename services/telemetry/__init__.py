"""What the process tells those who run it: logs, metrics and traces."""
