"""The systems outside, on 127.0.0.1: their shapes, and the traps that each is known for."""
