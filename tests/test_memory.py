"""Where arrays begin in memory, and how much of it they take."""

import sys

import numpy as np
import pytest

from neurosim import memory


def _resident() -> int:
    """Bytes of this process that are in memory."""
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * 4096


def test_zeros_begin_with_a_cache_line_each_at_another_place_of_its_page() -> None:
    made = [memory.zeros((3, 5), kind) for kind in (np.uint8, np.uint32, np.float64) * 10]
    places = [array.ctypes.data % 4096 for array in made]
    assert all(place % 64 == 0 for place in places)
    assert len(set(places)) == len(places)
    assert all(array.shape == (3, 5) and not array.any() for array in made)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_sparse_arrays_take_the_memory_that_is_touched() -> None:
    before = _resident()
    room = memory.sparse((64, 2**20), np.uint32)  # 256 MB
    room[:, 7] = 1
    assert _resident() - before < 2**21, "64 pages of 4 kB, not of 2 MB"
    assert room.shape == (64, 2**20)
    assert room[:, ::1021].sum() == 0
    assert room.sum() == 64


def test_what_has_no_room_is_said_as_by_numpy() -> None:
    with pytest.raises(MemoryError):
        memory.sparse(2**60, np.uint8)
