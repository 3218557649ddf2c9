"""What ends a training from outside, said in one sentence: memory, decoding processes, damaged frames in them."""

from collections.abc import Iterator
from contextlib import contextmanager

from maskvos.errors import UserError, first_line
from maskvos.memory import stage_memory_explained

_FROM_WORKER = "Caught UserError in DataLoader worker"
_LESS_MEMORY = (
    "Set runtime.save_memory=true, which changes nothing but the time; or lower the stage's crops or its batch, which "
    "changes the result; on a CPU lower runtime.workers, too. What was saved is kept, the same command goes on."
)


@contextmanager
def explained(stage: str) -> Iterator[None]:
    """Turn such an error into a user's.

    Raises:
        UserError: memory ran out; a process that decodes was killed; or a user's error that one of these raised,
            without the traceback that the loader wraps it in.
    """
    try:
        with stage_memory_explained(stage, _LESS_MEMORY):
            yield
    except UserError as error:
        text = str(error)
        if not text.startswith(_FROM_WORKER):
            raise
        raise UserError(text.rpartition("UserError: ")[2].strip()) from None
    except RuntimeError as error:
        if "DataLoader worker" in str(error):
            raise UserError(
                f"{stage}: a process that decodes frames ended by itself ({first_line(error)}), most likely "
                "for want of memory. Lower runtime.workers; the same command goes on where the last checkpoint is."
            ) from error
        raise
