"""What the trained networks of a run make of the data: the arrays that findings, facts and the page are made from."""

import json
from dataclasses import dataclass, field

import keras
import numpy as np

from common import splits, training
from common.findings import NotTestable
from common.record import Run
from common.store import Store
from papers.musae import data, inference, measures, prior, train
from papers.musae.config import Config
from papers.musae.tokens import HOLD

TWO, GAUSSIAN, FLOWER = "2bar-gaussian", "16bar-gaussian", "16bar-flower"
ALPHAS = np.linspace(0, 1, 11)  # section 4.3 gives no grid
PAIRS = {"F5a": ("rock", "pop"), "F5b": ("rock", "punk")}
RESAMPLES = 20


@dataclass
class Reconstruction:
    """One trained model and what it makes of the same held-out windows that all its numbers are taken on."""

    name: str
    learner: training.Learner
    windows: data.Windows
    train_rows: np.ndarray
    held_rows: np.ndarray  # all held-out windows
    rows: np.ndarray  # those measured
    tokens: np.ndarray  # (n, T, 4)
    codes: np.ndarray  # (n, latent), sampled as in training
    answers: np.ndarray  # (n, T, 4) likeliest tokens
    scores: dict  # {"model", "all_hold", "step_majority", "mean_code": (n, 6) shares right, measures.COLUMNS}; Music
    # VAE's also "teacher_forced"
    majority: np.ndarray  # (T, 4) commonest token of each step in the training windows
    non_hold: dict  # {column: accuracy where the target is not hold}
    distances: dict  # sliced Wasserstein distance to the prior: of the codes, of another draw, and of null codes
    lines: list  # of the training log

    @property
    def artists(self) -> np.ndarray:
        """Artist of each measured window, (n,): what a split by artist keeps whole."""
        return self.windows.artist[self.windows.song[self.rows]]

    @property
    def songs(self) -> int:
        """Songs among the measured windows."""
        return len(np.unique(self.windows.song[self.rows]))


@dataclass
class Paths:
    """Interpolations between pairs of held-out windows along ALPHAS; distances are Hamming's, (alphas, pairs)."""

    first: np.ndarray  # to x1
    second: np.ndarray  # to x2
    data: np.ndarray  # of the data-space baseline to x1
    apart: np.ndarray  # H(x1, x2), (pairs,)
    steps: np.ndarray  # between neighbouring alphas, (alphas - 1, pairs)
    way: np.ndarray  # between both ends as decoded, (pairs,)
    jumps: np.ndarray  # largest step of each metric along alpha as a share of all its steps, (pairs, metrics)
    follows: dict  # {"pitch", "notes", "length": (pairs,) rank correlation with alpha, positive towards song 2; or NaN}
    data_follows: dict  # the same of the data-space baseline
    tokens: np.ndarray  # (alphas, pairs, T, 4)
    ends: tuple  # rows of x1 and x2 among the measured windows
    artists: np.ndarray  # of x1, (pairs,)


@dataclass
class Petals:
    """Decoded samples of the flower: relative changes of the metrics by petal, of the model and of two controls.

    values holds two more: "step_majority", the commonest tokens, and "exchanged_bars", held-out music in disorder.
    """

    names: list
    changes: dict  # {"model", "untrained", "gaussian_model" where there is one: (petals, metrics)}
    values: dict  # the metrics themselves, (samples, metrics)
    tokens: np.ndarray
    petal: np.ndarray


@dataclass
class Pair:
    """Codes of training windows of two genres, those with one tag and not the other (section 4.4.2)."""

    names: tuple
    codes: np.ndarray
    genre: np.ndarray  # 0 or 1
    accuracy: dict  # {"model", "untrained", "tokens": (of discriminants, with genres exchanged) or None: few songs}
    spread: dict  # {"model", "untrained", "tokens", "exchanged_genres": spread of the second genre over the first's}


@dataclass
class Measured:
    """A run as findings see it."""

    config: Config
    seed: int
    names: list  # genre tags, by rank
    placement: np.ndarray  # petal of each rank
    stated: dict  # what the store says of its corpus
    models: dict = field(default_factory=dict)  # {name: Reconstruction}, controls included
    paths: dict = field(default_factory=dict)  # {name: Paths}; "untrained": two bars, same codes, an untrained decoder
    petals: Petals | None = None
    pairs: dict = field(default_factory=dict)  # {claim or "shown": Pair or the reason why there is none}
    seconds: dict = field(default_factory=dict)  # {name: seconds an update}

    def model(self, name: str) -> Reconstruction:
        """A trained model; raises NotTestable where this run has none of that name."""
        if name not in self.models:
            raise NotTestable(f"{name} is not trained here")
        return self.models[name]

    def path(self, name: str) -> Paths:
        """A trained model's interpolations."""
        self.model(name)
        return self.paths[name]


