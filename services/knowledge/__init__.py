"""What an account knows: its library and its solved sessions, found by words."""
