"""The numbers that paper and program print, each as a function of what was measured: PRINTED, claim id -> function."""

from functools import partial

import numpy as np

from common.findings import NotTestable, by_group
from papers.symphony2vec import latent, measures
from papers.symphony2vec.config import LATENT_SIZES
from papers.symphony2vec.measured import Measured

LETTERS = {"c": "chroma", "m": "mfcc", "s": "mel"}
FIGURE_8 = 1700  # its steps: the first part of the program's data
COMPOSERS = ("beethoven", "brahms", "haydn", "sibelius", "tchaikovsky")


# Section 3.1


def set_size(measured: Measured, part: str) -> int:
    """Clips of the training or test set."""
    return len(getattr(measured, part))


def composer_share(measured: Measured, part: str, composer: str) -> dict:
    """Share of a composer in the training or test set (Table 1)."""
    number = [i for i, name in enumerate(measured.names) if composer in name.lower()]
    if not number:
        raise NotTestable(f"no {composer.title()} in this corpus")
    rows = getattr(measured, part)
    return {"value": float(np.mean(measured.labels[rows] == number[0])), "n": len(rows), "of": "clips"}


def explained_variance(measured: Measured, representation: str, component: int) -> float:
    """Share of variance of a principal component of all clips."""
    return measured.explained[representation][component]


# Accuracies (Tables 3, 4, 5 and 7)


def accuracy(measured: Measured, model: str) -> dict:
    """Test accuracy in percent, by work."""
    measured.need(model)
    one = measured.judged[model]
    return by_group(100.0 * one.right, one.works, "works", one.baselines) | {"of": one.unit}


def train_accuracy(measured: Measured, model: str) -> dict:
    """Training accuracy of the regression on a model's codes, in percent."""
    measured.need(model)
    one = measured.judged[model]
    return {"value": one.train_accuracy, "baselines": one.train_baselines}


def accuracy_after(measured: Measured, model: str, part: int) -> dict:
    """Test accuracy in percent at the end of one of several parts of the mel data, on that part's test clips."""
    value = logged_in_parts(measured, model, part, "metrics/test_accuracy", factor=100.0)
    return {"value": value, "baselines": measured.part_baselines[part - 1]}


# Log lines


def lines(measured: Measured, model: str, part: int = 1) -> list[dict]:
    """Log lines of a model from one part of the training data."""
    measured.need(model)
    if part > measured.parts:
        raise NotTestable("the mel data are not trained on in parts in this mode")
    return [line for line in measured.history[model] if line["stage"].startswith(f"part-{part}")]


def logged(measured: Measured, model: str, key: str, part: int = 1, place: int = -1, factor: float = 1.0) -> float:
    """A logged value: of the last line of a part, or of its first (`place` 0)."""
    return factor * lines(measured, model, part)[place][key]


def last_logged(measured: Measured, model: str, key: str) -> float:
    """A logged value of the very last line."""
    measured.need(model)
    return measured.history[model][-1][key]


def end(measured: Measured, model: str, key: str, share: float = 0.2, part: int = 1, until: float = np.inf) -> float:
    """Mean of a logged value over the last `share` of a part, or of its steps up to `until`."""
    found = [line for line in lines(measured, model, part) if line["step"] <= until]
    last = found[-max(1, round(share * len(found))) :]
    return float(np.mean([line[key] for line in last]))


def when_reached(measured: Measured, model: str, unit: str) -> float:
    """Epoch or step of the first line of part 1 with a generator's loss of at least 3.5."""
    reached = [line[unit] for line in lines(measured, model) if line["losses/generator"] >= 3.5]
    if not reached:
        raise NotTestable("the generator's loss does not reach 3.5 in part 1")
    return reached[0]


def contractive_loss(measured: Measured, model: str) -> float:
    """The CAE's printed loss: reconstruction and weighted penalty of the last line."""
    measured.need(model)
    line = measured.history[model][-1]
    weighted = measured.config.contractive_factor * line.get("losses/contraction", 0.0)
    return line["losses/reconstruction"] + line.get("losses/printed_penalty", weighted)


