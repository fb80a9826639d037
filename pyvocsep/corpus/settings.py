"""How a corpus is separated: the same settings give the same stems."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from pyvocsep.arrays import STEMS
from pyvocsep.engines.registry import PRECISIONS
from pyvocsep.files.formats import output_format
from pyvocsep.files.outputs import DEFAULT_NAME_PATTERN
from pyvocsep.models import DEFAULT_FOR_FILES, model_path


@dataclass(frozen=True)
class Settings:
    """What `pyvocsep.process` is told about every recording; see there.

    Attributes:
        model: a shipped model's name or the path of a model file, on the machine that starts the run.
        model_digest: SHA-256 of that file.
    """

    model: str
    model_digest: str
    precision: str = PRECISIONS[0]
    stems: tuple[str, ...] = STEMS
    format: str | None = None
    subtype: str | None = None
    name_pattern: str = DEFAULT_NAME_PATTERN
    strict: bool = False

    @classmethod
    def of(cls, model: str = DEFAULT_FOR_FILES, **others: Any) -> Settings:
        """Read a model's digest; raises what `model_path` raises."""
        return cls(model, digest(model_path(model).read_bytes()), **others)

    @property
    def suffix(self) -> str:
        """The stems' suffix; ValueError for a format or subtype that cannot be written."""
        return output_format(self.format, self.subtype, None)[0]

    @property
    def fingerprint(self) -> str:
        """The same for settings that write the same stems: where the model file lies does not matter."""
        facts = asdict(self) | {"model": ""}
        return digest(json.dumps(facts, sort_keys=True).encode())[:12]


def digest(data: bytes) -> str:
    """Return SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
