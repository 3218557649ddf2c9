"""A disk that is full, without one: a process whose files may not grow."""

import multiprocessing
import resource

from maskvos.errors import UserError


def _write(write, size, messages):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        write()
        messages.put(None)
    except UserError as error:
        messages.put(str(error))


def message_of(write, size=10_000):
    """What the user reads when ``write`` runs where no file may have more than ``size`` bytes; None for success."""
    context = multiprocessing.get_context("fork")
    messages = context.Queue()
    process = context.Process(target=_write, args=(write, size, messages))
    process.start()
    message = messages.get(timeout=60)
    process.join()
    return message
