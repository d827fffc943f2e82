"""Settings of Symphony2vec: the paper's values, what the authors' program does, sizes for quick runs.

No TensorFlow here. A dagger in reports marks a value the paper leaves open and that was inferred.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from common.config import Divergence

PAPER = "symphony2vec"
TITLE = "Symphony2vec: Learning Musically Meaningful Embeddings for Orchestral Audio Data"
CITATION = "A. K. Yanchenko. Symphony2vec: Learning Musically Meaningful Embeddings for Orchestral Audio Data. 2019."
PROGRAM = "the author's program"
DATA_SETS = ("orchestral",)
TAKES_TOO = ("folder",)  # with DATA=

PROGRAM_COMMIT = "aky4wn/Symphony2vec@38a5660"


@dataclass(frozen=True)
class Config:
    """Every setting, with the paper's value as default; where the paper is silent, the program's."""

    # Data and representations
    sample_rate: int = 22050  # Hz; the program (the paper's 0.023 s per frame agrees)
    clip_seconds: float = 10.0  # sec. 3.1
    fft_size: int = 2048  # samples; the program
    hop: int = 512  # samples; the program: 0.023 s (sec. 3.1)
    mel_bands: int = 64  # sec. 3.1
    mel_top_hz: float = 8000.0  # Hz; the program
    mfcc_coefficients: int = 13  # sec. 3.1
    # kept: every full clip (sec. 3.1) | dropped: the last full clip of each recording is lost
    last_clip: Literal["kept", "dropped"] = "kept"
    # Sec. 3.1, "70%-30%". clips_as_by_work is ours: any clips, as many of them as by_work has on either side.
    split: Literal["without_replacement", "with_replacement", "by_work", "clips_as_by_work"] = "without_replacement"
    train_share: float = 0.7  # sec. 3.1
    split_seed: int = 17  # the program
    # once: one split for every training (the program) | each_seed: with the training's seed added to split_seed
    split_drawn: Literal["once", "each_seed"] = "once"
    # own | dealt (ours): the clips of a work keep one composer, but which is drawn; only the work can be recognised
    composers: Literal["own", "dealt"] = "own"
    # clips that give mean and deviation: all (the program; sec. 3.1 names none) | train
    normalise_over: Literal["all", "train"] = "all"
    # whole: one training set (sec. 3.1) | subsets: three parts, one after the other | first_subset: the first alone
    mel_training: Literal["whole", "subsets", "first_subset"] = "whole"
    # Classifiers, sec. 3.2
    classifier_epochs: int = 10  # sec. 3.2
    batch_size: int = 32  # the program; the paper names none outside ALI
    # softmax and cross entropy (sec. 3.2) | double_softmax
    classifier_loss: Literal["softmax", "double_softmax"] = "softmax"
    weight_decay: float = 1e-4  # sec. 3.2 and 3.3: "10e-5"
    feed_forward_units: tuple[int, ...] = (1024, 512, 256, 64)  # sec. 3.2
    feed_forward_learning_rate: float = 1e-4  # sec. 3.2
    cnn_learning_rate: float = 1e-3  # sec. 3.2
    cnn_pooling: Literal["table_2", "program"] = "table_2"  # of the mel CNN: table_2 | program
    lstm_units: int = 5  # sec. 3.2
    lstm_steps: int = 36  # frames per chunk, sec. 3.2
    lstm_epochs: int = 10  # sec. 3.2
    lstm_optimizer: Literal["one", "per_representation"] = "one"  # one: 1e-3, no decay (sec. 3.2) | per_representation
    # time_steps: 36 steps of one chunk (sec. 3.2) | reinterpreted
    lstm_input: Literal["time_steps", "reinterpreted"] = "time_steps"
    # dense layer on the last state (sec. 3.2 does not say) | hidden_state
    lstm_scores: Literal["dense", "hidden_state"] = "dense"
    # Autoencoders, sec. 3.3
    autoencoder_units: tuple[int, ...] = (1024, 512, 256, 128)  # sec. 3.3
    code_size: int = 40  # sec. 3.3
    autoencoder_epochs: int = 10  # sec. 3.3
    autoencoder_learning_rate: float = 1e-3  # sec. 3.3
    autoencoder_output: Literal["tanh", "linear"] = "tanh"  # sec. 3.3 | linear
    contractive_penalty: Literal["jacobian", "no_gradient"] = "jacobian"  # [27] of sec. 3.3 | no_gradient
    contractive_factor: float = 1e-4  # the program; the paper names none
    vae_epochs: int = 100  # sec. 3.3
    vae_learning_rate: float = 1e-3  # sec. 3.3
    # sec. 3.3 | tenth_after_5: a tenth of the rate from the sixth epoch on
    vae_schedule: Literal["constant", "tenth_after_5"] = "constant"
    # of a sigmoid output (sec. 3.3) | library_bernoulli | gaussian: linear output
    vae_likelihood: Literal["bernoulli", "library_bernoulli", "gaussian"] = "bernoulli"
    # what is classified: mean, 40 values (sec. 3.3) | mean_and_log_variance
    vae_code: Literal["mean", "mean_and_log_variance"] = "mean"
    # one PCA of the training clips (sec. 3.3) | each_set: another one for each set of clips
    pca_fit: Literal["train", "each_set"] = "train"
    # ALI, sec. 3.4
    ali_width: int = 32  # maps of the first layer, Table 6; the others keep their ratio to it
    ali_deviation: float = 0.02  # of the weights at the start, sec. 3.4
    # both gradients at the weights before the step ([8] of sec. 3.4) | in_turn
    ali_update: Literal["simultaneous", "in_turn"] = "simultaneous"
    ali_epochs: int = 50  # sec. 3.4
    ali_batch_sizes: tuple[int, ...] = (64,)  # sec. 3.4; one per stage of mel_training
    ali_learning_rate: float = 1e-5  # sec. 3.4
    ali_encoder_factor: float = 1.0  # ours: the encoder's learning rate over the generator's
    ali_reconstruction: float = 0.0  # ours: weight of the squared error of G(E(x)) in the loss of encoder and generator
    ali_beta_1: float = 0.9  # sec. 3.4
    discriminator_normalization: bool = False  # Table 6
    ali_gate: float = 0.0  # D learns only while the generator's loss is below this; 0: always (sec. 3.4 names none)
    instance_noise: float = 0.0  # deviation at the start of noise on D's images; sec. 3.4 names none
    # start of the generator's pixel bias: zeros (sec. 3.4) | log_odds of the first batch
    pixel_bias: Literal["zeros", "log_odds"] = "zeros"
    # what ALI sees: z_score (the program; sec. 3.1 "normalized") | unit: [0, 1]
    crop_scale: Literal["z_score", "unit"] = "z_score"
    # what is classified: mean of z (sec. 4) | mean_and_log_deviation
    ali_code: Literal["mean", "mean_and_log_deviation"] = "mean"
    # of batch normalisation after training: running | batch (of the evaluation batch)
    ali_statistics: Literal["running", "batch"] = "running"
    ali_log_every: int = 10  # ours: steps per point of the loss curves
    ablations: bool = False  # ours: also train what might make ALI learn inference (ABLATIONS below)
    # Amounts of evaluation
    regression_iterations: int = 5000  # the program: 1000 to 11000
    latent_samples: int = 1000  # ours: generated images per measure of spread
    directions: int = 100  # ours: random directions of the path from the origin (Q14)


def _program(notebook):
    return f"{PROGRAM_COMMIT} Code/{notebook}.ipynb"


DIVERGENCES = (
    Divergence("last_clip", paper="kept", code="dropped", sound="kept", paper_source="sec. 3.1: non-overlapping clips",
               code_source=_program("Audio_Pre-Processing"), sound_reason="nothing speaks for losing data"),
    Divergence("split", paper="without_replacement", code="with_replacement", sound="by_work", inferred=True,
               paper_source="sec. 3.1: 70 to 30; the printed sizes 5366 + 3842 exceed the 7665 clips that exist",
               code_source=_program("FF-Baseline"), decides=("C-T3-CNN-m", "C-T3-CNN-s", "Q3"),
               effects=("with_replacement", "by_work"),
               sound_reason="clips of one work on both sides let a model recognise the recording"),
    Divergence("split_drawn", paper="once", code="once", sound="each_seed", inferred=True,
               paper_source="sec. 3.1: one split", code_source=_program("FF-Baseline"),
               sound_reason="an interval over one split says nothing of other works that might have been held out"),
    Divergence("normalise_over", paper="all", code="all", sound="train", inferred=True,
               paper_source="sec. 3.1: normalized prior to modeling", code_source=_program("Audio_Pre-Processing"),
               sound_reason="test clips must not enter the training data's scale"),
    Divergence("mel_training", paper="whole", code="subsets", sound="whole", paper_source="sec. 3.1 to 3.4: one set",
               code_source=_program("FF-Baseline"), sound_reason="one test set for all models"),
    Divergence("feed_forward_units", paper=(1024, 512, 256, 64), code=(1024, 512, 256, 128, 64),
               sound=(1024, 512, 256, 64), paper_source="sec. 3.2", code_source=_program("FF-Baseline"),
               sound_reason="the printed network is no fault"),
    Divergence("classifier_loss", paper="softmax", code="double_softmax", sound="softmax", paper_source="sec. 3.2",
               code_source=_program("FF-Baseline"),
               sound_reason="a softmax of a softmax cannot fall below 0.905"),
    Divergence("weight_decay", paper=1e-4, code=1e-5, sound=1e-5, paper_source='sec. 3.2: "10e-5"',
               code_source=_program("CNNs-Baseline"), sound_reason="10e-5 reads as a slip for 1e-5"),
    Divergence("cnn_pooling", paper="table_2", code="program", sound="table_2", paper_source="Table 2",
               code_source=_program("CNNs-Baseline"), sound_reason="the printed network is no fault"),
    Divergence("lstm_optimizer", paper="one", code="per_representation", sound="one", paper_source="sec. 3.2",
               code_source=_program("LSTM-Baseline"), sound_reason="the printed rate is no fault"),
    Divergence("lstm_input", paper="time_steps", code="reinterpreted", sound="time_steps",
               paper_source="sec. 3.2: many-to-one on 36 time steps", code_source=_program("LSTM-Baseline"),
               decides=("Q5-chroma", "Q5-mfcc", "Q5-mel"), sound_reason="the program's sequences mix 32 clips"),
    Divergence("lstm_scores", paper="dense", code="hidden_state", sound="dense", inferred=True,
               paper_source="sec. 3.2 does not say how five hidden values become classes",
               code_source=_program("LSTM-Baseline"), sound_reason="a value in (-1, 1) cannot be a confident score"),
    Divergence("autoencoder_output", paper="tanh", code="tanh", sound="linear", paper_source="sec. 3.3",
               code_source=_program("AE_CAE_PCA"), sound_reason="tanh cannot reach z-scores beyond 1"),
    Divergence("contractive_penalty", paper="jacobian", code="no_gradient", sound="jacobian",
               paper_source="sec. 3.3, its [27]", code_source=_program("AE_CAE_PCA"), decides=("Q9-chroma",),
               sound_reason="the program's penalty changes no weight"),
    Divergence("vae_schedule", paper="constant", code="tenth_after_5", sound="constant", paper_source="sec. 3.3",
               code_source=_program("VAE"), sound_reason="the printed rate is no fault"),
    Divergence("vae_likelihood", paper="bernoulli", code="library_bernoulli", sound="gaussian", inferred=True,
               paper_source="sec. 3.3: sigmoid output, loss of [15]",
               code_source=_program("VAE") + ", with its library's rule for the log of 0",
               sound_reason="a Bernoulli likelihood of z-scores has no lower bound and a sigmoid cannot reach them"),
    Divergence("vae_code", paper="mean", code="mean_and_log_variance", sound="mean", paper_source="sec. 3.3: 40 values",
               code_source=_program("VAE"), sound_reason="40 values for every embedding"),
    Divergence("pca_fit", paper="train", code="each_set", sound="train", paper_source="sec. 3.3",
               code_source=_program("AE_CAE_PCA"), decides=("Q7-VAE-mfcc",),
               sound_reason="train and test codes must share their axes"),
    Divergence("ali_beta_1", paper=0.9, code=0.5, sound=0.5, paper_source="sec. 3.4",
               code_source=_program("ALI-spec-32x32-128"), sound_reason="the value of ALI's own authors"),
    Divergence("ali_update", paper="simultaneous", code="in_turn", sound="simultaneous", inferred=True,
               paper_source="sec. 3.4: not mentioned; ALI's authors: simultaneous",
               code_source=_program("ALI-spec-32x32-128"),
               sound_reason="the generator's gradient through a discriminator that has moved is that of neither"),
    Divergence("ali_batch_sizes", paper=(64,), code=(64, 16, 32), sound=(64,), paper_source="sec. 3.4",
               code_source=_program("ALI-spec-32x32-128"), sound_reason="the printed size is no fault"),
    Divergence("discriminator_normalization", paper=False, code=True, sound=True, paper_source="Table 6",
               code_source=_program("ALI-spec-32x32-128"),
               sound_reason="without it images, nearly all offset, vanish in D over five layers; ALI's SVHN network"),
    Divergence("ali_gate", paper=0.0, code=3.5, sound=0.0, paper_source="sec. 3.4: not mentioned",
               code_source=_program("ALI-spec-32x32-128"), decides=("Q11-discriminator",),
               sound_reason="the gate, not the game, sets the plateau that the paper reads as convergence"),
    Divergence("instance_noise", paper=0.0, code=0.1, sound=0.0, paper_source="sec. 3.4: not mentioned",
               code_source=_program("ALI-spec-32x32-128"), sound_reason="not in the paper nor in ALI"),
    Divergence("pixel_bias", paper="zeros", code="log_odds", sound="log_odds", paper_source="sec. 3.4: biases 0",
               code_source=_program("ALI-spec-32x32-128"),
               sound_reason="ALI's own start; with data in [0, 1] no pixel starts saturated"),
    Divergence("crop_scale", paper="z_score", code="z_score", sound="unit", inferred=True,
               paper_source="sec. 3.1: normalized; Table 6: sigmoid output",
               code_source=_program("ALI-spec-32x32-128"), decides=("Q1-VAE", "Q13-256"),
               sound_reason="a sigmoid spans 16.8 of the 80 dB: D can tell real from generated by range alone"),
    Divergence("ali_code", paper="mean", code="mean_and_log_deviation", sound="mean", inferred=True,
               paper_source="sec. 4: embedding of dimension LD", code_source=_program("ALI-spec-32x32-128"),
               sound_reason="LD values, as for the other embeddings"),
    Divergence("ali_statistics", paper="running", code="batch", sound="running", inferred=True,
               paper_source="not mentioned", code_source=_program("ALI-spec-32x32-128"),
               sound_reason="a code must not depend on the other clips of its batch"),
)

PRESETS = {
    "smoke": dict(
        classifier_epochs=1, lstm_epochs=1, autoencoder_units=(32, 16), autoencoder_epochs=1, vae_epochs=2, ali_width=2,
        ali_epochs=1, latent_samples=32, directions=4, regression_iterations=100,
    ),
    "demo": dict(
        lstm_epochs=8, autoencoder_units=(256, 128, 64, 32), vae_epochs=20, ali_width=8, ali_epochs=100,
        ali_learning_rate=1e-4,  # a tenth of that is too little for weights and steps of a quarter of the inputs
        latent_samples=200, directions=20, regression_iterations=1000,
    ),
    "full": {},
}

# Sizes at which real data decides findings. The paper's epochs are few and not cut. The program's regressions run 1,000
# to 11,000 iterations; images and directions drawn from ALI may be a fifth. By work three tenths are held out: 27 works
# leave the eight that an interval takes (common/intervals.py).
ENOUGH = {"classifier_epochs": 10, "lstm_epochs": 10, "autoencoder_epochs": 10, "vae_epochs": 100, "ali_epochs": 50,
          "regression_iterations": 1000, "latent_samples": 200, "directions": 20, "groups": 27}

PUBLISHED_ROWS = {"orchestral": 7665}  # clips that the paper's recordings give (the program); sizes of common.estimate

REPRESENTATIONS = ("chroma", "mfcc", "mel")  # sec. 3.1
LATENT_SIZES = (256, 128, 40)  # sec. 3.4


@dataclass(frozen=True)
class Description:
    """A model of the paper: its kind, what it sees (chroma, mfcc, mel or the crop), ALI's latent dimension.

    A twin of a model (`of`) differs from it in `changes`, settings of its own (field, value), or in `factors`, settings
    that are so many times as large (field, factor).
    """

    name: str
    kind: str  # ff | perceptron | cnn | lstm | encoder | ae | cae | vae | ali | pca
    representation: str
    latent_size: int = 0
    of: str = ""
    changes: tuple[tuple[str, object], ...] = ()
    factors: tuple[tuple[str, float], ...] = ()

    def settings(self, config: Config) -> Config:
        """A run's settings as this model takes them."""
        scaled = {name: type(getattr(config, name))(getattr(config, name) * factor) for name, factor in self.factors}
        return replace(config, **dict(self.changes) | scaled)  # type: ignore[arg-type]

    def twin(self, word: str, **changes: Any) -> "Description":
        """The model under another name, with settings of its own."""
        return replace(self, name=f"{self.name}-{word}", of=self.name, changes=tuple(changes.items()))

    @property
    def own_split(self) -> bool:
        """Whether it trains and is judged on other clips, or other composers, than the run's."""
        return bool({"split", "composers"} & dict(self.changes).keys())


