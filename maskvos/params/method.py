"""The method: networks, the three kinds of learning, clustering; which rows are made, and how the work is run."""

from typing import Literal, Self

from pydantic import Field, model_validator

from maskvos.params.base import Counts, Section, Shares

Fraction = Field(gt=0, le=1)


class Backbone(Section):
    """What a trunk is built from (paper 3.3)."""

    backbone: Literal["resnet18", "resnet50"]
    last_layer: Literal["layer3", "layer4"]


class Networks(Backbone):
    """E, V and D (paper 3, 3.3)."""

    embedding_dim: int = Field(ge=8)  # D of E's head, paper: 128
    mask_embedding_dim: int = Field(ge=8)  # D' of V's head, paper: 512
    decoder_width: int = Field(ge=8)  # channels of D's first residual block; the second has half


class Optimisation(Section):
    """Shared by the trained stages. One epoch is one pass over the clips (over the frames for the DINO stage)."""

    epochs: int = Field(ge=1)
    batch: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    schedule: Literal["constant", "step", "cosine"]
    step_epochs: int = Field(ge=1)  # `step`: halved every so many epochs
    warmup_epochs: float = Field(ge=0)
    weight_decay: float = Field(ge=0)  # none on biases and norms
    log_every: int = Field(ge=1)
    checkpoint_every: int = Field(ge=1)


class Cropping(Section):
    """Short side resized to U[short_side], random square crop, flip; then Phi: a zoom crop of side U[zoom], a flip."""

    short_side: list[int] = Field(min_length=2, max_length=2)
    crop: int = Field(ge=32)
    zoom: Shares

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        low, high = self.short_side
        if not self.crop <= low <= high:
            raise ValueError(
                f"short_side {self.short_side} must rise and start at the crop's side {self.crop} or above"
            )
        if self.crop % 8:
            raise ValueError(f"crop {self.crop} must be a multiple of 8, the output stride")
        return self


class BackbonePretraining(Optimisation):
    """DINO (reference [74] of the paper); SGD, learning rate for 256 images."""

    epochs: int = Field(ge=0)  # 0: none, correspondence learns from the random start
    momentum: float = Field(ge=0, lt=1)
    teacher_momentum: float = Field(gt=0, lt=1)
    prototypes: int = Field(ge=2)
    head_hidden: int = Field(ge=8)
    head_bottleneck: int = Field(ge=8)
    student_temperature: float = Field(gt=0)
    teacher_temperature: float = Field(gt=0)
    teacher_temperature_start: float = Field(gt=0)
    teacher_temperature_warmup_epochs: int = Field(ge=0)  # over which it goes from the start to its final value
    centring: Literal["centre", "sinkhorn"]  # how the teacher's outputs are balanced over the prototypes
    centre_momentum: float = Field(ge=0, lt=1)  # of `centre` only
    sinkhorn_iterations: int = Field(ge=1)  # of `sinkhorn` only
    gradient_clip: float = Field(gt=0)
    freeze_last_layer_epochs: int = Field(ge=0)
    global_crops: int = Field(ge=2)
    global_size: int = Field(ge=32)
    global_scale: Shares  # of the frame's area
    local_crops: int = Field(ge=0)
    local_size: int = Field(ge=32)
    local_scale: Shares  # of the frame's area

    @model_validator(mode="after")
    def _temperature_arrives(self) -> Self:
        if self.epochs and self.teacher_temperature_warmup_epochs > self.epochs:
            warmup = f"teacher_temperature_warmup_epochs {self.teacher_temperature_warmup_epochs}"
            raise ValueError(f"{warmup} must not be above epochs {self.epochs}: the temperature would never arrive")
        return self


class Photometric(Section):
    """Read by the regime `photometric` (MAST) only."""

    references: int = Field(ge=1)  # frames before the target that it is reconstructed from
    max_gap: int = Field(ge=1)  # frames of the list from one to the next, drawn from 1 on
    radius: int = Field(ge=1)  # of the window of candidates, in feature pixels


class Cycle(Section):
    """Read by the regime `cycle` (CRW) only."""

    frames: int = Field(ge=2)  # of the walk there; the way back doubles them to a palindrome
    max_gap: int = Field(ge=1)  # frames of the list from one to the next, drawn from 1 on
    edge_dropout: float = Field(ge=0, lt=1)


Regime = Literal["contrastive", "photometric", "cycle"]


