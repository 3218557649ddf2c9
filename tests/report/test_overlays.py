"""Thumbnails and their addresses."""

import base64
import io

import numpy as np
from PIL import Image

from maskvos.report.overlays import data_address, thumbnail


def test_thumbnail_stretches_a_coarse_mask_over_the_frame():
    ids = np.array([[0, 1]], np.uint8)
    small = thumbnail(np.zeros((40, 80, 3), np.uint8), ids, 20)
    assert small.shape == (10, 20, 3)
    assert not small[:, :10].any()
    assert small[:, 11:, 0].min() > 50


def test_data_address_is_a_jpeg():
    address = data_address(np.full((8, 12, 3), 100, np.uint8))
    kind, data = address.split(",")
    assert kind == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (12, 8)
