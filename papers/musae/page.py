"""What the report page shows and plays: Table 1, figures 2 to 5 drawn again, originals, reconstructions, samples."""

import numpy as np

from common import plots, probes
from common.record import Run
from papers.musae import figures, inference, prior, sound, train, variants
from papers.musae.findings import row
from papers.musae.measured import ALPHAS, FLOWER, TWO, Measured
from papers.musae.measures import COLUMNS
from papers.musae.model import ALPHABET
from papers.musae.tokens import HOLD

SHOWN = 3  # windows that are heard, evenly spaced over the held-out songs, so that nothing is picked by taste
SHOWN_ALPHAS = (0, 2, 5, 8, 10)
SAMPLES, GENRES = 5, 3
SIDE_BY_SIDE = {2: "Originals and reconstructions", 16: "Sixteen bars side by side"}


def sections(measured: Measured, results: dict, run: Run) -> list[dict]:
    """The sections of media.json."""
    found = [table_1(measured), *sweep(measured)]
    lengths = {train.BARS[name] for name in measured.models}
    found += [reconstructions(measured, run, bars) for bars in SIDE_BY_SIDE if bars in lengths]
    if TWO in measured.paths:
        found += [interpolation(measured, run), samples(measured, run)]
    if measured.petals:
        found += [circle(measured, run), edits(measured, run)]
    found.append(latent_space(measured, results, run))
    found.append(curves(measured, run))
    return found


def table_1(measured: Measured) -> dict:
    """Table 1 with the baselines that give its numbers a meaning."""
    rows = []
    for name, m in measured.models.items():
        cells = [row(m), *(row(m, guess) for guess in ("all_hold", "step_majority")), m.non_hold, row(m, "mean_code"),
                 row(m, "teacher_forced") if "teacher_forced" in m.scores else {}]  # fmt: skip
        rows += [[name, key, *(f"{found[key]:.3f}" if found else "–" for found in cells)] for key in COLUMNS]
    columns = [
        "model",
        "track",
        "accuracy",
        "all hold",
        "majority per step",
        "where the target is not hold",
        "mean code",
        "given the true tokens before",
    ]
    sizes = "; ".join(
        f"{name}: {len(m.rows)} held-out windows of {m.songs} songs" for name, m in measured.models.items()
    )
    text = (
        f"Share of steps whose likeliest token is right, codes sampled as in training. {sizes}. All hold: always "
        "answering 'go on'; majority per step: the commonest token of each position in the training windows. Music VAE "
        "answers from its code and its own answers, as MusAE does from its code alone; the last column helps it."
    )
    table = {"kind": "table", "caption": "Table 1: reconstruction accuracy", "columns": columns, "rows": rows}
    return {"title": "Table 1", "text": text, "items": [table]}


def _notes(tokens):
    count = sound.notes(tokens)
    return f"{count} note" + "s" * (count != 1)


def _heard(tokens, config, run, name, title, caption):
    """A grid cell: MIDI, sound and piano roll of tokens."""
    path, heard, picture = sound.write(tokens, config, run.directory / "midi" / name, title)
    return {
        "audio": run.relative(heard),
        "image": run.relative(picture),
        "caption": caption,
        "midi": run.relative(path),
    }


def _chosen(m):
    order = np.argsort(m.windows.song[m.rows], kind="stable")
    return order[np.linspace(0, len(order) - 1, SHOWN).astype(int)]


def sweep(measured: Measured) -> list[dict]:
    """Beta and the number of latent factors against accuracy (section 4.2), where these were trained."""
    rows = []
    for name, m in measured.models.items():
        if name.startswith(f"{TWO}@"):
            rows.append([name.partition("@")[2].replace("-", " "), f"{row(m)['dbgs']:.3f}",
                         f"{m.distances['codes']:.3f}"])  # fmt: skip
    if not rows:
        return []
    own = measured.models[TWO]
    rows.insert(0, ["as it is", f"{row(own)['dbgs']:.3f}", f"{own.distances['codes']:.3f}"])
    table = {"kind": "table", "caption": "The 2-bar model with one setting changed", "rows": rows,
             "columns": ["setting", "accuracy of four tracks", "distance of the codes to the prior"],
             "claims": ["S-beta", "S-beta-prior", "S-latent", "G3"]}  # fmt: skip
    return [{"title": "Beta, latent factors and another start", "text": "", "items": [table]}]


