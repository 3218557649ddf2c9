"""The one exception that a user is meant to read."""


class UserError(Exception):
    """Input, parameters or surroundings are wrong and the user can mend it.

    The message is one paragraph that names the file or parameter, what was found, what was expected and what to do
    next. Command lines print it without a traceback and exit with status 2.
    """