def measure(jobs: dict[str, tuple[training.Model, Config]], config: Config, store: Store, run: Run) -> Measured:
    """Everything of a run: `jobs` are the trained models, {name: (Model, Config)}."""
    placement = store.array("placement") if config.placement == "related" else np.arange(config.genres)
    found = Measured(config, run.seed, store.array("genres").tolist(), np.asarray(placement), store.parameters["facts"])
    for name, job in jobs.items():
        found.models[name] = reconstruction(name, *job, store, run, found.placement)
        found.seconds |= seconds_per_update(name, run)
        if name in train.MODELS:
            found.paths[name] = interpolations(found.models[name], config, run.seed)
    if TWO in found.models:
        keras.utils.set_random_seed(run.seed)
        untrained = train.build(2, False, config, store)
        found.paths["untrained"] = interpolations(found.models[TWO], config, run.seed, untrained)
    if FLOWER in found.models:
        keras.utils.set_random_seed(run.seed)
        untrained = train.build(16, True, config, store)
        found.petals = petals(found.models, untrained, config, run.seed)
        found.pairs = genre_pairs(found, untrained, config)
    return found


def reconstruction(name: str, entry: training.Model, config: Config, store: Store, run: Run,
                   placement: np.ndarray) -> Reconstruction:
    """Load a model and reconstruct its held-out windows."""
    learner = training.load(entry, config, store, run.model_directory(name), run.seed)
    windows = data.windows(store, train.BARS[name], config.shuffled_tags)
    train_rows, held_rows = data.split(config, windows)
    rows = splits.sample(held_rows, config.windows, np.random.default_rng(1))
    tokens = data.as_trained(config, windows, rows)
    codes = inference.encode(learner, tokens, np.random.default_rng([run.seed, 1]))
    answers = inference.answers(learner, codes, windows.steps)
    shown = splits.sample(train_rows, 4 * config.windows, np.random.default_rng(2))
    majority = measures.step_majority(data.as_trained(config, windows, shown))
    guesses = {
        "model": answers,
        "all_hold": np.full_like(tokens, HOLD),
        "step_majority": np.broadcast_to(majority, tokens.shape),
        "mean_code": inference.answers(learner, inference.encode(learner, tokens), windows.steps),
    }
    if name in train.MUSIC_VAE:
        guesses["teacher_forced"] = inference.forced(learner, codes, tokens)
    scores = {guess: measures.window_accuracy(tokens, found) for guess, found in guesses.items()}
    non_hold = measures.non_hold_accuracy(tokens, answers)
    lines = [line for line in training.history(run.model_directory(name)) if line["stage"] == "train"]
    keras.utils.set_random_seed(run.seed)  # the weights that training began with
    untrained = inference.encode(entry.build(config, store), tokens, np.random.default_rng([run.seed, 1]))
    tags = windows.tags[windows.song[rows]]
    distances = prior_distances(config, placement if name in train.FLOWERS else None, tags, codes, untrained, run.seed)
    return Reconstruction(name, learner, windows, train_rows, held_rows, rows, tokens, codes, answers, scores, majority,
                          non_hold, distances, lines)  # fmt: skip


def prior_distances(config: Config, placement: np.ndarray | None, tags: np.ndarray, codes: np.ndarray,
                    untrained: np.ndarray, seed: int) -> dict[str, float]:
    """Sliced Wasserstein distances to a draw of the prior: of the codes, another draw (floor), and four null codes.

    untrained: codes of the same windows by the encoder before its training.
    """
    rng = np.random.default_rng([seed, 7])
    wanted, floor = (train.prior_sample(config, placement, tags, rng) for _ in range(2))
    others = {
        "codes": codes[:, -config.latent :],
        "floor": floor,
        "zeros": np.zeros_like(wanted),
        "point": np.broadcast_to(floor[0], wanted.shape),
        "twice_the_deviation": train.prior_sample(config, placement, tags, rng, spread=2.0),
        "untrained_encoder": untrained[:, -config.latent :],
    }
    return {name: measures.sliced_wasserstein(other, wanted) for name, other in others.items()}


def seconds_per_update(name: str, run: Run) -> dict[str, float]:
    """{name: seconds} from the training log without its first line (it holds the time to compile); {} if too short."""
    path = run.model_directory(name) / "timing.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    lines = [line for line in lines if line["stage"] == "train"][1:]
    return {name: sum(line["seconds"] for line in lines) / sum(line["steps"] for line in lines)} if lines else {}


# Section 4.3