def reconstructions(measured: Measured, run: Run, bars: int) -> dict:
    """Originals beside what each model of that length makes of them, and beside what needs no model."""
    models = {name: m for name, m in measured.models.items() if train.BARS[name] == bars and "@" not in name}
    first = next(iter(models.values()))
    columns = ["original", *models, "commonest tokens", "all hold"]
    rows, cells = [], []
    for number, k in enumerate(_chosen(first), 1):
        own, played = first.tokens[k], []
        answers = [m.answers[k] for m in models.values()]
        for label, tokens in zip(columns, (own, *answers, first.majority, np.full_like(own, HOLD)), strict=True):
            right = f", {(tokens == own).mean():.0%} of tokens right" if label != "original" else ""
            file = f"{bars}bar-{number}-{label.replace(' ', '-')}"
            played.append(_heard(tokens, measured.config, run, file, f"{bars} bars: {label}", _notes(tokens) + right))
        rows.append(f"window {number}")
        cells.append(played)
    text = (
        "Held-out windows, the first, middle and last song; the MIDI files lie beside the sounds. A note or two for a "
        "reconstruction: that model still answers 'go on' to everything. The commonest token of each step in the "
        "training windows needs no model and is the same for every window; all hold is silence, and its share of right "
        "tokens is what silence gets."
    )
    grid = {"rows": rows, "columns": columns, "cells": cells}
    return {"title": SIDE_BY_SIDE[bars], "text": text, "items": _midi_items(cells, run), "grid": grid}


def edits(measured: Measured, run: Run) -> dict:
    """Held-out windows moved to the petals of the commonest genres (section 3.3), beside their plain reconstruction."""
    flower, config = measured.models[FLOWER], measured.config
    names = [name for name in measured.names[:GENRES] if name]
    rows, cells = [], []
    for number, k in enumerate(_chosen(flower), 1):
        z = flower.codes[k : k + 1]
        moved = {f"towards {name}": prior.towards(z, measured.placement[rank], config.petals, 1.0)
                 for rank, name in enumerate(names)}  # fmt: skip
        played = {"original": flower.tokens[k], "reconstruction": flower.answers[k]}
        played |= {label: inference.decode_tokens(flower.learner, code)[0] for label, code in moved.items()}
        found = []
        for label, tokens in played.items():
            change = f", {(tokens != flower.answers[k]).mean():.0%} of tokens change" if label in moved else ""
            file = f"edit-{number}-{label}".replace(" ", "-").replace("/", "_")
            found.append(_heard(tokens, config, run, file, label, _notes(tokens) + change))
        rows.append(f"window {number}")
        cells.append(found)
    text = "Codes moved all the way to the centre of a genre's Gaussian in the plane of the circle, and decoded."
    grid = {"rows": rows, "columns": ["original", "reconstruction", *(f"towards {name}" for name in names)],
            "cells": cells}  # fmt: skip
    return {"title": "Genre edits", "text": text, "items": _midi_items(cells, run, 1), "grid": grid}


def _midi_items(cells, run, most=2):
    """Links to the MIDI files of the first cells."""
    flat = [cell for row in cells for cell in row][:most]
    return [{"kind": "midi", "file": c.pop("midi"), "image": c["image"], "audio": c["audio"], "caption": c["caption"],
             "alt": f"Piano roll, {c['caption']}"} for c in flat if "midi" in c]  # fmt: skip


