"""The rows of the results table."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from maskvos.errors import UserError
from maskvos.inference.rows import copy_masks, make_row
from maskvos.networks.features import FeatureNetwork
from maskvos.networks.files import save_network, untrained_encoder
from maskvos.networks.model import MaskVOS
from maskvos.networks.trunk import Trunk
from maskvos.params.features import FeatureNetworkSettings
from maskvos.storage.descriptions import FILE
from maskvos.storage.weights import save_weights
from tests.inference.stubs import CPU, inference, moving_square, video
from tests.inference.test_features import NETWORKS

PARAMS = SimpleNamespace(seed=3, precision="fp32", networks=NETWORKS, inference=inference())


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    save_network(folder / "backbone", Trunk(NETWORKS, plain=True), "backbone", NETWORKS)
    save_network(folder / "correspondence", untrained_encoder(NETWORKS, 3), "encoder", NETWORKS)
    save_network(folder / "full", MaskVOS(NETWORKS), "model", NETWORKS)
    network = {"family": "vit", "patch": 16, "width": 24, "depth": 1, "heads": 3, "positions": 4}
    settings = FeatureNetworkSettings.model_validate({"network": network, "mean": [0.5] * 3, "std": [0.2] * 3})
    tensors = FeatureNetwork(settings).network.state_dict()
    save_weights(folder / "external" / FILE, tensors, {"kind": "features", "networks": settings.model_dump()})
    return folder


def test_copy_takes_up_late_objects():
    first, late = np.zeros((4, 5), np.uint8), np.zeros((4, 5), np.uint8)
    first[:2], late[1:3] = 1, 2
    masks = dict(copy_masks(video(4, 4, 5), {"00001": first, "00002": late}))
    assert not masks["00000"].any()
    assert np.array_equal(masks["00001"], first)
    for frame in ("00002", "00003"):
        assert masks[frame][:, 0].tolist() == [1, 2, 2, 0]


@pytest.mark.parametrize("row", ["copy", "lab", "untrained", "backbone", "correspondence", "external", "full"])
def test_every_row_gives_every_frame(row, weights):
    frames, masks = moving_square(3)
    needed = weights / row if row in ("backbone", "correspondence", "external", "full") else None
    results = list(make_row(row, PARAMS, needed, CPU, "davis")(frames, {"00000": masks[0]}))
    assert [name for name, _ in results] == [name for name, _ in frames]
    assert all(ids.dtype == np.uint8 and ids.shape == (64, 96) for _, ids in results)
    assert np.array_equal(results[0][1], masks[0])


def test_the_untrained_encoder_is_that_of_the_seed(weights):
    """The correspondence weights of this test are those of an untrained encoder with the same seed."""
    frames, masks = moving_square(3)
    one = make_row("untrained", PARAMS, None, CPU, "davis")(frames, {"00000": masks[0]})
    other = make_row("correspondence", PARAMS, weights / "correspondence", CPU, "davis")(frames, {"00000": masks[0]})
    assert all(np.array_equal(left[1], right[1]) for left, right in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("row", "folder"),
    [
        ("full", None),
        ("copy", "full"),
        ("best", None),
        ("full", "backbone"),
        ("external", None),
        ("external", "full"),
        ("full", "external"),
        ("correspondence", "external"),
    ],
)
def test_rows_and_weights_that_do_not_go_together(row, folder, weights):
    with pytest.raises(UserError, match=r"row|weights"):
        make_row(row, PARAMS, weights / folder if folder else None, CPU, "davis")


@pytest.mark.parametrize(("layout", "short_side"), [("davis", None), ("youtubevos", 32)])
@pytest.mark.parametrize("row", ["lab", "full"])
def test_the_layout_decides_the_resolution(row, layout, short_side, weights):
    method = make_row(row, PARAMS, weights / row if row == "full" else None, CPU, layout)
    assert method.keywords["settings"] == PARAMS.inference.at(short_side)


@pytest.mark.parametrize("name", ["layer2_weight", "layer1_weight"])
@pytest.mark.parametrize("row", ["untrained", "backbone", "correspondence"])
def test_early_layers_are_matched_where_the_settings_weigh_them(row, name, weights):
    frames, masks = moving_square(3)
    needed = weights / row if row != "untrained" else None
    last = []
    for weight in (0.0, 5.0):
        params = SimpleNamespace(**{**vars(PARAMS), "inference": inference(**{name: weight})})
        last.append(list(make_row(row, params, needed, CPU, "davis")(frames, {"00000": masks[0]}))[-1][1])
    assert not np.array_equal(*last)


@pytest.mark.parametrize("name", ["layer2_weight", "layer1_weight"])
def test_a_converted_network_has_no_early_layer_to_match(name, weights):
    params = SimpleNamespace(**{**vars(PARAMS), "inference": inference(**{name: 0.3})})
    with pytest.raises(UserError, match=f"{name}=0"):
        make_row("external", params, weights / "external", CPU, "davis")


def test_an_external_network_brings_its_stride(weights):
    method = make_row("external", PARAMS, weights / "external" / FILE, CPU, "davis")
    assert method.keywords["stride"] == 16


def test_a_layout_without_masks_is_refused():
    with pytest.raises(UserError, match=r"layout 'clips'.*davis or youtubevos"):
        make_row("lab", PARAMS, None, CPU, "clips")