def first_vae_loss(measured: Measured, representation: str) -> float:
    """Summed loss of the first batch of 32."""
    measured.need(f"vae-{representation}")
    return measured.vae_losses[representation][0]


def vae_test_loss(measured: Measured, representation: str) -> dict:
    """Test loss per 32 clips, beside that of an untrained batch and, in the program's mode, of the best images."""
    measured.need(f"vae-{representation}")
    first, test = measured.vae_losses[representation]
    beside = {"before training": first}
    if representation in measured.vae_best:
        beside["every cell at its best, logits to 28"] = measured.vae_best[representation]
    return {"value": test, "baselines": beside}


def first_epoch_of_vae(measured: Measured) -> float:
    """Mean training loss per 32 clips in the first epoch."""
    line = lines(measured, "vae-mel")[0]
    return 32 * (line["losses/reconstruction"] + line["losses/divergence"])


# Figures


def extreme(measured: Measured, model: str, of: str, lowest: bool) -> float:
    """Lowest or highest value in decibels of reconstructed test clips (`of` "rebuilt") or of samples."""
    measured.need(model)
    values = getattr(measured, of)[model]
    return values.min() if lowest else values.max()


def panel_brightness(measured: Measured, model: str, percent: int) -> float:
    """Mean of a panel of Figures 10 and 11, scaled per panel."""
    measured.need(model)
    return measures.panel_scale(measured.paths[model])[_panel(percent)].mean()


def panel_change(measured: Measured, model: str, percent: int) -> float:
    """Mean absolute change of a panel from the first."""
    measured.need(model)
    panels = measures.panel_scale(measured.paths[model])
    return np.abs(panels[_panel(percent)] - panels[0]).mean()


def _panel(percent):
    return round(percent / 100 * (latent.POINTS - 1))


def unanswered(measured: Measured, reason: str) -> None:
    """A claim that no run of this paper can answer."""
    raise NotTestable(reason)


def _tables():
    found = {f"C-split-{part}": partial(set_size, part=part) for part in ("train", "test")}
    found |= {f"C-T1-{part}-{composer}": partial(composer_share, part=part, composer=composer)
              for part in ("train", "test") for composer in COMPOSERS}
    for letter, seen in LETTERS.items():
        found |= {f"C-T3-{kind.upper()}-{letter}": partial(accuracy, model=f"{kind}-{seen}")
                  for kind in ("ff", "cnn", "lstm")}
        for kind in ("ae", "cae", "vae", "pca"):
            found[f"C-T4-{kind.upper()}-{letter}"] = partial(accuracy, model=f"{kind}-{seen}")
            found[f"N-LRtrain-{kind.upper()}-{letter}"] = partial(train_accuracy, model=f"{kind}-{seen}")
    for size in LATENT_SIZES:
        found[f"C-T7-{size}-train"] = partial(train_accuracy, model=f"ali-{size}")
        found[f"C-T7-{size}-test"] = partial(accuracy, model=f"ali-{size}")
    return found | {
        "C-FF32": partial(accuracy, model="ff-32"),
        "C-E32": partial(accuracy, model="encoder-32"),
        "N-perc-c": partial(accuracy, model="perceptron-chroma"),
        "N-perc-m": partial(accuracy, model="perceptron-mfcc"),
    }