def interpolation(measured: Measured, run: Run) -> dict:
    """Figure 2 and Figure 4."""
    m, path, config, cells = measured.models[TWO], measured.paths[TWO], measured.config, []
    for index in SHOWN_ALPHAS:
        alpha, tokens = ALPHAS[index], path.tokens[index, 0]
        caption = f"alpha {alpha:.1f}, {_notes(tokens)}"
        cells.append(_heard(tokens, config, run, f"interpolation-{index:02d}", f"alpha = {alpha:.1f}", caption))
    ends = [m.tokens[path.ends[side][0]] for side in (0, 1)]
    sides = [_heard(tokens, config, run, f"interpolation-song-{k + 1}", f"song {k + 1}", f"original of song {k + 1}")
             for k, tokens in enumerate(ends)]  # fmt: skip
    series = {name: (ALPHAS, p.first.mean(axis=1)) for name, p in measured.paths.items() if name != "untrained"}
    series["interpolating the data"] = (ALPHAS, path.data.mean(axis=1))
    drawn = plots.curves(run.figure("figure_4_hamming"), series, "alpha", "Hamming distance to the first song")
    item = {"kind": "figure", "file": run.relative(drawn), "claims": ["F4a-2bar-gaussian", "F4b", "F4c", "F4d"],
            "caption": f"Figure 4: mean Hamming distance of {path.tokens.shape[1]} interpolations to the first window",
            "alt": "Curves of Hamming distance against alpha, one per model and one for mixing the data"}  # fmt: skip
    columns = ["song 1", *(f"{ALPHAS[i]:.1f}" for i in SHOWN_ALPHAS), "song 2"]
    grid = {"rows": ["2 bars"], "columns": columns, "cells": [[sides[0], *cells, sides[1]]]}
    text = "Figure 2: codes between those of two held-out songs, decoded. At alpha 0 the model gives song 1 as it can."
    items = [item, *_midi_items(grid["cells"], run, 1)]
    return {"title": "Interpolations", "text": text, "items": items, "grid": grid}


def samples(measured: Measured, run: Run) -> dict:
    """Draws from the Gaussian prior, decoded by the 2-bar model."""
    m, config = measured.models[TWO], measured.config
    rng = np.random.default_rng([run.seed, 6])
    z = rng.normal(size=(SAMPLES, config.latent)).astype(np.float32)
    if train.has_style(False, config):
        coins = rng.random((SAMPLES, variants.STYLE)) < variants.STYLE_PROBABILITY
        z = np.concatenate([coins, z], axis=1).astype(np.float32)
    cells = [_heard(tokens, config, run, f"sample-{number}", f"sample {number}", _notes(tokens))
             for number, tokens in enumerate(inference.decode_tokens(m.learner, z), 1)]  # fmt: skip
    grid = {"rows": ["2 bars"], "columns": [f"sample {number}" for number in range(1, SAMPLES + 1)], "cells": [cells]}
    text = "Codes drawn from the Gaussian prior, decoded: the first draws, not the best ones."
    return {"title": "Samples", "text": text, "items": _midi_items(grid["cells"], run, 1), "grid": grid}


def circle(measured: Measured, run: Run) -> dict:
    """Figure 3 and samples from four petals of the circle."""
    flower, config = measured.petals, measured.config
    changes = flower.changes["model"]
    usable = np.isfinite(changes).all(axis=0)
    names = [name for name, use in zip(flower.names, usable, strict=True) if use]
    items = []
    if names:
        drawn = figures.heat_map(run.figure("figure_3_metrics"), changes[:, usable].T, names)
        items.append({"kind": "figure", "file": run.relative(drawn), "claims": ["F3", "Q8"],
                      "caption": f"Figure 3: metrics of {config.petal_samples} samples of each Gaussian, relative to "
                                 "their mean", "alt": "Heat map of metrics by Gaussian"})  # fmt: skip
    cells = []
    for petal in np.linspace(0, config.petals, 4, endpoint=False).astype(int):
        tokens = flower.tokens[np.flatnonzero(flower.petal == petal)[0]]
        cells.append(_heard(tokens, config, run, f"sample-petal-{petal:02d}", f"Gaussian {petal}", _notes(tokens)))
    columns = [f"Gaussian {p}" for p in np.linspace(0, config.petals, 4, endpoint=False).astype(int)]
    grid = {"rows": ["16 bars"], "columns": columns, "cells": [cells]}
    text = "Any decoder follows the circle smoothly, even an untrained one: claim Q8 asks for more than that."
    items += _midi_items(grid["cells"], run, 1)
    return {"title": "Round the flower", "text": text, "items": items, "grid": grid}


def latent_space(measured: Measured, results: dict, run: Run) -> dict:
    """Figure 5, the codes in the flower's plane, and what the adversarial term did."""
    items = []
    for pair in measured.pairs.values():
        if not isinstance(pair, str):
            items += _pair_figures(pair, run)
    if FLOWER in measured.models:
        items.append(_plane(measured, run))
    items += [_distances(measured), *_hits(results["Q9"])]
    text = (
        "The paper's adversarial term draws codes to the prior. In the program's joint loss the two terms that hold "
        "the code cancel, and only the gradient penalty reaches the encoder. Each distance stands beside those of "
        "codes that say nothing: zeros, one point, the prior with twice its deviation, an untrained encoder's; hits of "
        "petals beside the one petal that hits most, and beside the same codes handed to other songs."
    )
    return {"title": "The latent space", "text": text, "items": items}


