"""Every kind of network of every paper at a size that trains in seconds: {paper/name: (Model, config, store)}."""

import dataclasses
import functools
from pathlib import Path

STEPS, LOG_EVERY = 7, 4  # of the first and the last stage of each


def of_softmax_ae(directory: Path) -> dict:
    from papers.softmax_ae import train
    from tests.papers.softmax_ae import small

    held = small.store(*small.tones(tracks=4, segments_a_track=5))
    return {name: (model, small.config(keep_probability=0.8), held) for name, model in train.MODELS.items()}


def of_symphony2vec(directory: Path) -> dict:
    from papers.symphony2vec import config as settings, train
    from tests.papers.symphony2vec import toy

    kinds = ("ff-mel", "perceptron-mfcc", "cnn-mel", "lstm-mfcc", "encoder-32", "ae-mel", "cae-mfcc", "vae-mel",
             "ali-40")
    config = toy.small("sound", ali_batch_sizes=(8,), batch_size=8)
    return {name: (train.MODELS[name], settings.MODELS[name].settings(config), toy.small_store()) for name in kinds}


def of_musae(directory: Path) -> dict:
    from papers.musae import train
    from tests.papers.musae import toy

    found = {f"{bars}-{kind}-{follow}": (train._model(bars, kind == "flower"), toy.settings(follow), toy.ToyStore())
             for bars, kind, follow in ((2, "gaussian", "code"), (2, "flower", "paper"), (2, "flower", "sound"))}
    lead_in = dataclasses.replace(toy.settings("sound"), updates_lead_in=4)
    return found | {"16-flower-sound": (train._model(16, True), lead_in, toy.ToyStore())}


def of_fma_interpolation(directory: Path) -> dict:
    from common.config import resolve
    from papers.fma_interpolation import config as settings, preprocess, train
    from tests.papers.fma_interpolation import conftest

    tiny, found = resolve(settings, "paper", "smoke", conftest.TINY), preprocess.find_corpus
    (directory / "clips").mkdir(parents=True, exist_ok=True)
    preprocess.find_corpus = lambda data, preset, null=False: conftest.make_corpus(directory / "clips")
    try:
        store = preprocess.preprocess(tiny, None, "smoke", directory / "stores")
    finally:
        preprocess.find_corpus = found
    tiny = dataclasses.replace(tiny, baseline_batch=7, classifier_batch=7)
    return {name: (model, tiny, store) for name, model in train.MODELS.items()
            if not name.startswith("overfit") or name == "overfit-swapped"}  # they have one step


def of_lord_transfer(directory: Path) -> dict:
    from papers.lord_transfer import train
    from tests.papers.lord_transfer import toy

    store, config = toy.make_store(directory / "lord", 70), dataclasses.replace(toy.CONFIG, batch_size=10)
    tables = dataclasses.replace(config, content="embedding", second_epochs=1)
    return {"lord": (train.MODELS["lord"], config, store), "tables": (train.MODELS["lord"], tables, store),
            "classifier": (train.MODELS["classifier"], config, store)}


PAPERS = {"softmax_ae": of_softmax_ae, "symphony2vec": of_symphony2vec, "musae": of_musae,
          "fma_interpolation": of_fma_interpolation, "lord_transfer": of_lord_transfer}


def models(paper: str, directory: Path, validate: bool = False) -> dict:
    """{name: (Model, config, store)} with stages of a few steps, log lines among them."""
    return {name: (dataclasses.replace(model, stages=functools.partial(_short, model.stages, validate)), config, store)
            for name, (model, config, store) in PAPERS[paper](directory).items()}


def _short(stages, validate, config, store, seed):
    made = stages(config, store, seed)
    return [dataclasses.replace(stage, steps=min(STEPS, stage.steps), log_every=LOG_EVERY,
                                validate=stage.validate if validate else None) for stage in made[:1] + made[1:][-1:]]
