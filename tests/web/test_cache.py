"""The cache is bounded by bytes and forgets the longest unused."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from pyvocsep.web.cache import SizedCache


@dataclass(frozen=True)
class Box:
    nbytes: int


def test_the_longest_unused_goes_first() -> None:
    cache: SizedCache[Box] = SizedCache(10)
    cache.put("a", Box(4))
    cache.put("b", Box(4))
    assert cache.get("a") == Box(4)  # a use
    cache.put("c", Box(4))
    assert cache.get("b") is None
    assert cache.get("a") == cache.get("c") == Box(4)


def test_the_newest_stays_even_if_it_is_larger_than_the_cache() -> None:
    cache: SizedCache[Box] = SizedCache(10)
    cache.put("a", Box(4))
    cache.put("b", Box(50))
    assert cache.get("a") is None
    assert cache.get("b") == Box(50)


def test_find_counts_as_a_use() -> None:
    cache: SizedCache[Box] = SizedCache(10)
    cache.put("a", Box(4))
    cache.put("b", Box(5))
    assert cache.find(lambda box: box.nbytes == 4) == Box(4)
    cache.put("c", Box(5))
    assert cache.get("a") == Box(4)
    assert cache.get("b") is None
    assert cache.find(lambda box: box.nbytes == 99) is None


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 20)), min_size=1), st.integers(0, 40))
def test_memory_is_bounded(puts: list[tuple[int, int]], limit: int) -> None:
    cache: SizedCache[Box] = SizedCache(limit)
    for key, size in puts:
        cache.put(key, Box(size))
        assert cache.get(key) == Box(size)
        assert cache.nbytes <= limit or len(cache) == 1
