"""What is wrong with a folder of predictions: an error by default; where the user asks for it, forgiven and listed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from maskvos.errors import UserError

HINT = " (`--lenient` passes over this and says so.)"


@dataclass(frozen=True)
class Fault:
    """One thing that the official tool passes over; ``frames`` is empty where it concerns a whole sequence."""

    sequence: str
    frames: tuple[str, ...]
    message: str

    def describe(self) -> dict[str, Any]:
        """As it stands in metrics.json."""
        return {"sequence": self.sequence, "frames": list(self.frames), "fault": self.message}


@dataclass
class Faults:
    """Strict unless ``lenient``; ``forgiven`` are the faults so far, in the order in which they were found.

    ``hint`` is added to the error of a strict check.
    """

    lenient: bool = False
    hint: str = ""
    forgiven: list[Fault] = field(default_factory=list)

    def add(self, sequence: str, frames: Sequence[str], message: str) -> None:
        """Note a fault that the official tool would not stop at.

        Raises:
            UserError: ``message``, unless faults are forgiven.
        """
        if not self.lenient:
            raise UserError(message + self.hint)
        self.forgiven.append(Fault(sequence, tuple(frames), message))