def interpolations(measured: Reconstruction, config: Config, seed: int,
                   learner: training.Learner | None = None) -> Paths:
    """Decode z = (1 - alpha) z1 + alpha z2 for pairs of windows of different songs where there are any.

    learner: whose decoder, the model's own without it; the codes are the model's.

    Equation 19 prints alpha z1 + (1 - alpha) z2, which makes alpha = 0 the second song; text and figure start at the
    first.
    """
    rng = np.random.default_rng([seed, 2])
    n = len(measured.rows)
    song = measured.windows.song[measured.rows]
    one = rng.choice(n, min(config.interpolations, n), replace=False)
    two = np.array(
        [rng.choice(others) if len(others := np.flatnonzero(song != song[k])) else rng.integers(n) for k in one]
    )
    x1, x2 = measured.tokens[one], measured.tokens[two]
    z1, z2 = measured.codes[one], measured.codes[two]
    decoder = learner or measured.learner
    tokens = np.stack([inference.decode_tokens(decoder, (1 - a) * z1 + a * z2) for a in ALPHAS])
    mixed = [np.where(rng.random(x1.shape) < a, x2, x1) for a in ALPHAS]
    return Paths(
        first=np.stack([measures.hamming(t, x1) for t in tokens]),
        second=np.stack([measures.hamming(t, x2) for t in tokens]),
        data=np.stack([measures.hamming(t, x1) for t in mixed]),
        apart=measures.hamming(x1, x2),
        steps=np.stack([measures.hamming(a, b) for a, b in zip(tokens[1:], tokens[:-1], strict=True)]),
        way=measures.hamming(tokens[0], tokens[-1]),
        jumps=measures.largest_share(np.stack([measures.low_level(t)[1] for t in tokens])),
        follows=measures.follows(ALPHAS, tokens, x1, x2),
        data_follows=measures.follows(ALPHAS, mixed, x1, x2),
        tokens=tokens,
        ends=(one, two),
        artists=measured.artists[one],
    )


# Section 4.4


def petals(models: dict[str, Reconstruction], untrained: training.Learner, config: Config, seed: int) -> Petals:
    """Decode `petal_samples` draws of each petal (section 4.4.1) with the flower model, an untrained and a Gaussian
    one.
    """
    rng = np.random.default_rng([seed, 3])
    petal = np.repeat(np.arange(config.petals), config.petal_samples)
    noise = rng.normal(size=(len(petal), config.latent)).astype(np.float32)
    z = np.asarray(prior.flower(noise, petal, config.petals, config.radial_variance, config.other_variance))
    flower = models[FLOWER]
    learners = {"model": flower.learner, "untrained": untrained}
    if GAUSSIAN in models and not train.has_style(False, config):  # the program's decoder takes another code
        learners["gaussian_model"] = models[GAUSSIAN].learner
    tokens = {name: inference.decode_tokens(learner, z) for name, learner in learners.items()}
    names = measures.low_level(tokens["model"])[0]
    values = {name: measures.low_level(found)[1] for name, found in tokens.items()}
    changes = {name: measures.relative_changes(found, petal, config.petals) for name, found in values.items()}
    values["step_majority"] = measures.low_level(flower.majority[None])[1].repeat(len(petal), axis=0)
    values["exchanged_bars"] = measures.low_level(measures.exchanged_bars(flower.tokens, rng))[1]
    return Petals(names, changes, values, tokens["model"], petal)


def genre_pairs(measured: Measured, untrained: training.Learner, config: Config) -> dict[str, Pair | str]:
    """Section 4.4.2: windows with one tag and not the other, `pair_windows` each, on two principal components."""
    wanted = dict(PAIRS)
    drawn = [name for name in measured.names[:3] if name]
    if not set(drawn) >= {"rock", "pop"} and len(drawn) > 1:
        wanted["shown"] = (drawn[0], drawn[1])  # the figure needs some pair, whatever the corpus
    return {claim: _pair(names, measured, untrained, config) for claim, names in wanted.items()}


def _pair(names, measured, untrained, config):
    absent = [name for name in names if name not in measured.names]
    if absent:
        return f"{' and '.join(absent)}: not among the {config.genres} commonest tags"
    model = measured.model(FLOWER)
    tags = model.windows.tags[model.windows.song[model.train_rows]]
    pools = measures.exclusive(tags, *(measured.names.index(name) for name in names))
    fewest = int(np.argmin([len(pool) for pool in pools]))
    if len(pools[fewest]) < config.pair_windows:
        return f"under {config.pair_windows} training windows tagged {names[fewest]} and not {names[1 - fewest]}"
    pools = [splits.sample(pool, 4 * config.pair_windows, np.random.default_rng(4)) for pool in pools]
    rows = model.train_rows[np.concatenate(pools)]
    tokens = data.as_trained(config, model.windows, rows)
    features = {
        name: inference.encode(learner, tokens, np.random.default_rng([measured.seed, 5]))
        for name, learner in (("model", model.learner), ("untrained", untrained))
    }
    genre = np.repeat([0, 1], [len(pool) for pool in pools])
    return pair_of(names, features | {"tokens": measures.token_counts(tokens)}, genre, model.windows.song[rows],
                   config.pair_windows, measured.seed)  # fmt: skip


def pair_of(names: tuple[str, str], features: dict[str, np.ndarray], genre: np.ndarray, song: np.ndarray, size: int,
            seed: int) -> Pair:
    """A Pair from features by name, (n, anything) each: the model's codes and what they are compared with."""
    accuracy = {name: measures.genre_pair_accuracy(found, genre, song, RESAMPLES, size, seed)
                for name, found in features.items()}  # fmt: skip
    spread = {name: measures.spread_ratio(found, genre) for name, found in features.items()}
    spread["exchanged_genres"] = measures.exchanged_spread(features["model"], genre, song, RESAMPLES, seed)
    return Pair(names, features["model"], genre, accuracy, spread)
