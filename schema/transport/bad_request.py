"""How a request is refused that GraphQL never sees."""


class BadRequest(Exception):
    """Becomes an error in JSON."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers
