"""Sounds of the report page: pooled segments brought back to the recordings' rate."""

from typing import Any

import numpy as np
from scipy.signal import resample_poly

from common import audio, plots
from common.record import Run
from common.store import safe_name

COLUMNS = ("input", "64 components", "vanilla autoencoder", "Deep Softmax Autoencoder")


def listening(run: Run, measured: Any) -> dict:
    """A grid class x COLUMNS of the loudest held-out segment and what reconstructions make of it."""
    view, cells = measured.own, []
    for code, name in enumerate(view.data.classes):
        mine = view.data.held[view.held_y == code]
        if not len(mine):
            cells.append([{"caption": "no held-out segment"}] * len(COLUMNS))
            continue
        chosen = mine[np.argmax(np.square(view.data.x[mine]).mean(axis=1))]  # a rule, so nothing is picked by taste
        cells.append(_row(run, measured, name, chosen))
    return {"rows": list(view.data.classes), "columns": list(COLUMNS), "cells": cells}


def _row(run, measured, name: str, chosen: int) -> list[dict]:
    config, view = measured.config, measured.own
    components = view.pca.inverse_transform(view.components[chosen:chosen + 1])[0]
    waves = [x * view.data.deviation + view.data.mean for x in (
        view.encodings.raw[chosen], components, view.encodings.vanilla_x_hat[chosen], view.encodings.x_hat[chosen])]
    seconds = np.arange(len(waves[0])) * config.pool / config.sample_rate
    gain = 0.7 / max(np.abs(waves[0]).max(), 1e-6)
    row = []
    for label, wave in zip(("input", "components", "vanilla", "dsae"), waves, strict=True):
        path = run.audio(safe_name(f"{name}_{label}"))
        audio.write(path, resample_poly(wave * gain, config.pool, 1), config.sample_rate)
        drawing, axes = plots.figure((4, 2.4))
        axes.plot(seconds, wave, linewidth=0.8)
        axes.set(xlabel="seconds", ylabel="amplitude", ylim=(-0.75 / gain, 0.75 / gain))  # one scale a row
        picture = plots.save(drawing, run.figure(path.stem))
        row.append({"audio": run.relative(path), "image": run.relative(picture),
                    "caption": f"{name}: RMS {np.sqrt(np.mean(np.square(wave))):.3f}"})
    return row
