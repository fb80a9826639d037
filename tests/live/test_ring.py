"""The ring is a queue: what goes in comes out, in order, once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pyvocsep.live.ring import Ring


@given(st.integers(1, 20), st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=60))
def test_it_is_a_queue(capacity: int, moves: list[tuple[bool, int]]) -> None:
    ring, queue, written = Ring(1, capacity), [], 0
    for is_write, count in moves:
        if is_write:
            block = np.arange(written, written + count, dtype=np.float32)[:, np.newaxis]
            taken = ring.write(block)
            assert taken == min(count, capacity - len(queue))
            queue += block[:taken, 0].tolist()
            written += taken
        else:
            block = np.full((count, 1), np.nan, np.float32)
            taken = ring.read_into(block)
            assert taken == min(count, len(queue))
            assert block[:, 0].tolist() == queue[:taken] + [0.0] * (count - taken)
            queue = queue[taken:]
        assert ring.available == len(queue)
        assert ring.room == capacity - len(queue)
