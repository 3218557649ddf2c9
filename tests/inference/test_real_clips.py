"""The whole test protocol on real clips against Eq. 5 to 9 in float64, every frame kept and every pair looked at."""

import cv2
import numpy as np
import pytest
import torch

from maskvos.datasets.davis import open_davis
from maskvos.inference.geometry import pad_to_stride
from maskvos.inference.propagate import given_masks, segment_sequence
from maskvos.networks.images import normalise
from maskvos.networks.model import MaskVOS
from tests.inference.literal import segment
from tests.inference.stubs import CPU, settings
from tests.plain.networks import leaves, settle
from tests.plain.precision import code_in_float64
from tests.tiny import networks

HEIGHT, WIDTH = 60, 106  # 8x14 cells: two tiles in width


@pytest.mark.parametrize(("dataset", "name"), [("DAVIS", "goat"), ("DAVIS-multi", "dogs-jump")])
def test_real_clips_equal_a_literal_loop_over_all_frames(shared_data, dataset, name):
    sequence = next(one for one in open_davis(shared_data / dataset, "val") if one.name == name)
    frames = [(frame, cv2.resize(sequence.image(frame), (WIDTH, HEIGHT))) for frame in sequence.frames[:16:4]]
    given = {
        frame: cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
        for frame, mask in given_masks(sequence).items()
    }
    pictures = torch.stack([torch.from_numpy(image).permute(2, 0, 1) for _, image in frames])
    torch.manual_seed(0)
    model = settle(MaskVOS(networks()), pad_to_stride(normalise(pictures)), torch.rand(4, 1, 64, 112))
    chosen = settings(refinement_rounds=2, radius=5, top_k=10)
    expected = segment(leaves(model), frames, given, chosen)
    close = list(segment_sequence(frames, given, model, chosen, CPU))
    with code_in_float64():
        exact = list(segment_sequence(frames, given, model.double(), chosen, CPU))
    for number, truth in enumerate(expected):
        torch.testing.assert_close(exact[number].probabilities, truth, rtol=0, atol=1e-9)
        torch.testing.assert_close(close[number].probabilities.double(), truth, rtol=0, atol=1e-4)
        best = truth.topk(2, 0)[0]
        clear = (best[0] - best[1] > 1e-6).numpy()  # where no two classes are equally likely
        assert np.array_equal(exact[number].ids[clear], np.unique(list(given.values()))[truth.argmax(0)][clear])
