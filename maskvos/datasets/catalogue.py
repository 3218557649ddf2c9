"""The public datasets: where they are, what to fetch by hand, and what a complete one holds."""

import difflib
from dataclasses import dataclass, field

from maskvos.errors import UserError

_ETH = "https://data.vision.ee.ethz.ch/csergi/share/davis"  # the address that davischallenge.org links to
_DAVIS_LICENCE = "CC BY-NC 4.0"
_YOUTUBEVOS_LICENCE = "for non-commercial research only"
_YOUTUBEVOS_STEPS = (
    "Open https://youtube-vos.org/dataset/vos/ and follow the download links of the {year} version.",
    "They ask for a registration (CodaLab, https://codalab.lisn.upsaclay.fr/competitions/{competition}) "
    "and lead to a folder with several archives.",
    "Take {archive}, not {other}: that one holds 30 frames a second, this project uses the annotated 6.",
)


@dataclass(frozen=True)
class Content:
    """What a complete split holds; ``frames`` is None where no dependable count is published."""

    sequences: int
    frames: int | None = None


@dataclass(frozen=True)
class Entry:
    """One archive of the catalogue. Without an ``address`` it is fetched by hand: ``steps`` say how."""

    name: str
    layout: str
    archive: str  # file name
    splits: dict[str, Content]
    size: float  # of the archive, about, in GB
    licence: str
    address: str = ""
    steps: tuple[str, ...] = field(default=())
    sha256: str | None = None  # published by none of them: recorded on first use, verified from then on


def _youtubevos(year: int, competition: int, split: str, sequences: int, size: float) -> Entry:
    words = {"year": year, "competition": competition, "archive": f"{split}.zip", "other": f"{split}_all_frames.zip"}
    return Entry(
        name=f"youtubevos{year}-{split}",
        layout="youtubevos",
        archive=f"{split}.zip",
        splits={split: Content(sequences)},
        size=size,
        licence=_YOUTUBEVOS_LICENCE,
        steps=tuple(step.format(**words) for step in _YOUTUBEVOS_STEPS),
    )


# Sequences and frames: DAVIS 2017 as its evaluator counts them, YouTube-VOS as youtube-vos.org/dataset/vos states.
CATALOGUE = {
    entry.name: entry
    for entry in (
        Entry(
            name="davis2017-trainval-480p",
            layout="davis",
            archive="DAVIS-2017-trainval-480p.zip",
            splits={"train": Content(60, 4209), "val": Content(30, 1999)},
            size=0.8,
            licence=_DAVIS_LICENCE,
            address=f"{_ETH}/DAVIS-2017-trainval-480p.zip",
        ),
        Entry(
            name="davis2017-test-dev-480p",
            layout="davis",
            archive="DAVIS-2017-test-dev-480p.zip",
            splits={"test-dev": Content(30, 2086)},
            size=0.3,
            licence=_DAVIS_LICENCE,
            address=f"{_ETH}/DAVIS-2017-test-dev-480p.zip",
        ),
        _youtubevos(2018, 7685, "train", 3471, 9),
        _youtubevos(2018, 7685, "valid", 474, 1),
        _youtubevos(2019, 6066, "train", 3471, 9),
        _youtubevos(2019, 6066, "valid", 507, 1),
    )
}


def find_entry(name: str) -> Entry:
    """The entry of that name.

    Raises:
        UserError: there is none; names the nearest one.
    """
    if name not in CATALOGUE:
        near = difflib.get_close_matches(name, CATALOGUE, n=1, cutoff=0.3)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UserError(f"'{name}' is not in the catalogue; {hint}`maskvos datasets` lists what is.")
    return CATALOGUE[name]
