"""Memory of reference frames: keys, values, masks and what refines matches, each computed once and kept in preallocated
rings.

Objects that are given in the same frame form a group. A group is tracked as if the video began at that frame: its
references are that frame, for ever and with a radius of its own or none, and the last n frames after it. In DAVIS there
is one group. In YouTube-VOS an object that appears late is thereby never told "background" by a frame in which nobody
had marked it: a frame before a group's first is a valid reference for none of its objects.
Memory is flat in the video's length and linear in the objects.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from maskvos.inference.matching import Affinity, match
from maskvos.inference.parts import SIDE, refine, to_parts
from maskvos.params.inference import Tracking


@dataclass(frozen=True)
class Group:
    """Objects (channel numbers from 0) that were given in the same frame.

    Attributes:
        slot: where the memory keeps that frame.
        start: its number in the memory's count of frames.
    """

    objects: tuple[int, ...]
    slot: int
    start: int


class ReferenceMemory:
    """Slots 0 to n-1 are the ring of the last n frames; behind them lies one slot for each group's first frame.

    Args:
        grid: cells (h, w).
        key_dim: D.
        objects: K, all objects that the video will ever have.
        groups: number of frames in which objects are given.
        settings: the test protocol.
        fine_dim: C of what refines the matches to parts of cells, of which masks are kept then; 0: nothing does.
    """

    def __init__(
        self,
        grid: tuple[int, int],
        key_dim: int,
        objects: int,
        groups: int,
        settings: Tracking,
        device: torch.device,
        fine_dim: int = 0,
    ) -> None:
        self.settings = settings
        self.side = SIDE if fine_dim else 1  # parts of a cell, a side, that masks are kept in
        self.groups: list[Group] = []
        self.count = 0
        slots = settings.references + groups
        # Zeros, not empty: a weight of 0 times a NaN that happened to lie there would be NaN.
        self.keys = torch.zeros((slots, *grid, key_dim), device=device)
        cells, parts = grid[0] * grid[1], self.side**2
        self.masks = torch.zeros((slots, cells * parts, objects), device=device)
        self.fine = torch.zeros((slots, cells, parts, fine_dim), device=device) if fine_dim else None
        self.values: Tensor | None = (
            None  # (K, slots, h * w, D'), made with the first values; label propagation has none
        )

    @property
    def known(self) -> list[int]:
        """Objects that have been given so far, ascending."""
        return sorted(number for group in self.groups for number in group.objects)

    def references(self, group: Group) -> tuple[list[int], list[int]]:
        """Slots of the group's first frame and of the frames before the query that exist.

        The first frame counts once: while it is also one of the last n it is not named again, unless ``pad_with_first``
        fills the missing places with copies of it, as CRW's code does.
        """
        recent = self.settings.references
        slots = [number % recent for number in range(max(group.start + 1, self.count - recent), self.count)]
        if self.settings.pad_with_first:
            slots += [group.slot] * (recent - len(slots))
        return [group.slot], slots

    def match(self, key: Tensor) -> list[Affinity]:
        """The affinity of a query (key (D, h, w)) with the references of each group."""
        query = key.permute(1, 2, 0).contiguous()
        chosen = self.settings
        return [
            match(
                query,
                self.keys,
                *self.references(group),
                chosen.top_k,
                chosen.radius,
                chosen.temperature,
                chosen.first_radius,
            )
            for group in self.groups
        ]

    def refine(self, affinities: list[Affinity], fine: Tensor | None) -> list[Affinity]:
        """The affinities by which masks are read: those of the cells, or where the memory keeps it, of their parts by
        the query's ``fine`` (C, 2h, 2w)."""
        if self.fine is None:
            return affinities
        assert fine is not None
        query, table, chosen = to_parts(fine), self.fine.flatten(0, 1), self.settings
        protocol = chosen.top_k, chosen.temperature, chosen.layer1_weight
        return [refine(affinity, query, table, *protocol) for affinity in affinities]

    def add(
        self,
        key: Tensor,
        masks: Tensor,
        values: Tensor | None,
        given: Sequence[int] = (),
        fine: Tensor | None = None,
    ) -> None:
        """Keep a finished frame.

        Args:
            key: (D, h, w).
            masks: (K, side h, side w) soft masks of all objects in [0, 1], zero for those not given so far.
            values: (N, D', h, w) for the N objects known so far, those given here included, ascending; None where the
                memory keeps no values.
            given: objects that this frame gives for the first time.
            fine: (C, 2h, 2w), where the memory keeps it.
        """
        slots = [self.count % self.settings.references] if self.settings.references else []
        if given:
            group = Group(tuple(given), self.settings.references + len(self.groups), self.count)
            self.groups.append(group)
            slots.append(group.slot)
        if values is not None and self.values is None:
            slot_shape = self.keys.shape[0], self.keys.shape[1] * self.keys.shape[2]
            self.values = values.new_zeros((self.masks.shape[2], *slot_shape, values.shape[1]))
        for slot in slots:
            self.keys[slot] = key.permute(1, 2, 0)
            self.masks[slot] = to_parts(masks, self.side).flatten(0, 1)
            if self.fine is not None:
                assert fine is not None
                self.fine[slot] = to_parts(fine)
            if values is not None and self.values is not None:
                self.values[self.known, slot] = values.flatten(2).transpose(1, 2)
        self.count += 1
