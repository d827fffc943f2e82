"""Sounds of the report page: pooled segments brought back to the recordings' rate."""

import numpy as np
from scipy.signal import resample_poly

from common import audio, plots
from common.store import safe_name


def listening(run, measured) -> dict:
    """A grid class x (input, vanilla, DSAE) of the loudest held-out segment and what the decoders make of it."""
    cells = []
    for code, name in enumerate(measured.data.classes):
        mine = measured.data.held[measured.held_y == code]
        if not len(mine):
            cells.append([{"caption": "no held-out segment"}] * 3)
            continue
        chosen = mine[np.argmax(np.square(measured.data.x[mine]).mean(axis=1))]  # a rule, so nothing is picked by taste
        cells.append(_row(run, measured, name, chosen))
    columns = ["input", "vanilla autoencoder", "Deep Softmax Autoencoder"]
    return {"rows": list(measured.data.classes), "columns": columns, "cells": cells}


def _row(run, measured, name: str, chosen: int) -> list[dict]:
    config, data, encodings = measured.config, measured.data, measured.encodings
    waves = [x[chosen] * data.deviation + data.mean
             for x in (encodings.raw, encodings.vanilla_x_hat, encodings.x_hat)]
    seconds = np.arange(len(waves[0])) * config.pool / config.sample_rate
    gain = 0.7 / max(np.abs(waves[0]).max(), 1e-6)
    row = []
    for label, wave in zip(("input", "vanilla", "dsae"), waves, strict=True):
        path = run.audio(safe_name(f"{name}_{label}"))
        audio.write(path, resample_poly(wave * gain, config.pool, 1), config.sample_rate)
        drawing, axes = plots.figure((4, 2.4))
        axes.plot(seconds, wave, linewidth=0.8)
        axes.set(xlabel="seconds", ylabel="amplitude", ylim=(-0.75 / gain, 0.75 / gain))  # one scale a row
        picture = plots.save(drawing, run.figure(path.stem))
        row.append({"audio": run.relative(path), "image": run.relative(picture),
                    "caption": f"{name}: RMS {np.sqrt(np.mean(np.square(wave))):.3f}"})
    return row
