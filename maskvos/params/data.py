"""Where frames come from and how they are stored."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from maskvos.params.base import Section

Layout = Literal["davis", "youtubevos", "clips"]


class Dataset(Section):
    """One dataset: generated, from the catalogue of public sets, or already on this machine.

    ``generated``: made by `maskvos.datasets.generator`. ``catalogue``: ``name`` says which; ``path`` may name an
    archive or an unpacked folder that is already there. ``folder``: ``path`` is used in place, without a copy; where
    it is empty the dataset is left out (an optional evaluation set).
    """

    source: Literal["generated", "catalogue", "folder"]
    layout: Layout
    name: str = ""
    path: str = ""
    split: str = "train"

    @model_validator(mode="after")
    def _catalogue_needs_name(self) -> Self:
        if self.source == "catalogue" and not self.name:
            raise ValueError("source is 'catalogue' but name is empty; `maskvos datasets` lists the names")
        return self

    @property
    def absent(self) -> bool:
        """An optional set for which no folder was named."""
        return self.source == "folder" and not self.path


class Data(Section):
    """The training set, the evaluation sets by name, and the folder that downloads and generated videos go to."""

    folder: str = Field(min_length=1)
    train: Dataset
    evaluation: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+$")], Dataset]

    @model_validator(mode="after")
    def _train_is_no_evaluation_set(self) -> Self:
        if "train" in self.evaluation:
            raise ValueError("an evaluation set cannot be called 'train', the name of the training set's manifest")
        return self

    @model_validator(mode="after")
    def _evaluation_sets_have_annotations(self) -> Self:
        for name, dataset in self.evaluation.items():
            if dataset.layout == "clips":
                raise ValueError(
                    f"evaluation.{name}.layout is 'clips', which has no annotations to evaluate on; use davis or "
                    "youtubevos"
                )
        return self

    @model_validator(mode="after")
    def _something_to_train_on(self) -> Self:
        if self.train.absent:
            raise ValueError("train.path is empty; name a folder of videos with data.train.path=FOLDER")
        return self


class Generator(Section):
    """Generated videos with exact masks (`maskvos.datasets.generator`). Its ``seed`` is not the experiment's:
    repetitions see the same videos. Objects of ``plain`` ones are told apart by pattern alone; ``rich`` ones have
    limbs, clutter, distractors, a moving camera, light and motion blur."""

    seed: int = Field(ge=0)
    train_sequences: int = Field(ge=1)
    evaluation_sequences: int = Field(ge=1)
    frames: int = Field(ge=3)
    height: int = Field(ge=32)
    width: int = Field(ge=32)
    max_objects: int = Field(ge=1, le=20)
    style: Literal["plain", "rich"]


class Prepare(Section):
    """The frame store. ``quality`` is the JPEG quality of stored frames, 0 keeps them lossless (PNG)."""

    short_side: int = Field(ge=32)
    quality: int = Field(ge=0, le=100)
    frames_per_second: float = Field(gt=0)  # only for video files, which are sampled at this rate
    strict: bool
