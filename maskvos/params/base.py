"""What every section of the parameters shares."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section: unknown keys and wrong types are errors, values cannot be changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)
