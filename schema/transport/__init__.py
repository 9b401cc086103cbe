"""How operations come in and answers go out: HTTP, event streams and sockets, at one address."""
