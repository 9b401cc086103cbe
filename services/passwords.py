"""A person's own password, changed by whoever knows the old one."""

from services.access import Actor
from services.accounts import new_password
from services.authentication import Tokens, replace_password, secret_text
from services.errors import PermissionDenied
from services.origin import ADDRESS
from services.runtime import Runtime
from services.validation import Validation


async def change_password(runtime: Runtime, actor: Actor, *, current: str, new: str) -> Tokens:
    """Ends all of the person's sign-ins; the tokens are of a new one.

    Guesses at the old one count as attempts to sign in do: a stolen access token is no way round them.
    Raises InvalidInput, RateLimited and PermissionDenied.
    """
    check = Validation()
    secret_text(check, ("currentPassword",), current)
    new_password(check, ("newPassword",), new)
    if new == current:
        check.add(("newPassword",), "Must be another than the current one.")
    check.done()
    if actor.is_key:
        raise PermissionDenied("An API key has no password.")
    place, person = ADDRESS.get() or "", actor.user_id.hex
    await runtime.throttle.admit_sign_in(runtime.limits, place, person)
    tokens = await replace_password(runtime, actor, current=current, new=new)
    await runtime.throttle.note_sign_in(runtime.limits, place, person)
    return tokens
