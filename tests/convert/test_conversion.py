"""Converted networks give the features that the authors' tests match, seen through an independent path."""

import pytest
import torch
from torch.nn import functional

from maskvos.convert.checkpoints import read_checkpoint
from maskvos.convert.conversion import convert
from maskvos.convert.sources import SOURCES
from maskvos.errors import UserError
from maskvos.networks.features import FeatureNetwork
from tests.convert import published

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def through_a_file(tmp_path, checkpoint, kind):
    """Saved as their authors do, read, converted; the network with these tensors."""
    path = tmp_path / "published.pth"
    torch.save(checkpoint, path)
    converted = convert(read_checkpoint(path), SOURCES[kind], path)
    network = FeatureNetwork(converted.settings).eval()
    network.network.load_state_dict(converted.tensors)
    return network, converted


def expected(picture, network):
    images = ((picture.permute(0, 2, 3, 1) / 255 - MEAN) / STD).permute(0, 3, 1, 2)
    return functional.normalize(network(images), dim=1)


RESNETS = {
    "crw": ("crw", "resnet18", "layer3", True, published.crw),
    "crw-old-padding": ("crw", "resnet18", "layer3", True, lambda t: published.crw(t, old_padding=True)),
    "vfs-18": ("vfs", "resnet18", "layer3", False, lambda t: published.vfs(t, 512)),
    "vfs-50": ("vfs", "resnet50", "layer3", False, lambda t: published.vfs(t, 64)),
    "dino-backbone": ("dino-resnet50", "resnet50", "layer3", False, dict),
    "dino-full": ("dino-resnet50", "resnet50", "layer3", False, lambda t: published.dino_full(t, "module.")),
    "dul": ("dul", "resnet18", "layer4", False, published.dul),
}


@pytest.mark.parametrize("case", RESNETS)
def test_features_of_resnets_are_torchvisions(tmp_path, case):
    kind, backbone, last_layer, reflect, publish = RESNETS[case]
    tensors = published.resnet(backbone)
    network, converted = through_a_file(tmp_path, publish(tensors), kind)
    reference = published.reference(tensors, backbone, last_layer, reflect)
    picture = torch.randint(0, 256, (1, 3, 45, 70), dtype=torch.uint8)
    with torch.inference_mode():
        features = network(picture)
        torch.testing.assert_close(features, expected(picture, reference), rtol=1e-4, atol=1e-5)
    assert features.shape[2:] == (6, 9) and network.stride == 8
    assert features.shape[1] == {"layer3": 256, "layer4": 512}[last_layer] * (4 if backbone == "resnet50" else 1)
    assert all(value.dtype == torch.float32 for name, value in converted.tensors.items() if "tracked" not in name)


def test_what_was_left_out_is_counted(tmp_path):
    _, converted = through_a_file(tmp_path, published.crw(published.resnet("resnet18")), "crw")
    layer4 = sum(name.startswith("layer4.") for name in published.torchvision_shapes("resnet18"))
    assert converted.left_out == {"selfsim_fc.": 2, "encoder.model.layer4.": layer4}


def test_crw_without_layer4_and_with_zero_padding(tmp_path):
    tensors = published.resnet("resnet18", without=("fc", "layer4"))
    checkpoint = published.crw(tensors)
    checkpoint["args"].model_type = "scratch_zeropad"
    network, converted = through_a_file(tmp_path, checkpoint, "crw")
    assert converted.settings.network.padding == "zeros"
    picture = torch.randint(0, 256, (1, 3, 32, 40), dtype=torch.uint8)
    with torch.inference_mode():
        found, reference = network(picture), published.reference(tensors, "resnet18")
        torch.testing.assert_close(found, expected(picture, reference), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("width", "depth", "patch", "side"), [(384, 12, 16, 14), (384, 12, 8, 28), (768, 12, 16, 14)])
