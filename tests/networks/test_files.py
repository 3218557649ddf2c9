"""Networks through weights folders: round trips, and every wrong file explained."""

import pytest
import torch

from maskvos.errors import UserError
from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.files import load_encoder, load_model, new_file, save_network, stored_networks, untrained_encoder
from maskvos.networks.model import MaskVOS
from maskvos.networks.trunk import Trunk
from maskvos.storage.descriptions import FILE, read_description, weights_file
from maskvos.storage.weights import save_weights
from tests.tiny import networks


def same(first, second):
    ours, theirs = first.state_dict(), second.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_model_round_trip_and_its_encoder(tmp_path):
    model = MaskVOS(networks())
    save_network(tmp_path, model, "model", networks(), round=3)
    assert same(load_model(tmp_path, networks()), model)
    assert same(load_encoder(tmp_path, networks()), model.encoder)
    description = read_description(tmp_path / FILE)
    assert description["kind"] == "model" and description["round"] == 3
    assert description["networks"] == networks().model_dump()


def test_a_decoder_that_corrects_masks_is_built_from_its_tensors(tmp_path):
    for residual in (False, True):
        model = MaskVOS(networks(), residual_decoder=residual)
        save_network(tmp_path / str(residual), model, "model", networks())
        read = load_model(tmp_path / str(residual), networks())
        assert same(read, model) and read.decoder.residual == residual


def test_a_single_file_may_be_named_instead_of_its_folder(tmp_path):
    model = MaskVOS(networks())
    save_network(tmp_path, model, "model", networks())
    file = (tmp_path / FILE).rename(tmp_path / "best.safetensors")
    assert same(load_model(file, networks()), model)
    assert same(load_encoder(file, networks()), model.encoder)


def test_encoder_round_trip(tmp_path):
    encoder = VisualEncoder(networks())
    save_network(tmp_path, encoder, "encoder", networks())
    assert same(load_encoder(tmp_path, networks()), encoder)


@pytest.mark.parametrize("last_layer", ["layer3", "layer4"])
def test_backbone_fills_the_trunk_and_the_head_keeps_its_initial_weights(tmp_path, last_layer):
    settings = networks(last_layer=last_layer)
    trunk = Trunk(settings, plain=True)
    save_network(tmp_path, trunk, "backbone", settings)
    encoder = load_encoder(tmp_path, settings, seed=4)
    for name, value in encoder.trunk.state_dict().items():
        assert torch.equal(value, trunk.state_dict()[name])
    assert same(encoder.head, untrained_encoder(settings, 4).head)
    assert not same(encoder.head, load_encoder(tmp_path, settings, seed=5).head)


def test_the_same_network_gives_the_same_bytes(tmp_path):
    encoder = VisualEncoder(networks())
    for name in ("a", "b"):
        save_network(tmp_path / name, encoder, "encoder", networks())
    assert (tmp_path / "a" / FILE).read_bytes() == (tmp_path / "b" / FILE).read_bytes()


def test_untrained_encoder_is_a_function_of_its_seed_alone():
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = untrained_encoder(networks(), 7)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    assert same(first, untrained_encoder(networks(), 7))
    assert not same(first, untrained_encoder(networks(), 8))


LOADERS = [load_encoder, load_model]


@pytest.mark.parametrize("load", LOADERS)
def test_absent(tmp_path, load):
    with pytest.raises(UserError, match="no such weights file"):
        load(tmp_path, networks())


@pytest.mark.parametrize("load", LOADERS)
def test_damaged(tmp_path, load):
    save_network(tmp_path, VisualEncoder(networks()), "encoder", networks())
    data = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match=r"model\.safetensors: not a readable safetensors file"):
        load(tmp_path, networks())


@pytest.mark.parametrize("load", LOADERS)
def test_foreign(tmp_path, load):
    from safetensors.torch import save_file

    save_file({"conv1.weight": torch.zeros(2)}, tmp_path / FILE)
    with pytest.raises(UserError, match="not written by maskvos"):
        load(tmp_path, networks())


def test_another_architecture_names_tensors(tmp_path):
    save_network(tmp_path, VisualEncoder(networks(embedding_dim=32)), "encoder", networks(embedding_dim=32))
    with pytest.raises(UserError, match=r"another architecture .*2 of another shape.*head\.3"):
        load_encoder(tmp_path, networks())
    save_network(tmp_path, VisualEncoder(networks(last_layer="layer4")), "encoder", networks())
    with pytest.raises(UserError, match="another architecture"):
        load_encoder(tmp_path, networks())


def test_another_backbone(tmp_path):
    save_network(tmp_path, Trunk(networks(backbone="resnet50"), plain=True), "backbone", networks())
    with pytest.raises(UserError, match="another architecture"):
        load_encoder(tmp_path, networks())


def test_a_kind_that_does_not_fit(tmp_path):
    save_network(tmp_path, VisualEncoder(networks()), "encoder", networks())
    with pytest.raises(UserError, match="needs the weights of a segment round"):
        load_model(tmp_path, networks())
    save_weights(tmp_path / FILE, {"x": torch.zeros(1)}, {"kind": "optimiser"})
    with pytest.raises(UserError, match="holds 'optimiser', expected backbone, encoder or model"):
        load_encoder(tmp_path, networks())


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_numbers_that_are_not_finite_are_named(tmp_path, value):
    encoder = VisualEncoder(networks())
    encoder.head[3].bias.data[2] = value
    save_network(tmp_path, encoder, "encoder", networks())
    with pytest.raises(UserError, match=r"model\.safetensors: 1 tensors hold NaN or infinity, such as head\.3\.bias"):
        load_encoder(tmp_path, networks())


def test_a_folder_or_a_file(tmp_path):
    assert weights_file(tmp_path) == tmp_path / FILE
    assert weights_file(tmp_path / "gone") == tmp_path / "gone" / FILE
    assert weights_file(tmp_path / "gone.safetensors") == tmp_path / "gone.safetensors"
    encoder = VisualEncoder(networks())
    save_network(tmp_path, encoder, "encoder", networks())
    (tmp_path / FILE).rename(tmp_path / "published")
    assert same(load_encoder(tmp_path / "published", networks()), encoder)
    with pytest.raises(UserError, match="published: there already"):
        new_file(tmp_path / "published")


def test_the_file_says_its_own_networks(tmp_path):
    save_network(tmp_path, VisualEncoder(networks()), "encoder", networks())
    assert stored_networks(tmp_path) == ("encoder", networks())
    save_weights(tmp_path / FILE, {}, {"kind": "pseudo_masks"})
    with pytest.raises(UserError, match="holds 'pseudo_masks', expected backbone, encoder or model"):
        stored_networks(tmp_path)
    save_weights(tmp_path / FILE, {}, {"kind": "model", "networks": {**networks().model_dump(), "depth": 3}})
    with pytest.raises(UserError, match=r"model\.safetensors: the networks in its description cannot be built \(1 "):
        stored_networks(tmp_path)
