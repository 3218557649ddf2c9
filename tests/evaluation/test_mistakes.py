import numpy as np
import pytest

from maskvos.evaluation.mistakes import FALSE, HIT, MISSED, WIDTH, Caption, draw_mistakes

CAPTION = Caption("clip   frame 00001   object 1", "J 50.0")
BAR = 64


def draw(truth: np.ndarray, prediction: np.ndarray, image: np.ndarray | None = None, others=None) -> np.ndarray:
    return draw_mistakes(image, truth, prediction, CAPTION, np.zeros_like(truth) if others is None else others)


def tint(colour: tuple[int, int, int], ground: int = 96) -> list[int]:
    return [round(0.45 * ground + 0.55 * channel) for channel in colour]


def test_hits_false_alarms_and_misses_have_their_colours():
    truth, prediction = np.zeros((2, 90, 160), bool)
    truth[20:70, 20:80] = True
    prediction[20:70, 50:140] = True
    picture = draw(truth, prediction)
    assert picture.shape == (WIDTH * 90 // 160 + BAR, WIDTH, 3)
    assert picture.dtype == np.uint8
    at = {x: picture[45 * 6, x * 6].tolist() for x in (35, 65, 110, 155)}
    assert at == {35: tint(MISSED), 65: tint(HIT), 110: tint(FALSE), 155: [96, 96, 96]}
    assert picture[45 * 6, 20 * 6 - 1].tolist() == [255, 255, 255]  # the true outline
    assert picture[45 * 6, 139 * 6].tolist() == tint(FALSE)  # predictions have none


def test_small_objects_are_enlarged_with_a_map_in_the_corner():
    truth = np.zeros((480, 854), bool)
    truth[200:210, 330:350] = True
    picture = draw(truth, truth)
    assert picture.shape == (round(WIDTH * 144 / 256) + BAR, WIDTH, 3)
    hits = (picture == tint(HIT)).all(-1)
    assert 50 * 20 * 10 > hits.sum() > 8 * 20 * 10  # enlarged 3.75 times each way
    centre = np.argwhere(hits).mean(0)
    assert centre == pytest.approx((270, WIDTH / 2), abs=4)
    rim = picture[:96, -164:]
    assert (rim == 255).all(-1).any()
    whole = np.zeros((480, 854), bool)
    whole[50:400, 50:800] = True
    assert not (draw(whole, whole)[:40, -164:] == 255).all(-1).any()


@pytest.mark.parametrize("place", [(0, 0), (0, 59), (39, 0), (39, 59)])
def test_the_view_stays_within_the_frame(place: tuple[int, int]):
    truth = np.zeros((40, 60), bool)
    truth[place] = True
    picture = draw(truth, np.zeros_like(truth))
    assert (picture == tint(MISSED)).all(-1).sum() == pytest.approx((WIDTH / 18) ** 2, rel=0.05)  # 18 of 60 columns
    assert picture.shape == (round(WIDTH * 12 / 18) + BAR, WIDTH, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 2), (13, 17)])
def test_odd_sizes_and_empty_masks(size: tuple[int, int]):
    empty = np.zeros(size, bool)
    rows = max(1, round(WIDTH * size[0] / size[1]))
    assert draw(empty, empty).shape == (rows + BAR, WIDTH, 3)
    assert draw(~empty, empty).shape == (rows + BAR, WIDTH, 3)


def test_the_image_lies_beneath_whatever_its_size():
    truth = np.zeros((45, 80), bool)
    image = np.zeros((90, 160, 3), np.uint8)
    image[:, 80:] = 200
    picture = draw(truth, truth, image)
    assert picture[270, 100].tolist() == [0, 0, 0]
    assert picture[270, 900].tolist() == [200, 200, 200]


def test_other_objects_are_outlined_in_grey_and_said():
    truth, others = np.zeros((2, 90, 160), bool)
    truth[5:85, 10:70] = True
    others[20:70, 90:150] = True
    plain, picture = draw(truth, truth), draw(truth, truth, others=others)
    changed = (plain != picture).any(-1)
    assert (picture[270, 85 * 6 : 95 * 6] > 140).all(-1).any()
    assert changed[:540, 85 * 6 :].any()
    assert not changed[:540, : 85 * 6].any()
    assert changed[540:].any()
