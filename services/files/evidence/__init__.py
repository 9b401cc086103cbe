"""What a file is and says, found out from its bytes alone. Nothing here knows the database or raises."""