@pytest.mark.parametrize("full", [False, True])
def test_vision_transformers_of_every_published_size(tmp_path, width, depth, patch, side, full):
    shapes = published.vit_shapes(width, depth, patch, side)
    tensors = {name: torch.full(shape, 0.01) for name, shape in shapes.items()}
    checkpoint = published.dino_full(tensors, "") if full else tensors
    _, converted = through_a_file(tmp_path, checkpoint, "dino-vit")
    settings = converted.settings
    assert settings.network.model_dump() == {
        "family": "vit", "patch": patch, "width": width, "depth": depth, "heads": width // 64, "positions": side
    }  # fmt: skip
    assert settings.stride == patch
    assert settings.std == [0.228, 0.224, 0.225]  # DINO's test code; its training divides by 0.229
    assert converted.left_out == ({"head.": 2} if full else {})
    assert all(torch.equal(converted.tensors[name], value) for name, value in tensors.items())


def change(checkpoint, entry, **changes):
    """A copy with tensors of one entry replaced, or removed where the new value is None."""
    tensors = {**checkpoint[entry], **changes}
    return {**checkpoint, entry: {name: value for name, value in tensors.items() if value is not None}}


def vfs_checkpoint():
    return published.vfs(published.resnet("resnet18"), 512)


WEIGHT = "backbone.layer2.0.conv1.conv.weight"
FAULTS = {
    "missing": ({WEIGHT: None}, r"1 missing \(layer2\.0\.conv1\.weight\)"),
    "unknown": ({"backbone.neck.weight": torch.zeros(1)}, r"1 unknown \(neck\.weight\)"),
    "unknown outside the backbone": ({"cls_head.fc.weight": torch.zeros(1)}, r"1 unknown \(cls_head\.fc\.weight\)"),
    "another shape": ({WEIGHT: torch.zeros(2, 3)}, r"layer2\.0\.conv1\.weight is \(2, 3\), expected \(128, 64, 3, 3\)"),
    "not finite": ({WEIGHT: torch.full((128, 64, 3, 3), torch.nan)}, r"NaN or infinity, such as layer2\.0\.conv1"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_tensors_that_do_not_fit_are_named(tmp_path, fault):
    changes, message = FAULTS[fault]
    with pytest.raises(UserError, match=rf"published\.pth.*{message}"):
        through_a_file(tmp_path, change(vfs_checkpoint(), "state_dict", **changes), "vfs")


def test_another_methods_checkpoint_is_recognised(tmp_path):
    crw = published.crw(published.resnet("resnet18"))
    with pytest.raises(UserError, match=r"the entry 'state_dict' .*VFS.*found model, optimizer, .* and 2 more\."):
        through_a_file(tmp_path, crw, "vfs")
    with pytest.raises(UserError, match=r"DUL.*found encoder\.model\.conv1\.weight.*looks like --from crw\."):
        through_a_file(tmp_path, crw, "dul")
    vit = {name: torch.zeros(shape) for name, shape in published.vit_shapes(64, 1, 8, 2).items()}
    with pytest.raises(UserError, match=r"ResNet-50.*found cls_token.*looks like --from dino-vit\."):
        through_a_file(tmp_path, vit, "dino-resnet50")


@pytest.mark.parametrize("content", [[1, 2], {}, {"epoch": 3}, torch.zeros(2)])
def test_what_is_no_table_of_tensors(tmp_path, content):
    with pytest.raises(UserError, match=r"published\.pth: (holds a|expected )"):
        through_a_file(tmp_path, content, "dino-vit")


@pytest.mark.parametrize("name", ["pos_embed", "patch_embed.proj.weight"])
@pytest.mark.parametrize("shape", [(), (3,), (0, 3, 8, 8)], ids=str)
def test_a_transformers_tensors_of_an_impossible_shape(tmp_path, name, shape):
    tensors = {"patch_embed.proj.weight": torch.zeros(64, 3, 8, 8), "pos_embed": torch.zeros(1, 5, 64)}
    with pytest.raises(UserError, match=r"c\.pth"):
        convert({**tensors, name: torch.zeros(shape)}, SOURCES["dino-vit"], tmp_path / "c.pth")
