"""A cache bounded by the size of what it holds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """What a `SizedCache` holds."""

    @property
    def nbytes(self) -> int:
        """The memory that it takes."""


Value = TypeVar("Value", bound=Sized)


class SizedCache(Generic[Value]):
    """Keeps values until they take more than `limit` bytes together, then drops the longest unused.

    The value put in last stays even if it alone is larger. All methods can be called from any thread.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """Return the value, which counts as a use, or None."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value under a key, in place of an older one."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > 1 and self._size() > self._limit:
                self._values.popitem(last=False)

    def find(self, wanted: Callable[[Value], bool]) -> Value | None:
        """Return a value of which `wanted` is true, which counts as a use, or None."""
        with self._lock:
            for key, value in self._values.items():
                if wanted(value):
                    self._values.move_to_end(key)
                    return value
            return None

    @property
    def nbytes(self) -> int:
        """The memory that all values take."""
        with self._lock:
            return self._size()

    def __len__(self) -> int:
        with self._lock:
            return len(self._values)

    def _size(self) -> int:
        return sum(value.nbytes for value in self._values.values())
