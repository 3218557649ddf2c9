"""The regimes of correspondence learning (paper 2 and Table 4f): what each draws from a clip, and its losses on E."""

from collections.abc import Callable

import torch
from torch import Tensor

from maskvos.console import log
from maskvos.learning.correspondence import long_term_loss, short_term_loss
from maskvos.learning.cycle import cycle_loss
from maskvos.learning.photometric import photometric_loss
from maskvos.learning.transforms import Phi
from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.images import normalise
from maskvos.parallel.collectives import gather
from maskvos.params.method import Correspondence, Cropping
from maskvos.storage.frames import FrameStore
from maskvos.training.order import Sample
from maskvos.training.pairs import PairSampler
from maskvos.training.runs import CycleSampler, PhotometricSampler


def _phi(batch: Sample) -> Phi:
    zoom = batch["zoom"]
    return Phi(zoom[:, 0], zoom[:, 1], zoom[:, 2], batch["zoom_flip"])


def contrastive_losses(encoder: VisualEncoder, batch: Sample, settings: Correspondence) -> dict[str, Tensor]:
    """L_short and L_long (Eq. 11 to 15) of frames t, t+1, t' (B, 3, 3, S, S)."""
    phi = _phi(batch)
    first, second, distant = normalise(batch["frames"]).unbind(dim=1)
    images = torch.cat([phi.of_maps(first), second, phi.of_maps(distant), distant])
    moved_first, whole_second, moved_distant, whole_distant = encoder(images).key.chunk(4)
    options = settings.temperature, settings.negatives
    short = short_term_loss(phi.of_features(whole_second), moved_first, *options)
    long, _ = long_term_loss(phi.of_features(whole_distant), moved_distant, whole_second, *options)
    return {"short": short, "long": long}


def photometric_losses(encoder: VisualEncoder, batch: Sample, settings: Correspondence) -> dict[str, Tensor]:
    """L_Re of MAST: the last of the frames (B, N+1, 3, S, S) is reconstructed from those before it."""
    frames, colours = batch["frames"], batch["colours"]
    keys = encoder(normalise(frames).flatten(0, 1)).key.unflatten(0, frames.shape[:2])
    options = settings.photometric.radius, settings.temperature
    loss = photometric_loss(keys[:, :-1], keys[:, -1], colours[:, :-1], colours[:, -1], *options)
    return {"photometric": loss}


def cycle_losses(encoder: VisualEncoder, batch: Sample, settings: Correspondence) -> dict[str, Tensor]:
    """L_Cyc of CRW over frames (B, T, 3, S, S): out from Phi of the first one's image, home to Phi of its features."""
    phi, count = _phi(batch), batch["frames"].shape[1]
    # The sample brings the seed, so that a resumed run cuts the same edges; it is in main memory (HOST_ENTRIES). The
    # first sample's of all processes, see `maskvos.parallel`.
    generator = torch.Generator(batch["frames"].device).manual_seed(int(gather(batch["edges"])[0]))
    frames = normalise(batch["frames"])
    images = torch.cat([phi.of_maps(frames[:, 0])[:, None], frames], dim=1)
    keys = encoder(images.flatten(0, 1)).key.unflatten(0, (-1, count + 1))
    home, options = phi.of_features(keys[:, 1]), (settings.temperature, settings.cycle.edge_dropout)
    return {"cycle": cycle_loss(keys[:, 0], keys[:, 2:], home, *options, generator)}


Sampler = PairSampler | PhotometricSampler | CycleSampler
_SAMPLERS: dict[str, type[Sampler]] = {
    "contrastive": PairSampler,
    "photometric": PhotometricSampler,
    "cycle": CycleSampler,
}
_LOSSES: dict[str, Callable[[VisualEncoder, Sample, Correspondence], dict[str, Tensor]]] = {
    "contrastive": contrastive_losses,
    "photometric": photometric_losses,
    "cycle": cycle_losses,
}


def correspondence_sampler(store: FrameStore, settings: Correspondence, cropping: Cropping) -> Sampler:
    """Draws the samples of the regime's losses."""
    return _SAMPLERS[settings.regime](store, settings, cropping)


def correspondence_losses(encoder: VisualEncoder, batch: Sample, settings: Correspondence) -> dict[str, Tensor]:
    """The regime's losses of one batch by name: ``short`` and ``long``, ``photometric``, or ``cycle``.

    Args:
        encoder: E, in training mode.
        batch: collated samples of `correspondence_sampler`.
        settings: the regime and its parameters.
    """
    return _LOSSES[settings.regime](encoder, batch, settings)


def report_short_clips(store: FrameStore, settings: Correspondence) -> int:
    """Count and name the clips with fewer frames than the regime asks for; what happens with them is the sampler's."""
    needed = {
        "contrastive": 2 * settings.min_distance,  # every frame then has another at that distance
        "photometric": settings.photometric.references + 1,
        "cycle": settings.cycle.frames,
    }[settings.regime]
    short = [clip.name for clip in store.clips if len(clip.frames) < needed]
    if short:
        shown = ", ".join(short[:5]) + (", ..." if len(short) > 5 else "")
        log.info(
            "%d of %d clips have fewer than the %d frames that correspondence.regime '%s' asks for: %s",
            len(short),
            len(store.clips),
            needed,
            settings.regime,
            shown,
        )
    return len(short)
