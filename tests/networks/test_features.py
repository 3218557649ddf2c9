"""Networks that only give features: normalisation, grid, files."""

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from maskvos.errors import UserError
from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.features import FeatureNetwork, load_features
from maskvos.networks.files import save_network
from maskvos.params.features import FeatureNetworkSettings
from maskvos.storage.descriptions import FILE
from maskvos.storage.weights import save_weights
from tests.tiny import networks

RESNET = {"family": "resnet", "backbone": "resnet18", "last_layer": "layer3", "padding": "reflect"}
VIT = {"family": "vit", "patch": 16, "width": 24, "depth": 1, "heads": 3, "positions": 4}
MEAN, STD = [0.1, 0.2, 0.3], [0.5, 0.25, 0.125]


def settings(network):
    return FeatureNetworkSettings.model_validate({"network": network, "mean": MEAN, "std": STD})


def saved(folder, network):
    made = FeatureNetwork(settings(network)).eval()
    for parameter in made.parameters():
        parameter.data += 0.01 * torch.randn_like(parameter)
    tensors = made.network.state_dict()
    save_weights(folder / FILE, tensors, {"kind": "features", "networks": made.settings.model_dump()})
    return made


@pytest.mark.parametrize(("network", "grid"), [(RESNET, (5, 9)), (VIT, (3, 5))])
def test_round_trip_by_folder_and_by_file(tmp_path, network, grid):
    made = saved(tmp_path, network)
    picture = torch.randint(0, 256, (2, 3, 37, 70), dtype=torch.uint8)
    with torch.inference_mode():
        expected = made(picture)
        for path in (tmp_path, tmp_path / FILE):
            assert torch.equal(load_features(path).eval()(picture), expected)
    assert expected.shape[2:] == grid
    torch.testing.assert_close(expected.norm(dim=1), torch.ones(2, *grid))


def test_the_networks_own_normalisation_is_used():
    network = FeatureNetwork(settings(VIT)).eval()
    picture = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8)
    image = torch.stack([(picture[0, c] / 255 - MEAN[c]) / STD[c] for c in range(3)])[None]
    with torch.inference_mode():
        torch.testing.assert_close(network(picture), functional.normalize(network.network(image), dim=1))


def test_reflection_reaches_the_border_alone():
    """Away from the border both paddings give the same; at the border they differ."""
    network = FeatureNetwork(settings(RESNET)).eval()
    zeros = FeatureNetwork(settings(RESNET | {"padding": "zeros"})).eval()
    zeros.load_state_dict(network.state_dict())
    picture = torch.randint(0, 256, (1, 3, 320, 320), dtype=torch.uint8)
    with torch.inference_mode():
        one, other = network(picture), zeros(picture)
    torch.testing.assert_close(one[..., 19:21, 19:21], other[..., 19:21, 19:21])
    assert (one[..., 0, :] - other[..., 0, :]).abs().max() > 0.01


def test_files_that_do_not_fit(tmp_path):
    with pytest.raises(UserError, match="no such weights file"):
        load_features(tmp_path)
    save_network(tmp_path / "stage", VisualEncoder(networks()), "encoder", networks())
    with pytest.raises(UserError, match="holds 'encoder', expected a checkpoint that `maskvos convert` converted"):
        load_features(tmp_path / "stage")
    save_file({"x": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(UserError, match="not written by maskvos"):
        load_features(tmp_path / "foreign.safetensors")
    save_weights(tmp_path / "odd.safetensors", {}, {"kind": "features", "networks": {"network": {"family": "mlp"}}})
    with pytest.raises(UserError, match=r"odd\.safetensors: the networks in its description cannot be built"):
        load_features(tmp_path / "odd.safetensors")
    made = FeatureNetwork(settings(VIT))
    tensors = dict(made.network.state_dict()) | {"cls_token": torch.full((1, 1, 24), torch.inf)}
    save_weights(tmp_path / "inf.safetensors", tensors, {"kind": "features", "networks": made.settings.model_dump()})
    with pytest.raises(UserError, match=r"inf\.safetensors: 1 tensors hold NaN or infinity, such as cls_token"):
        load_features(tmp_path / "inf.safetensors")
    tensors.pop("cls_token")
    save_weights(tmp_path / "few.safetensors", tensors, {"kind": "features", "networks": made.settings.model_dump()})
    with pytest.raises(UserError, match="1 tensors missing"):
        load_features(tmp_path / "few.safetensors")
