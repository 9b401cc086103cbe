"""A person's own password, changed by whoever knows the old one."""

from services.access import Actor
from services.accounts import new_password
from services.authentication import Tokens, replace_password, secret_text
from services.errors import PermissionDenied
from services.runtime import Runtime
from services.validation import Validation


async def change_password(runtime: Runtime, actor: Actor, *, current: str, new: str) -> Tokens:
    """Ends all of the person's sign-ins; the tokens are of a new one.

    Raises InvalidInput and PermissionDenied.
    """
    check = Validation()
    secret_text(check, ("currentPassword",), current)
    new_password(check, ("newPassword",), new)
    if new == current:
        check.add(("newPassword",), "Must be another than the current one.")
    check.done()
    if actor.is_key:
        raise PermissionDenied("An API key has no password.")
    return await replace_password(runtime, actor, current=current, new=new)
