"""Features that label propagation matches."""

import cv2
import numpy as np
import pytest
import torch

from maskvos.errors import UserError
from maskvos.inference.features import (
    converted_features,
    encoder_keys,
    fine_layer1,
    lab_patches,
    network_input,
    trunk_features,
    with_lab,
    with_layer2,
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


def test_lab_patches_by_hand():
    image = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    features = lab_patches(torch.from_numpy(image).permute(2, 0, 1)[None])[0]
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).astype(float)
    lab = (lab - lab.mean((0, 1))) / lab.std((0, 1))
    cell = lab[8:16, 16:24].reshape(4, 2, 4, 2, 3).mean((1, 3))  # block rows, block columns, channel
    expected = cell.transpose(2, 0, 1).ravel()
    np.testing.assert_allclose(features[:, 1, 2], expected / np.linalg.norm(expected), atol=1e-5)


@pytest.mark.parametrize("stride", [8, 16])
def test_lab_patches_add_their_similarity_to_that_of_the_keys(stride):
    picture = torch.randint(0, 256, (1, 3, 37, 50), dtype=torch.uint8)
    grid = -(-37 // stride), -(-50 // stride)
    key, patches = torch.randn(16, *grid), lab_patches(picture, stride)[0]
    both = with_lab(key, picture, 0.3, stride)
    one, other = (0, 1), (2, 3)
    expected = key[:, *one] @ key[:, *other] + 0.3 * (patches[:, *one] @ patches[:, *other])
    torch.testing.assert_close(both[:, *one] @ both[:, *other], expected)
    torch.testing.assert_close(patches.norm(dim=0), torch.ones(grid))
    assert torch.equal(with_lab(key, picture, 0.0, stride), key)


def test_layer2_adds_its_cosine_to_the_similarity_of_the_keys():
    key, layer2 = torch.randn(1, 16, 5, 7), torch.rand(1, 6, 5, 7) * torch.rand(1, 6, 1, 1) * 9
    both = with_layer2(key, layer2, 0.3)[0].numpy()
    maps, keys = layer2[0].double().numpy(), key[0].double().numpy()
    for one, other in (((0, 1), (2, 3)), ((4, 6), (4, 6))):
        left, right = ([maps[c][cell] - maps[c].sum() / 35 for c in range(6)] for cell in (one, other))
        cosine = np.dot(left, right) / np.sqrt(np.dot(left, left) * np.dot(right, right))
        expected = keys[:, *one] @ keys[:, *other] + 0.3 * cosine
        np.testing.assert_allclose(both[:, *one] @ both[:, *other], expected, rtol=0, atol=1e-5)
    assert with_layer2(key, layer2, 0.0) is key


def test_layer1_adds_its_cosine_where_matches_are_refined():
    layer1 = torch.rand(1, 6, 4, 8) * torch.rand(1, 6, 1, 1) * 9
    fine, maps = fine_layer1(layer1, 0.3)[0].numpy(), layer1[0].double().numpy()
    for one, other in (((0, 1), (2, 3)), ((3, 7), (3, 7))):
        left, right = ([maps[c][cell] - maps[c].sum() / 32 for c in range(6)] for cell in (one, other))
        cosine = np.dot(left, right) / np.sqrt(np.dot(left, left) * np.dot(right, right))
        np.testing.assert_allclose(fine[:, *one] @ fine[:, *other], 0.3 * cosine, rtol=0, atol=1e-5)
    assert fine_layer1(layer1, 0.0) is None


@pytest.mark.parametrize("extract", [encoder_keys, trunk_features])
def test_layer2_and_layer1_stand_beside_what_is_matched(extract):
    picture = torch.randint(0, 256, (1, 3, 37, 50), dtype=torch.uint8)
    encoder = untrained_encoder(NETWORKS, 0)
    with torch.inference_mode():
        alone, both = extract(encoder, "fp32")(picture), extract(encoder, "fp32", 0.3, 0.2)(picture)
        maps = encoder(network_input(picture))
    assert alone.fine is None
    assert torch.equal(both.key, with_layer2(alone.key, maps.skip8, 0.3))
    assert torch.equal(both.fine, fine_layer1(maps.skip4, 0.2))


@pytest.mark.parametrize("weights", [(0.3, 0.0), (0.0, 0.3)])
def test_a_converted_network_has_neither_to_match(weights):
    with pytest.raises(UserError, match=r"layer2_weight=0 and inference\.layer1_weight=0"):
        converted_features(torch.nn.Identity(), "fp32", *weights)


def test_padding_is_the_mean_colour():
    padded = network_input(torch.full((1, 3, 5, 8), 200, dtype=torch.uint8))
    assert padded.shape == (1, 3, 8, 8)
    assert (padded[:, :, 5:] == 0).all()
    assert (padded[:, :, :5] != 0).all()
