"""Features that label propagation matches."""

import pytest
import torch

from maskvos.errors import UserError
from maskvos.inference.beside import centred, lab_patches, with_layer2
from maskvos.inference.features import (
    converted_features,
    encoder_keys,
    network_input,
    trunk_features,
)
from maskvos.networks.files import untrained_encoder
from maskvos.params.method import Networks

NETWORKS = Networks(backbone="resnet18", last_layer="layer3", embedding_dim=16, mask_embedding_dim=16, decoder_width=16)


@pytest.mark.parametrize("extract", ["lab", "keys", "trunk"])
def test_grid_and_norm_at_odd_sizes(extract):
    picture = torch.randint(0, 256, (1, 3, 37, 50), dtype=torch.uint8)
    encoder = untrained_encoder(NETWORKS, 0)
    method = {
        "lab": lab_patches,
        "keys": encoder_keys(encoder, "fp32"),
        "trunk": trunk_features(encoder, "fp32"),
    }[extract]
    with torch.inference_mode():
        found = method(picture)
    features = found if extract == "lab" else found.key
    assert features.shape == (1, {"lab": 48, "keys": 16, "trunk": 256}[extract], 5, 7)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(1, 5, 7))


@pytest.mark.parametrize("extract", [encoder_keys, trunk_features])
def test_layer2_and_layer1_stand_beside_what_is_matched(extract):
    picture = torch.randint(0, 256, (1, 3, 37, 50), dtype=torch.uint8)
    encoder = untrained_encoder(NETWORKS, 0)
    with torch.inference_mode():
        alone, both = extract(encoder, "fp32")(picture), extract(encoder, "fp32", 0.3, 0.2)(picture)
        maps = encoder(network_input(picture))
    assert alone.fine is None
    assert torch.equal(both.key, with_layer2(alone.key, maps.skip8, 0.3))
    assert torch.equal(both.fine, centred(maps.skip4))


@pytest.mark.parametrize("weights", [(0.3, 0.0), (0.0, 0.3)])
def test_a_converted_network_has_neither_to_match(weights):
    with pytest.raises(UserError, match=r"layer2_weight=0 and inference\.layer1_weight=0"):
        converted_features(torch.nn.Identity(), "fp32", *weights)


def test_padding_is_the_mean_colour():
    padded = network_input(torch.full((1, 3, 5, 8), 200, dtype=torch.uint8))
    assert padded.shape == (1, 3, 8, 8)
    assert (padded[:, :, 5:] == 0).all()
    assert (padded[:, :, :5] != 0).all()
