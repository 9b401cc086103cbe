"""What services.files.evidence.apart runs: each reads a file from standard input and prints what it found.

They import nothing of FlowPilot, and nothing of FlowPilot imports them.
"""
