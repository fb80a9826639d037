"""Mutation testing of the package: python tests/mutants/package.py [--count 100] [--seed 0] [ROOM ...]

Small mistakes are made at random places of the modules in the rooms `files` and `effects`, one at a time,
in a copy of the installed package; the tests of the room must see each, those of the module first. What
survives is printed, and the exit status is 1 unless it is known to change nothing (SAME). An hour for 100
on one core; by hand.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from same import SAME

import pyvocsep

TESTS = Path(__file__).parents[1]
SECONDS = 600  # a mutant may loop for ever: that is seen too

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


def mutate(node: ast.AST) -> bool:
    """Make the mistake that this kind of node allows, in place; False if there is none."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        node.ops = [_COMPARISONS[type(node.ops[0])](), *node.ops[1:]]
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        node.op = _OPERATORS[type(node.op)]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.Constant) and type(node.value) in (bool, int):
        node.value = not node.value if isinstance(node.value, bool) else node.value + 1
    elif isinstance(node, ast.If | ast.While) and not isinstance(node.test, ast.Constant):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    else:
        return False
    return True


def places(path: Path) -> list[int]:
    """Return the numbers of the nodes of a module where a mistake can be made."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    annotations = {part for node in ast.walk(tree) for part in _annotation(node)}  # these do not run
    nodes = enumerate(ast.walk(tree))
    return [
        number
        for number, node in nodes
        if node not in annotations and (_is_call(node) or mutate(copy.copy(node)))
    ]


def mutant(path: Path, number: int) -> tuple[int, str, str, str]:
    """Return a mistake's line, the code before and after, and the whole module with it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    node = next(node for at, node in enumerate(ast.walk(tree)) if at == number)
    before, after = ast.unparse(node), "pass"
    if _is_call(node):
        for parent in ast.walk(tree):
            for body in (getattr(parent, name, None) for name in ("body", "orelse", "finalbody")):
                if isinstance(body, list) and node in body:
                    body[body.index(node)] = ast.copy_location(ast.Pass(), node)
    else:
        mutate(node)
        after = ast.unparse(node)
    return node.lineno, before, after, ast.unparse(tree)


def _annotation(node: ast.AST) -> Iterator[ast.AST]:
    for name in ("annotation", "returns"):
        if isinstance(annotation := getattr(node, name, None), ast.AST):
            yield from ast.walk(annotation)


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def passes(package: Path, module: Path, room: str) -> bool:
    """Whether the tests of a module's room pass with a package; those named after the module come first."""
    files = sorted((TESTS / room).glob("test_*.py"), key=lambda test: module.stem not in test.stem)
    command = [sys.executable, "-P", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *map(str, files)]
    environment = {**os.environ, "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        tests = subprocess.run(
            command, capture_output=True, env=environment, cwd=TESTS.parent, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    if tests.returncode not in (0, 1, 2):
        raise RuntimeError(f"pytest ended with {tests.returncode}:\n{tests.stdout.decode()[-3000:]}")
    return tests.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description="mutation testing of the package")
    parser.add_argument("rooms", nargs="*", default=["files", "effects"])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, "pyvocsep")
        shutil.copytree(Path(pyvocsep.__file__).parent, package)
        modules = [(room, path) for room in options.rooms for path in sorted((package / room).glob("*.py"))]
        for room in options.rooms:
            if not passes(package, package / room, room):
                print(f"the tests of {room} fail without a mutant")
                return 2
        possible = [(room, path, number) for room, path in modules for number in places(path)]
        chosen = random.Random(options.seed).sample(possible, min(options.count, len(possible)))
        print(f"{len(chosen)} of {len(possible)} mutants", flush=True)
        survivors = 0
        for room, path, number in chosen:
            line, before, after, source = mutant(path, number)
            sound = path.read_text(encoding="utf-8")
            path.write_text(source, encoding="utf-8")
            survived = passes(package, path, room)
            path.write_text(sound, encoding="utf-8")
            reason = SAME.get((f"{room}/{path.name}", sound.splitlines()[line - 1].strip(), after))
            survivors += survived and reason is None
            verdict = "killed" if not survived else f"survived: {reason}" if reason else "SURVIVED"
            print(f"{verdict:8} {room}/{path.name}:{line}: {before!r} -> {after!r}", flush=True)
    print(f"{len(chosen)} mutants, {survivors} survivors without an explanation")
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())
