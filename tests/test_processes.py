"""Streams and effects in other processes: after fork, and through pickle."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import queue
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import patch_model, random_band_gru

import pyvocsep

RATE = 44_100
SECONDS = 60  # for a child to answer: far more than it needs, even on a busy machine


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "core": random_band_gru(folder / "core.safetensors"),
        "patches": patch_model(folder / "patches.onnx"),
    }


def audio_of(samples: int = 9_000) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((2, samples)).astype(np.float32) * np.float32(0.1)


def run(thing: Any) -> np.ndarray:
    """What a separator or an effect makes of a recording, as an array."""
    if isinstance(thing, pyvocsep.Separator):
        vocals, _ = thing.process(audio_of())
        thing.reset()
        return vocals
    output = thing(audio_of(), RATE)
    assert isinstance(output, np.ndarray)
    return output


def answer(thing: Any, answers: Any) -> None:
    try:
        answers.put(run(thing))
    except BaseException as error:
        answers.put(error)


def result_of(process: Any, answers: Any) -> np.ndarray:
    process.start()
    try:
        result = answers.get(timeout=SECONDS)
    except queue.Empty:
        process.kill()
        raise AssertionError("the child hangs") from None
    process.join(SECONDS)
    if isinstance(result, BaseException):
        raise result
    assert process.exitcode == 0
    return result


def things(files: dict[str, Path], threads: int) -> list[Any]:
    model = files["core"]
    return [
        pyvocsep.Separator(RATE, 2, model, threads),
        pyvocsep.Separator(RATE, 2, files["patches"], threads),
        pyvocsep.StemMixer(0, -20, model, threads),
        pyvocsep.Board([pyvocsep.StemMixer(-3, -20, model, threads), None]),
    ]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("number", range(4))
def test_after_fork_a_child_goes_on(files: dict[str, Path], number: int, threads: int) -> None:
    thing = things(files, threads)[number]
    expected = run(thing)  # the threads are there, and have worked
    context = multiprocessing.get_context("fork")
    for _ in range(2):
        answers = context.Queue()
        child = context.Process(target=answer, args=(thing, answers))
        np.testing.assert_array_equal(result_of(child, answers), expected)
    np.testing.assert_array_equal(run(thing), expected)


def test_a_child_makes_streams_of_its_own(files: dict[str, Path]) -> None:
    expected = [run(thing) for thing in things(files, 2)]

    def all_anew(answers: Any) -> None:
        answers.put(np.stack([run(thing) for thing in things(files, 2)]))

    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=all_anew, args=(answers,))
    np.testing.assert_array_equal(result_of(child, answers), np.stack(expected))


def test_a_stream_goes_on_in_the_middle(files: dict[str, Path]) -> None:
    audio = audio_of()
    one, other = (pyvocsep.Separator(RATE, 2, files["core"], threads) for threads in (1, 2))
    expected = [one.process(audio[:, :4_000])[0], one.process(audio[:, 4_000:])[0]]
    np.testing.assert_array_equal(other.process(audio[:, :4_000])[0], expected[0])

    def rest(answers: Any) -> None:
        answers.put(other.process(audio[:, 4_000:])[0])

    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=rest, args=(answers,))
    np.testing.assert_array_equal(result_of(child, answers), expected[1])
    np.testing.assert_array_equal(other.process(audio[:, 4_000:])[0], expected[1])


@pytest.mark.parametrize("end", ["del", "exit"])
def test_a_child_may_end_as_it_likes(files: dict[str, Path], end: str) -> None:
    """To take down what the parent's threads served neither hangs nor crashes."""
    everything = things(files, 4)
    for thing in everything:
        run(thing)
    child = os.fork()
    if child == 0:  # pragma: no cover
        import signal

        signal.alarm(SECONDS)
        if end == "del":
            everything.clear()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0


@pytest.mark.parametrize("number", range(4))
def test_pickled_it_is_the_configuration_without_the_stream(files: dict[str, Path], number: int) -> None:
    thing = things(files, 2)[number]
    expected = run(thing)
    if number != 1:  # which takes a whole recording at once
        thing.process(audio_of(700), *((RATE, 8192, False) if number > 1 else ()))
    for duplicate in (pickle.loads(pickle.dumps(thing)), copy.copy(thing), copy.deepcopy(thing)):
        assert type(duplicate) is type(thing)
        assert repr(duplicate) == repr(thing)
        np.testing.assert_array_equal(run(duplicate), expected)


def test_pickled_it_keeps_every_argument(files: dict[str, Path]) -> None:
    separator = pyvocsep.Separator(48_000, 1, files["core"], 2, "float32")
    again = pickle.loads(pickle.dumps(separator))
    assert (again.sample_rate, again.channels, again.model) == (48_000, 1, str(files["core"]))
    mixer = pyvocsep.StemMixer(1.5, -np.inf, files["core"], 3)
    mixer.accompaniment_db = -7.25
    again = pickle.loads(pickle.dumps(mixer))
    assert (again.vocals_db, again.accompaniment_db, again.threads) == (1.5, -7.25, 3)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_handed_to_a_process_that_begins_anew(files: dict[str, Path], method: str) -> None:
    context = multiprocessing.get_context(method)
    thing = things(files, 2)[0]
    answers = context.Queue()
    child = context.Process(target=answer, args=(thing, answers))
    np.testing.assert_array_equal(result_of(child, answers), run(thing))


def test_a_board_with_a_plugin_of_pedalboard_says_that_it_cannot_be_pickled(files: dict[str, Path]) -> None:
    pedalboard = pytest.importorskip("pedalboard")
    board = pyvocsep.Board([pyvocsep.StemMixer(model=files["core"]), pedalboard.Chain([pedalboard.Reverb()])])
    with pytest.raises(TypeError, match=r"Chain.*pedalboard.*cannot be pickled.*make"):
        pickle.dumps(board)