SUPERVISED = ("ff", "cnn", "lstm", "encoder")  # kinds whose training sees composers
GATES = (2.5, 4.5)  # thresholds beside the program's 3.5 (Q11)
ABLATIONS = {  # what might make ALI learn inference: (field, factor); the last is a term that the paper does not have
    "longer": ("ali_epochs", 4.0), "faster": ("ali_learning_rate", 3.0), "wider": ("ali_width", 2.0),
    "encoder": ("ali_encoder_factor", 5.0), "reconstruction": ("ali_reconstruction", 1.0)}  # fmt: skip


def _tables():
    """The rows of Tables 3, 4, 5 and 7 and of the text of section 4."""
    found = [Description(f"{kind}-{seen}", kind, seen) for seen in REPRESENTATIONS
             for kind in ("ff", "cnn", "lstm", "ae", "cae", "vae", "pca")]  # fmt: skip
    found += [Description("ff-32", "ff", "crop"), Description("encoder-32", "encoder", "crop", 128)]
    return found + [Description(f"ali-{size}", "ali", "crop", size) for size in LATENT_SIZES]


def _leak(rows):
    """Twins with clips of one work on both sides, as many of them, and with composers dealt to whole works.

    Where training sees no composer the dealt ones need no training of their own: only the regression on the codes does.
    """
    for one in rows:
        yield one.twin("clips", split="clips_as_by_work")
        if one.kind in SUPERVISED:
            yield one.twin("dealt", composers="dealt")
            yield replace(one.twin("clips-dealt", split="clips_as_by_work", composers="dealt"), of=f"{one.name}-clips")