class Correspondence(Optimisation):
    """How E learns correspondence: L_short and L_long (Eq. 11 to 15), or another regime (paper 2 and Table 4f)."""

    epochs: int = Field(ge=0)  # 0: none, E keeps the DINO stage's trunk (Table 4a's row without L_corr)
    cropping: Cropping
    regime: Regime
    temperature: float = Field(gt=0)  # of every regime
    negatives: Literal["batch", "pair"]  # this and the next three: of `contrastive` only
    short_weight: float = Field(ge=0)
    long_weight: float = Field(ge=0)
    min_distance: int = Field(ge=1)  # |t - t'| of L_long, capped by the clip's length
    photometric: Photometric
    cycle: Cycle

    @property
    def weights(self) -> dict[str, float]:
        """The regime's losses by name, with their weights where there is no other loss."""
        if self.regime == "contrastive":
            return {"short": self.short_weight, "long": self.long_weight}
        return {self.regime: 1.0}

    @model_validator(mode="after")
    def _something_to_learn(self) -> Self:
        if not any(self.weights.values()):
            raise ValueError("short_weight and long_weight are both 0, so there is no loss; raise one of them")
        return self


class Clustering(Section):
    """Space-time k-means (Eq. 4) and what is kept of it: all that decides a pseudo mask, but for rounding."""

    clusters: int = Field(ge=2, le=255)  # labels are stored as uint8, 0 is background
    iterations: int = Field(ge=1)
    short_side: int = Field(ge=32)
    features: Literal["embedding", "trunk"]
    border: int = Field(ge=0, multiple_of=8)  # pixels mirrored around a frame for E, cut off again afterwards
    position_weight: float = Field(ge=0)
    oversize: float = Fraction

    @model_validator(mode="after")
    def _border_fits(self) -> Self:
        if self.border and self.border >= self.short_side - 4:  # frames are resized to whole cells of 8 pixels
            raise ValueError(
                f"border {self.border} must be below short_side {self.short_side} less half a cell (4): it mirrors the "
                "frame"
            )
        return self


class ClusteringStage(Clustering):
    """The section ``clustering`` of an experiment: the method, what computes it, and what it is measured with.

    ``train_annotations_for_measuring_only``: a folder ``Annotations`` in the layout of DAVIS or YouTube-VOS, empty for
    none. Nothing that clusters or learns may know of it, so that such code takes ``method``.
    """

    backend: Literal["faiss", "torch", "faiss_gpu"]
    train_annotations_for_measuring_only: str

    @property
    def method(self) -> Clustering:
        """The settings without the stage's own."""
        return Clustering(**{name: getattr(self, name) for name in Clustering.model_fields})


class Segmentation(Optimisation):
    """Mask embedding (Eq. 5 to 10) with Eq. 16. ``epochs`` counts one round; ``schedule`` spans all rounds."""

    cropping: Cropping
    max_gap: Counts  # frames; in the first round and in the last
    objects: int = Field(ge=1)
    min_area: float = Field(ge=0, lt=1)
    references: Literal["pseudo", "predicted"]
    coarse_mask: Literal["soft", "hard"]
    refinement_rounds: int = Field(ge=0, le=5)
    temperature: float = Field(gt=0)
    encoder_rate: float = Field(ge=0)  # E's learning rate relative to V's and D's; 1 in the paper, 0 freezes E
    mask_encoder_start: Literal["encoder", "random"]
    residual_decoder: bool  # D corrects the coarse mask instead of making one; not in the paper
    short_weight: float = Field(ge=0)  # this and the next three: of the losses that correspondence.regime has
    long_weight: float = Field(ge=0)
    photometric_weight: float = Field(ge=0)
    cycle_weight: float = Field(ge=0)

    def correspondence_weights(self, regime: Regime) -> dict[str, float]:
        """L_corr in Eq. 16: the regime's losses by name, with their weights beside L_seg."""
        if regime == "contrastive":
            return {"short": self.short_weight, "long": self.long_weight}
        return {regime: self.photometric_weight if regime == "photometric" else self.cycle_weight}


class Alternate(Section):
    """Rounds of re-clustering and segmentation learning."""

    rounds: int = Field(ge=1, le=999)  # Table 4d goes to one each epoch


class Evaluation(Section):
    """Which rows of the results table are made, in this order."""

    rows: list[Literal["copy", "lab", "untrained", "backbone", "correspondence", "full"]] = Field(min_length=1)

    @model_validator(mode="after")
    def _rows_once(self) -> Self:
        twice = sorted({row for row in self.rows if self.rows.count(row) > 1})
        if twice:
            raise ValueError(f"rows names {', '.join(twice)} more than once; name each row once")
        return self


class Runtime(Section):
    """How the work is run, never what comes out; no stage reruns because of it."""

    device: Literal["auto", "cpu", "cuda"]
    threads: int = Field(ge=0)  # 0: all the cores that this process may use
    workers: int = Field(ge=0)  # processes that decode frames, for each that trains
    processes: int = Field(ge=1)  # that train side by side on each node; torchrun's number goes before it
    nodes: int = Field(ge=1)  # of a Slurm job that a training stage runs on
    save_memory: bool  # training forgets activations and works them out again: slower, the same result

    @classmethod
    def alone(cls, device: Literal["auto", "cpu", "cuda"], threads: int = 0, workers: int = 0) -> "Runtime":
        """Of a command that is one process and has no params.yaml."""
        return cls(device=device, threads=threads, workers=workers, processes=1, nodes=1, save_memory=False)
