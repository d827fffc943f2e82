"""What a run's page plays: grids of transfers, and clips joined, phased and rebuilt in every way, in place."""

import re
from typing import Any

import numpy as np

from common import audio
from common.record import Run
from papers.lord_transfer import sound
from papers.lord_transfer.config import loss_terms

PICTURE_HEIGHT = 128  # pixels of a spectrogram in the grid


def plain(text: str) -> str:
    """A text as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9-]+", "_", text).strip("_-")


def transfer_grid(run: Run, m: Any, title: str, notes: dict) -> dict:
    """A grid of source clips by target class: hear each, see it, and read what the classifier hears."""
    heard, labels, rows, cells = m.heard, m.labels, [], []
    for a, label in enumerate(labels):
        for i in np.flatnonzero(m.classes == a)[:m.config.audio_per_class]:
            name = plain(f"{m.pair}-{label}-{i}")
            rows.append(label)
            source = m.images[i, ..., 0]
            line = [_cell(run, m.config, source, m.references[i], f"{name}-source", "the recording's own "
                          "spectrogram, sent back to sound: the ceiling")]
            for b, target in enumerate(labels):
                share = heard.transfers[b, i]
                what = "rebuilt" if a == b else f"to {target}"
                says = f"{what}: heard as {labels[share.argmax()]} ({share.max():.0%}), target {share[b]:.0%}"
                line.append(_cell(run, m.config, m.transfers[b][i, ..., 0], m.references[i],
                                  f"{name}-to-{plain(target)}", says))
            cells.append(line)
    text = (f"Rows: held-out clips ({notes['split']}), the first of each class, not picked. Columns: their class "
            f"exchanged; on the diagonal they are rebuilt with their own. Perceptual loss: {notes['perceptual']}.")
    return {"title": f"Hear the transfers{title}", "text": text, "items": [],
            "grid": {"rows": rows, "columns": ["source", *labels], "cells": cells}}


def picture_grid(run: Run, m: Any, title: str) -> dict:
    """The same targets without a network: what is played for every source alike."""
    cells, reference = [], float(np.median(m.references))
    for name, pictures in m.pictures.items():
        file = plain(f"{m.pair}-{name}")
        cells.append([_cell(run, m.config, picture[..., 0], reference, f"{file}-{plain(label)}",
                            f"{name} of {label}: the same for every source")
                      for label, picture in zip(m.labels, pictures, strict=True)])
    return {"title": f"The targets without a network{title}", "items": [],
            "text": "Mean and median training pictures of each class and one real training clip. A transfer that "
                    "sounds like these, whatever its source, has transferred nothing.",
            "grid": {"rows": list(m.pictures), "columns": list(m.labels), "cells": cells}}


def _cell(run, config, image, reference, name, caption):
    import matplotlib.pyplot as plt

    samples = sound.to_audio(image, reference, config)
    audio.write(run.audio(name), samples, config.sample_rate)
    picture, times = run.figure(name), max(1, PICTURE_HEIGHT // image.shape[0])
    plt.imsave(picture, np.kron(np.clip(image, 0, 1)[::-1], np.ones((times, times))), cmap="cividis", vmin=0, vmax=1)
    return {"audio": run.relative(run.audio(name)), "image": run.relative(picture), "caption": caption}


def joined_items(run: Run, m: Any) -> Any:
    """One held-out track to be heard in every way of joining its windows (sec. 2.3.4 and 2.4.2)."""
    items = []
    for name, image in m.joined.items():
        path = run.audio(plain(f"{m.pair}-joined-{name}"))
        audio.write(path, sound.to_audio(image, m.joined_reference, m.config), m.config.sample_rate)
        items.append({"kind": "audio", "file": run.relative(path), "caption": name,
                      "claims": ["S1", "S2-quality", "S3", "S4"]})
    return items


def phase_items(run: Run, m: Any, references: Any) -> Any:
    """A rebuilt clip heard with the phase that the network made and with that of Griffin-Lim (sec. 2.2)."""
    config, items = m.config, []
    image = m.transfers[m.classes[0]][0]
    for name, samples in (("generated", sound.phase_to_audio(image, references[0], config)),
                          ("griffin-lim", sound.to_audio(image[..., 0], references[0], config))):
        audio.write(run.audio(f"phase-{name}"), samples, config.sample_rate)
        items.append({"kind": "audio", "file": run.relative(run.audio(f"phase-{name}")), "claims": ["P2"],
                      "caption": f"cosine and sine channels, the first held-out clip rebuilt: phase {name}"})
    return items


def loss_items(run: Run, base: Any, comparisons: Any) -> Any:
    """The first held-out clip rebuilt by models of different losses (sec. 2.3.3), to be heard."""
    items = []
    for name, m in {"the run's loss": base, **comparisons}.items():
        if m is base or m.config.loss != base.config.loss:
            path = run.audio(plain(f"rebuilt-{name}"))
            image = m.transfers[m.classes[0]][0, ..., 0]
            audio.write(path, sound.to_audio(image, base.references[0], m.config), m.config.sample_rate)
            items.append({"kind": "audio", "file": run.relative(path), "claims": ["L2", "L3", "L4", "L5"],
                          "caption": f"the first held-out clip rebuilt: {' + '.join(loss_terms(m.config))}"})
    return items if len(items) > 1 else []
