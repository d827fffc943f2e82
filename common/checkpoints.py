"""Checkpoints as plain .npz files: one array a variable, under readable names, written whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from common.errors import CheckpointError

KEEP = 2  # the newest is always whole (written under another name, then renamed); one more for good measure


def named_variables(learner: Any) -> dict:
    """All that a run carries from step to step: weights, optimizer slots and the loop's own variables, by name."""
    named = {}
    for name, network in learner.networks.items():
        named |= {f"network/{name}/{i:03d}:{v.path}": v for i, v in enumerate(network.variables)}
    for name, optimizer in learner.optimizers.items():
        if not optimizer.built:
            raise CheckpointError(f"optimizer {name} is not built: call optimizer.build(variables) where it is made")
        named |= {f"optimizer/{name}/{i:03d}:{v.path}": v for i, v in enumerate(optimizer.variables)}
    return named | {f"variable/{name}": v for name, v in learner.variables.items()}


def _key(name: str) -> str:
    return name.split(":")[0]  # Keras numbers repeated layer names by process; the position is what counts


def snapshot(learner: Any) -> dict[str, np.ndarray]:
    """Copies of every variable as they are now, by the names of a checkpoint's arrays."""
    return {_key(name): np.array(v.numpy()) for name, v in named_variables(learner).items()}


def save(directory: Path, step: int, arrays: dict[str, np.ndarray], state: dict, keep: int = KEEP) -> None:
    """Write `step-<n>.npz` with a snapshot and the JSON-able `state`; keep the newest `keep` files."""
    directory.mkdir(parents=True, exist_ok=True)
    write(directory / f"step-{step:09d}.npz", state, arrays)
    for old in files(directory)[:-keep]:
        old.unlink(missing_ok=True)


def write(path: Path, state: dict, arrays: dict) -> None:
    """A checkpoint's file, whole or not at all: arrays by name, and the JSON-able state."""
    temporary = path.with_name(f"{path.stem}.{os.getpid()}.partial")
    with open(temporary, "wb") as file:
        np.savez(file, state=np.frombuffer(json.dumps(state).encode(), np.uint8), **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def rewrite_state(path: Path, state: dict) -> None:
    """Put another `state` beside the arrays of a checkpoint."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "state"}
    write(path, state, arrays)


def files(directory: Path) -> list[Path]:
    """The whole checkpoints in a directory, oldest first."""
    return sorted(directory.glob("step-*.npz"))


def read_state(path: Path) -> dict:
    """The `state` saved with a checkpoint."""
    with np.load(path, allow_pickle=False) as archive:
        return json.loads(archive["state"].tobytes())


def damage(path: Path) -> str:
    """What is wrong with a checkpoint that cannot be read; an empty string where it can."""
    try:
        read_state(path)
    except (BadZipFile, EOFError, KeyError, ValueError) as error:
        return str(error)
    return ""


def restore(path: Path, learner: Any, weights_only: bool = False) -> dict:
    """Fill the learner's variables from a checkpoint and return its state.

    Args:
        weights_only: leave optimizers and loop variables alone, for evaluation.

    Raises:
        CheckpointError: if names or shapes disagree.
    """
    with np.load(path, allow_pickle=False) as archive:
        wanted = {_key(name): variable for name, variable in named_variables(learner).items()}
        if weights_only:
            wanted = {name: v for name, v in wanted.items() if name.startswith("network/")}
        elif unknown := set(archive.files) - set(wanted) - {"state"}:
            raise CheckpointError(f"{path} holds {sorted(unknown)[0]}, which this model does not have")
        for name, variable in wanted.items():
            if name not in archive:
                raise CheckpointError(f"{path} has no {name}: it was made by another version of this model")
            value = archive[name]
            if tuple(value.shape) != tuple(variable.shape):
                raise CheckpointError(f"{path}: {name} has shape {value.shape}, the model wants {variable.shape}")
            variable.assign(value)
        return json.loads(archive["state"].tobytes())
