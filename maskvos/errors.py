"""The one exception that a user is meant to read."""

import errno

_NAMES = {
    errno.ENOENT,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EEXIST,
}


class UserError(Exception):
    """Input, parameters or surroundings are wrong and the user can mend it.

    The message is one paragraph that names the file or parameter, what was found, what was expected and what to do
    next. Command lines print it without a traceback and exit with status 2.
    """


def explain(error: UserError | OSError) -> UserError:
    """The user's error itself, or what the system refused as one: a name without permission, a link to nothing, a file
    for a folder.

    Raises:
        OSError: the error itself, where it is of no file by name or of another kind.
    """
    if isinstance(error, UserError):
        return error
    if error.filename is None or error.errno not in _NAMES:
        raise error
    name = printable(error.filename)
    return UserError(f"{name}: {error.strerror}. Correct the name or its permissions, then run it again.")


def printable(path: object) -> str:
    """A path as text that can be written anywhere, though its name need not be UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def first_line(error: Exception) -> str:
    """Of what an error says; of one that says nothing its kind."""
    return (str(error) or type(error).__name__).splitlines()[0]