def _losses():
    found = {}
    for kind in ("ff", "cnn", "lstm"):
        for claim, part in (("s12", 1), ("s34", 2)):
            found[f"N-{kind.upper()}-{claim}"] = partial(accuracy_after, model=f"{kind}-mel", part=part)
        for letter, seen in LETTERS.items():
            for claim, key in (("train", "losses/cross_entropy"), ("test", "losses/test_cross_entropy")):
                found[f"N-{kind.upper()}-loss-{claim}-{letter}"] = partial(last_logged, model=f"{kind}-{seen}", key=key)
    for claim, place in (("first", 0), ("last", -1)):
        for letter in ("c", "m"):
            found[f"N-AE-loss-{claim}-{letter}"] = partial(logged, model=f"ae-{LETTERS[letter]}", place=place,
                                                           key="losses/reconstruction")  # fmt: skip
        for name, part in (("s12", 1), ("s34", 2), ("s5", 3)):
            found[f"N-AE-loss-{claim}-{name}"] = partial(logged_in_parts, model="ae-mel", part=part, place=place,
                                                         key="losses/reconstruction")  # fmt: skip
    for letter, seen in LETTERS.items():
        found[f"N-CAE-loss-{letter}"] = partial(contractive_loss, model=f"cae-{seen}")
        found[f"N-VAE-first-{letter}"] = partial(first_vae_loss, representation=seen)
        found[f"N-VAE-test-{letter}"] = partial(vae_test_loss, representation=seen)
    return found | {"N-VAE-explosion": first_epoch_of_vae}


def logged_in_parts(measured: Measured, model: str, part: int, key: str, place: int = -1, factor: float = 1.0) -> float:
    """A logged value of one of several parts; there is none where the mel data are one part."""
    if measured.parts == 1:
        raise NotTestable("the mel data are not trained on in parts in this mode")
    return logged(measured, model, key, part, place, factor)


def _adversarial():
    found = {}
    for size in LATENT_SIZES:
        model = f"ali-{size}"
        found[f"N-ALI-dmean-{size}"] = partial(end, model=model, key="losses/discriminator", share=1.0)
        found[f"N-ALI-gate-{size}"] = partial(when_reached, model=model, unit="epoch")
        for word, key in (("d", "losses/discriminator"), ("g", "losses/generator"), ("real", "metrics/d_real"),
                          ("generated", "metrics/d_generated")):  # fmt: skip
            found[f"N-ALI-end-{size}-1-{word}"] = partial(logged, model=model, key=key)
            found[f"N-ALI-end-{size}-3-{word}"] = partial(logged_in_parts, model=model, key=key, part=3)
        for percent in (0, 20, 40, 60, 80, 100):
            found[f"N-interp-{size}-{percent:03d}"] = partial(panel_brightness, model=model, percent=percent)
        for percent in (20, 40, 100):
            found[f"N-change-{size}-{percent:03d}"] = partial(panel_change, model=model, percent=percent)
    for word, key in (("d", "losses/discriminator"), ("g", "losses/generator")):
        found[f"C-F8-start-{word}"] = partial(logged, model="ali-128", key=key, place=0)
        found[f"C-F8-end-{word}"] = partial(end, model="ali-128", key=key, share=0.1, until=FIGURE_8)
        found[f"N-ALI-2-{word}"] = partial(unanswered, reason="printed for one batch of two clips; the log holds means "
                                           "of several steps")  # fmt: skip
    return found | {"C-F8-ramp": partial(when_reached, model="ali-128", unit="step")}


def _rest():
    found = {f"C-F{figure}-{word}": partial(extreme, model=model, of=of, lowest=word == "low")
             for figure, model, of in ((5, "cae-mel", "rebuilt"), (6, "vae-mel", "rebuilt"), (9, "ali-128", "samples"))
             for word in ("low", "high")}  # fmt: skip
    found |= {f"N-PCA2-{letter}-{number}": partial(explained_variance, representation=LETTERS[letter],
                                                  component=number - 1)
              for letter in ("c", "m") for number in (1, 2)}  # fmt: skip
    other_bands = "the program took 128 mel bands in decibels here; the store holds 64"
    found |= {f"N-PCA2-s-{number}": partial(unanswered, reason=other_bands) for number in (1, 2)}
    literature = "a figure from the literature on other data, not from this paper's models"
    return found | {"C-rel": partial(unanswered, reason=literature)}


PRINTED = _tables() | _losses() | _adversarial() | _rest()