def _pair_figures(pair, run):
    first, second = pair.names
    labels = np.array(pair.names)[pair.genre]
    points, shares = probes.principal_components(pair.codes, pair.codes)
    drawn = plots.scatter(run.figure(f"figure_5_{first}_{second}"), points, labels, f"{first} and {second}",
                          order=[first, second])  # fmt: skip
    plane = {"kind": "figure", "file": run.relative(drawn), "claims": ["F5a", "F5b", "Q10"],
             "caption": f"Figure 5: two principal components ({shares.sum():.0%} of the variance) of training "
                        "windows with one tag and not the other",
             "alt": f"Scatter plot, {first} and {second}"}  # fmt: skip
    drawn, perplexity = figures.t_sne(run.figure(f"t_sne_{first}_{second}"), pair.codes, labels, pair.names)
    return [plane, {"kind": "figure", "file": run.relative(drawn),
                    "caption": f"The same codes by t-SNE, perplexity {perplexity}",
                    "alt": f"t-SNE plot, {first} and {second}", "claims": ["F5a", "F5b"]}]  # fmt: skip


def _plane(measured, run):
    flower = measured.models[FLOWER]
    tags = flower.windows.tags[flower.windows.song[flower.rows]]
    names = np.append(measured.names, "no tag")
    first = np.where(tags.any(axis=1), tags.argmax(axis=1), len(names) - 1)
    common = np.argsort(-np.bincount(first, minlength=len(names)), kind="stable")[:6]
    keep = np.isin(first, common)
    drawn = plots.scatter(run.figure("codes_on_the_flower"), flower.codes[keep][:, :2],
                          names[first[keep]], "codes in the flower's plane", "dimension 1", "dimension 2")  # fmt: skip
    return {"kind": "figure", "file": run.relative(drawn), "claims": ["Q9"], "alt": "Scatter plot of codes",
            "caption": "Held-out codes in the plane of the circle, by the song's commonest tag"}  # fmt: skip


def _distances(measured):
    columns = ["codes", "floor", "zeros", "point", "twice_the_deviation", "untrained_encoder"]
    rows = [[name, *(f"{m.distances[column]:.3f}" for column in columns)] for name, m in measured.models.items()]
    shown = ["model", "codes", "another draw of the prior", "zeros", "one point", "twice the deviation",
             "an untrained encoder"]  # fmt: skip
    return {"kind": "table", "caption": "Sliced Wasserstein distance of held-out codes to the prior",
            "columns": shown, "rows": rows, "claims": ["Q9-wasserstein", "Q9-gaussian"]}  # fmt: skip


def _hits(entry):
    """Q9's shares as a table, nothing where it has no value."""
    if "value" not in entry:
        return []
    names = {"hits": "codes", "constant": "one petal for all, the best", "permuted": "the codes of other songs",
             "uniform": "any petal"}  # fmt: skip
    rows = [[shown, f"{entry['baselines'][name]:.1%}"] for name, shown in names.items()]
    return [{"kind": "table", "caption": "Windows whose code lies at a petal of one of the song's tags",
             "columns": ["codes", "share"], "rows": rows, "claims": ["Q9"]}]  # fmt: skip


def curves(measured: Measured, run: Run) -> dict:
    """Training curves of each model."""
    items = []
    for name, model in measured.models.items():
        lines = model.lines
        if len(lines) < 2:
            continue
        steps = [line["step"] for line in lines]
        series = {"training": (steps, [line["losses/reconstruction"] for line in lines]),
                  "held out": (steps, [line["validation/cross_entropy"] for line in lines])}  # fmt: skip
        level = [("uniform guess", 4 * np.log(ALPHABET))]
        drawn = plots.curves(run.figure(f"curves_{name.replace('@', '_')}"), series, "update",
                             "cross-entropy, four tracks", name, level=level)  # fmt: skip
        items.append({"kind": "figure", "file": run.relative(drawn), "caption": f"Cross-entropy of {name}",
                      "alt": f"Training and held-out cross-entropy of {name}"})  # fmt: skip
    return {"title": "Training", "text": "", "items": items}