def _described():
    rows = _tables()
    ali = next(one for one in rows if one.name == "ali-128")
    found = rows + [Description(f"perceptron-{seen}", "perceptron", seen) for seen in ("chroma", "mfcc")]
    found += [*_leak(rows), *(ali.twin(f"gate-{gate:g}", ali_gate=gate, mel_training="first_subset") for gate in GATES)]
    found += [replace(ali.twin(word), factors=((field, factor),)) if word != "reconstruction"
              else ali.twin(word, ali_reconstruction=factor) for word, (field, factor) in ABLATIONS.items()]
    return {one.name: one for one in found}


MODELS = _described()  # PCA among them, which is fitted when it is measured
TABLES = tuple(one.name for one in _tables())

LEAK = tuple(one.name for one in MODELS.values() if one.own_split and one.kind != "pca")
# Quick runs: of ALI the twin of LD 128 alone, composers dealt to the CNNs and to the networks on the crop.
DEMO_LEAK = tuple(name for name in LEAK if MODELS[name].latent_size in (0, 128)
                  and ("dealt" not in name or MODELS[name].kind in ("cnn", "encoder") or name.startswith("ff-32")))
SMOKE_LEAK = ("cnn-mel-clips", "cnn-mel-dealt", "cnn-mel-clips-dealt", "vae-mel-clips")
GATED = tuple(f"ali-128-gate-{gate:g}" for gate in GATES)
CONTROL = ("ali-128-reconstruction",)  # that the measure of inference says yes where inference is learnt
ABLATED = tuple(f"ali-128-{word}" for word in ABLATIONS if f"ali-128-{word}" not in CONTROL)
HEADLINE = tuple(name for name in TABLES if MODELS[name].kind in ("cnn", "lstm", "vae")) + ("ali-128",)
PROGRAM_ONLY = tuple(one.name for one in MODELS.values() if one.kind == "perceptron")  # not in the paper
OTHERS = tuple(name for name in TABLES if MODELS[name].kind != "pca" and name not in HEADLINE)


def trained_models(run: Any) -> tuple[str, ...]:
    """Names of the models that a run (of which `follow` and `preset` are read) trains, with `ablations` or without.

    All of them in `full`; quick runs leave some out of some modes.

    The chromagram's AE and CAE stay in the program's mode, to see that they end with equal weights; so do the other
    thresholds of its gate. What the split by clips is worth is measured in `sound`.
    """
    if run.preset == "full":
        return HEADLINE + OTHERS + ABLATED + {"sound": LEAK + CONTROL, "code": GATED + PROGRAM_ONLY}.get(run.follow, ())
    leak = DEMO_LEAK if run.preset == "demo" else SMOKE_LEAK
    quick = {"sound": OTHERS + leak + CONTROL, "code": GATED + ("ae-chroma", "cae-chroma")}
    return HEADLINE + ABLATED + quick.get(run.follow, ())
