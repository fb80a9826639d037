"""Mutation testing of the core: python tests/mutants/run.py BUILD_FOLDER [FIRST [LAST]]

Each mutant is built in a copy of the sources and must fail the C++ tests. What survives is printed, and the
exit status is 1 unless all survivors are known to be equivalent. An hour on two cores; by hand.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from core import EQUIVALENT, MUTANTS

ROOT = Path(__file__).parents[2]
SECONDS = 120  # many times what the tests take: a mutant may loop for ever, and that is seen too


def main() -> int:
    build = Path(sys.argv[1]).resolve()
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    last = int(sys.argv[3]) if len(sys.argv) > 3 else len(MUTANTS)
    source = build / "source"
    for part in ("csrc", "cmake", "pyvocsep/models", "CMakeLists.txt", "pyproject.toml"):
        if (ROOT / part).is_dir():
            # The copies get new times: what an interrupted run built of a mutant would count as newer else.
            shutil.copytree(ROOT / part, source / part, dirs_exist_ok=True, copy_function=shutil.copy)
        else:
            source.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / part, source / part)
    configure = ["cmake", "-S", source, "-B", build / "out", "-G", "Ninja", "-DPYVOCSEP_TESTS=ON"]
    subprocess.run(configure, check=True, stdout=subprocess.DEVNULL)
    if not passes(build):
        print("the tests fail without a mutant")
        return 2
    survivors = 0
    for number, (name, text, replacement) in enumerate(MUTANTS[first:last], first):
        path = source / "csrc" / name
        sound = path.read_text()
        assert sound.count(text) == 1, f"mutant {number}: {text!r} stands {sound.count(text)} times in {name}"
        path.write_text(sound.replace(text, replacement))
        survived = passes(build)
        path.write_text(sound)
        reason = EQUIVALENT.get((name, replacement))
        survivors += survived and reason is None
        verdict = "killed" if not survived else f"survived: {reason}" if reason else "SURVIVED"
        print(f"{number:3} {verdict:8} {name}: {text.strip()!r} -> {replacement.strip()!r}", flush=True)
    print(f"{last - first} mutants, {survivors} survivors without an explanation")
    return int(survivors > 0)


def passes(build: Path) -> bool:
    """Whether the C++ tests are built and pass."""
    compiled = subprocess.run(
        ["cmake", "--build", build / "out", "--target", "core_tests"], capture_output=True
    )
    if compiled.returncode:
        raise RuntimeError(f"it does not compile:\n{compiled.stdout.decode()[-3000:]}")
    try:
        tests = subprocess.run(
            [build / "out" / "core_tests", "--abort-after=1"], capture_output=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return tests.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
