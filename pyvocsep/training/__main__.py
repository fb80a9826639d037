"""``python -m pyvocsep.training RECIPE --data DIR --run DIR``: train, resume, export."""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from .averaging import average
from .export import load_model, round_weights, save_model, save_onnx
from .growth import warm_start
from .loop import CHECKPOINT, start, train
from .models import BandGRU, MaskEstimator
from .recipe import Recipe, find_recipe, load_recipe, shipped_recipes


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m pyvocsep.training", description=__doc__)
    parser.add_argument("recipe", help="a TOML file, or the name of one of: " + ", ".join(shipped_recipes()))
    parser.add_argument("--data", type=Path, help="the folder that holds the data sets' folders")
    parser.add_argument(
        "--run", type=Path, required=True, help="checkpoints and curves go here; continues what is there"
    )
    parser.add_argument(
        "--initial",
        type=Path,
        metavar="FILE",
        help="begin with the weights of a model file, grown to the recipe's size, not at random; examples "
        "are others than those the weights know",
    )
    parser.add_argument(
        "--decay",
        type=int,
        metavar="STEPS",
        help="end the run so many steps after its checkpoint, the rate falling to zero; copy --run before",
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="compute threads (default 1)")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="stop after so long, leaving a checkpoint"
    )
    parser.add_argument("--until", type=int, metavar="STEP", help="stop there, leaving a checkpoint")
    parser.add_argument("--steps", type=int, help="instead of the recipe's number: the learning rate follows")
    parser.add_argument(
        "--export",
        type=Path,
        help="write the best weights of --run as a .safetensors file (of a cnn: .onnx), or a bare graph",
    )
    parser.add_argument(
        "--average",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="with --export: the mean with the weights of these model files, of trainings with one "
        "beginning; smaller ones are grown to the recipe's size, as --initial does",
    )
    parser.add_argument(
        "--share",
        type=float,
        metavar="PART",
        help="of the run's own weights in that mean (default: equal)",
    )
    parser.add_argument(
        "--note", action="append", default=[], metavar="KEY=TEXT", help="metadata of the exported file"
    )
    options = parser.parse_args(arguments)
    try:
        recipe = load_recipe(find_recipe(options.recipe))
        if options.steps:
            recipe = dataclasses.replace(
                recipe, training=dataclasses.replace(recipe.training, steps=options.steps)
            )
        torch.set_num_threads(options.threads)
        # Large products in bfloat16 where the processor has units for it; the recurrence stays in float32.
        torch.set_float32_matmul_precision("medium")
        if options.share is not None and not options.average:
            parser.error("--share needs --average")
        if options.export:
            notes = dict(note.split("=", 1) for note in options.note)
            export(recipe, options.run, options.export, notes, options.average, options.share)
        elif options.average:
            parser.error("--average needs --export")
        elif options.data is None:
            parser.error("training needs --data")
        else:
            initial = load_model(options.initial)[0] if options.initial else None
            limits = options.minutes, options.until
            train(
                recipe,
                options.data,
                options.run,
                options.device,
                *limits,
                initial=initial,
                decay=options.decay,
            )
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command continues from the last checkpoint", file=sys.stderr)
        return 130
    return 0


def export(
    recipe: Recipe,
    run: Path,
    path: Path,
    notes: dict[str, str],
    others: Sequence[Path] = (),
    share: float | None = None,
) -> None:
    """Write the best weights of a run, or their mean with those of other model files (see :func:`.average`),
    as a model file (of a cnn: .onnx), or a bare graph for onnxruntime.
    """
    checkpoint = run / CHECKPOINT
    if not checkpoint.exists():
        raise FileNotFoundError(f"nothing to export: no {checkpoint}")
    state = start(recipe)
    state.load(checkpoint)
    if not state.best:
        raise ValueError(
            f"the run in {run} was never scored; train it for {recipe.training.score_every} steps first"
        )
    state.averaged.load_state_dict(state.best)
    average(state.averaged, [grown(recipe, load_model(other)[0]) for other in others], share)
    model = round_weights(state.averaged)
    watched = math.isfinite(state.best_score)
    score = (
        f"held-out vocals {state.best_score:.2f} dB uSDR" if watched else "nothing was held out to score it"
    )
    if others:
        score += f", before the mean with {len(others)} more"
    if path.suffix == ".onnx" and model.architecture != "cnn":
        save_onnx(model, path)
    else:
        save_model(model, path, recipe.name, **{"recipe": recipe.name, "score": score, **notes})
        load_model(path)
    print(f"{path}: step {state.best_step}, {score}")


def grown(recipe: Recipe, model: MaskEstimator) -> MaskEstimator:
    """What a run of the recipe began with, if ``model`` was its --initial and its network is a larger one."""
    first = start(recipe).model
    if not isinstance(model, BandGRU) or not isinstance(first, BandGRU):
        return model
    if (model.dim, len(model.blocks)) == (first.dim, len(first.blocks)):
        return model
    warm_start(first, model)
    return first


if __name__ == "__main__":
    sys.exit(main())
