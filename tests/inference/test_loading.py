"""Which method the weights give."""

import shutil

import pytest
import torch

from maskvos.errors import UserError
from maskvos.inference.geometry import plan_geometry
from maskvos.inference.loading import load_method
from maskvos.inference.methods import LabelPropagation, MaskEmbedding
from maskvos.networks.files import load_encoder, save_network
from maskvos.networks.trunk import Trunk
from tests.inference.segmenting import make_clip
from tests.inference.stubs import CPU, settings
from tests.inference.test_features import NETWORKS

GEOMETRY = plan_geometry(32, 32, None)


@pytest.fixture
def weights(tmp_path):
    make_clip(tmp_path, frames=1)
    save_network(tmp_path / "backbone", Trunk(NETWORKS, plain=True), "backbone", NETWORKS)
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "wanted", "name"),
    [
        ("model", None, "full"),
        ("model", "full", "full"),
        ("model", "propagation", "propagation"),
        ("encoder", None, "propagation"),
        ("encoder", "propagation", "propagation"),
        ("backbone", None, "propagation"),
    ],
)
@pytest.mark.parametrize("single", [False, True])
def test_method_by_weights_and_wish(weights, kind, wanted, name, single):
    place = weights / kind
    if single:
        shutil.move(place / "model.safetensors", weights / "any.safetensors")
        place = weights / "any.safetensors"
    loaded = load_method(place, wanted, settings(kept_mask="refined", refinement_rounds=2), CPU)
    assert (loaded.name, loaded.description["kind"]) == (name, kind)
    assert isinstance(loaded.method, MaskEmbedding if name == "full" else LabelPropagation)
    if name == "full":
        assert (loaded.method.rounds, loaded.method.kept_mask) == (2, "refined")


@torch.inference_mode()
@pytest.mark.parametrize("kind", ["model", "encoder", "backbone"])
@pytest.mark.parametrize("wanted", [None, "propagation"])
def test_layer2_and_layer1_are_matched_where_the_settings_weigh_them(weights, kind, wanted):
    picture = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8)
    chosen = settings(), settings(layer2_weight=0.3, layer1_weight=0.2)
    plain, beside = (load_method(weights / kind, wanted, s, CPU).method.encode(picture, GEOMETRY) for s in chosen)
    assert len(beside.key) == len(plain.key) + 128
    assert torch.equal(beside.key[: len(plain.key)], plain.key)
    assert plain.fine is None and beside.fine.shape == (64, 8, 8)
    torch.testing.assert_close(beside.fine.square().sum(0), torch.ones(8, 8))


@torch.inference_mode()
def test_propagation_with_a_model_uses_its_encoder(weights):
    picture = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8)
    loaded = load_method(weights / "model", "propagation", settings(), CPU)
    encoder = load_encoder(weights / "model", NETWORKS).eval()
    expected = encoder((picture / 255 - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]).key
    found = loaded.method.features(picture).key
    torch.testing.assert_close(found, expected, atol=0.05, rtol=0)  # bf16 where there is one


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.mark.parametrize("kind", ["encoder", "backbone"])
def test_the_full_method_needs_a_model(weights, kind):
    with pytest.raises(UserError, match=f"--method full: .*kind {kind}.*--method propagation"):
        load_method(weights / kind, "full", settings(), CPU)
