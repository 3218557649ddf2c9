"""What is matched beside the keys, against float64 and by hand."""

import cv2
import numpy as np
import pytest
import torch

from maskvos.inference.beside import centred, lab_patches, with_lab, with_layer2


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


def test_centred_maps_give_the_cosine_of_what_differs_from_the_frame():
    maps = torch.rand(1, 6, 4, 8) * torch.rand(1, 6, 1, 1) * 9
    found, given = centred(maps.half())[0], maps.half()[0].double().numpy()
    assert found.dtype == torch.float32
    for one, other in (((0, 1), (2, 3)), ((3, 7), (3, 7))):
        left, right = ([given[c][cell] - given[c].sum() / 32 for c in range(6)] for cell in (one, other))
        cosine = np.dot(left, right) / np.sqrt(np.dot(left, left) * np.dot(right, right))
        np.testing.assert_allclose((found[:, *one] @ found[:, *other]).numpy(), cosine, rtol=0, atol=1e-5)
