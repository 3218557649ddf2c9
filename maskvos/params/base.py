"""What every section of the parameters shares."""

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Number = TypeVar("Number", int, float)


class Section(BaseModel):
    """A section: unknown keys and wrong types are errors, values cannot be changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


def _rising(pair: list[Number]) -> list[Number]:
    if pair[0] > pair[1]:
        raise ValueError(f"{pair} must be a rising pair")
    return pair


_TWO = Field(min_length=2, max_length=2)
Shares = Annotated[list[Annotated[float, Field(gt=0, le=1)]], _TWO, AfterValidator(_rising)]
"""A range within (0, 1]: lowest and highest, which may be equal."""
Counts = Annotated[list[Annotated[int, Field(ge=1)]], _TWO, AfterValidator(_rising)]
"""A range of whole numbers from 1 on: lowest and highest, which may be equal."""
