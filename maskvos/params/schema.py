"""All parameters of an experiment: the typed form of params.yaml."""

from typing import Literal, Self

from pydantic import Field, model_validator

from maskvos.params.base import Section
from maskvos.params.collapse import Collapse
from maskvos.params.data import Data, Generator, Prepare
from maskvos.params.inference import Inference
from maskvos.params.method import (
    Alternate,
    BackbonePretraining,
    ClusteringStage,
    Correspondence,
    Evaluation,
    Networks,
    Runtime,
    Segmentation,
)
from maskvos.params.plan import derive_plan


class Round(Section):
    """One round of the chain: the folder of weights it starts from."""

    previous: str


class Row(Section):
    """One row of the results table on one evaluation set; ``weights`` is the folder it needs, empty for none."""

    set: str
    row: str
    weights: str = ""


class Plan(Section):
    """The graph's shape, derived from the other parameters by `maskvos.params.plan`."""

    sets: dict[str, str]
    rounds: dict[str, Round]
    baselines: dict[str, Row]
    models: dict[str, Row]
    results: str  # what the report depends on for the results: their folder, where there are any


class Params(Section):
    """One experiment. Sources of the numbers stand beside them in conf/."""

    preset: str
    ablation: str  # name of the settings of conf/ablation/ that were composed in
    seed: int = Field(ge=0)
    # Of convolutions; affinities and softmax stay fp32. auto: bf16 where the hardware has it, fp32 elsewhere.
    precision: Literal["fp32", "bf16", "auto"]
    versions: dict[str, int]  # raised when a stage's code changes its results: both tools then rerun it
    data: Data
    generator: Generator
    prepare: Prepare
    networks: Networks
    backbone_pretraining: BackbonePretraining
    correspondence: Correspondence
    clustering: ClusteringStage
    segmentation: Segmentation
    alternate: Alternate
    inference: Inference
    evaluation: Evaluation
    collapse: Collapse
    runtime: Runtime
    plan: Plan

    @model_validator(mode="after")
    def _combinations(self) -> Self:
        if self.networks.backbone == "resnet50" and self.networks.last_layer == "layer4":
            raise ValueError("networks: ResNet-50 takes its features from layer3 (paper 3.3); set last_layer to layer3")
        for name in ("correspondence", "segmentation"):
            largest = getattr(self, name).cropping.crop
            if largest > 4 * self.prepare.short_side:
                raise ValueError(
                    f"{name}.cropping.crop {largest} is far above prepare.short_side; frames would be blown up"
                )
        for name in ("backbone_pretraining", "correspondence", "segmentation"):
            stage = getattr(self, name)
            if stage.epochs and stage.warmup_epochs > stage.epochs:
                raise ValueError(
                    f"{name}: warmup_epochs {stage.warmup_epochs:g} must not be above epochs {stage.epochs}"
                )
        if self.correspondence.epochs == 0 and self.segmentation.encoder_rate == 0:
            raise ValueError(
                "correspondence.epochs and segmentation.encoder_rate are both 0, so E never learns; raise one"
            )
        if self.segmentation.objects >= self.clustering.clusters:
            raise ValueError("segmentation.objects must be smaller than clustering.clusters: one cluster is background")
        return self

    @model_validator(mode="after")
    def _plan_follows(self) -> Self:
        # After a hand edit of params.yaml, DVC would otherwise run the old number of rounds without a word.
        if self.plan.model_dump() != derive_plan(self.model_dump()):
            raise ValueError("plan does not follow from the other parameters; `maskvos compose key=value` writes both")
        return self
