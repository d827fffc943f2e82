"""MusAE's settings: the paper's values with their sources, where text, program and sound practice part, and the sizes.

Valenti, Carta, Bacciu: Learning a Latent Space of Style-Aware Symbolic Music Representations by Adversarial
Autoencoders. ECAI 2020. arXiv 2001.05494.
"""

from dataclasses import dataclass
from typing import Literal

from common.config import Divergence

PAPER = "musae"
TITLE = "Learning a Latent Space of Style-Aware Symbolic Music Representations by Adversarial Autoencoders"
CITATION = "Andrea Valenti, Antonio Carta, Davide Bacciu. ECAI 2020. arXiv:2001.05494"
PROGRAM = "the authors' program"
DATA_SETS = ("lmd_matched",)


@dataclass(frozen=True)
class Config:
    """One run. Every default is the paper's value; what stands beside it is where the paper says so."""

    # data
    quantiser: Literal["pypianoroll", "complete"] = "pypianoroll"  # sec. 4.1; "complete" keeps every note
    time_signature: Literal["one", "any_4_4"] = "one"  # sec. 4.1: one event, 4/4
    silence_limit: int = 16  # sec. 4.1: at most one bar (16 steps) of consecutive silence in every track
    deduplicate: bool = True  # sec. 4.1: all unique sequences
    transposition: Literal["training", "frozen"] = "training"  # sec. 4.1; "frozen": drawn once a window
    split: Literal["window", "artist", "released"] = "window"  # sec. 4.1: 20 % of the samples
    validation_share: float = 0.2  # sec. 4.1
    genres: int = 32  # sec. 3.3: the 32 most frequent tags
    max_songs: int = 0  # ours: read the first N files only; 0 is all
    # networks
    latent: int = 512  # sec. 3.2.1: N_z
    depth: int = 3  # sec. 3.2.1 and 3.2.2: three LSTM layers
    encoder_units: int = 512  # per direction: 512 + 512 = N_h = 1024 (eq. 8)
    decoder_units: int = 1024  # sec. 3.2: N_h
    critic_units: int = 1024  # sec. 3.2.3: N_h
    input_low: float = 0.0  # sec. 3.1: binary states, sec. 4.3: Bernoulli matrices; what stands for a state that is off
    decoder_start: Literal["per_track", "shared_tanh"] = "per_track"  # eq. 11: one linear start per track
    conditional_critic: bool = False  # sec. 3.2.3, eq. 4 to 6: the critic sees codes, no label; the program's sees it
    style_branch: bool = False  # absent from the paper; the program's Gaussian model has one
    # prior
    petals: int = 32  # eq. 14: n = 32
    radial_variance: float = 0.1  # sec. 3.3: a_1
    other_variance: float = 0.001  # sec. 3.3: a_2
    placement: Literal["related", "frequency"] = "related"  # sec. 3.3: related genres close by
    # training
    adversarial: Literal["two_phases", "joint"] = "two_phases"  # sec. 2.2; "joint": one compiled loss
    critic_scaled: bool = True  # eq. 3: beta weighs all of the WGAN-GP loss, so the critic rests while beta is 0
    gradient_penalty: float = 10.0  # eq. 6: lambda, no value printed; the program's 10
    beta_step: float = 0.1  # sec. 4.1
    beta_every: int = 10_000  # sec. 4.1: updates between two rises of beta
    beta_after: int = 0  # updates before beta's clock starts
    beta_max: float = 1.0  # sec. 4.1
    learning_rate: float = 1e-4  # sec. 4.1: Adam
    decay: float = 1e-4  # sec. 4.1: after t updates the rate is learning_rate / (1 + decay t), Keras 2's `decay`
    clip_norm: float = 0.0  # the paper clips nothing; the program's global norm comes first
    clip_value: float = 0.0  # as above; the program then limits each entry
    batch_size: int = 256  # sec. 4.1
    batch_size_16bar: int = 0  # ours: another batch size for the 16-bar models; 0 is the same
    updates_2bar: int = 120_000  # not in the paper: enough for beta to reach 1 at 100,000
    updates_16bar: int = 120_000  # as above
    updates_lead_in: int = 0  # ours, demo: the 16-bar models first see two bars at a time, beta 0, for so many updates
    log_every: int = 500  # ours
    models: tuple[str, ...] = ("2bar-gaussian", "16bar-gaussian", "16bar-flower")  # sec. 4.1: these three
    music_vae: Literal["quoted", "measured"] = "quoted"  # Table 1 quotes its columns; "measured": trained here as well
    music_vae_rate: float = 1e-3  # Roberts et al. 2018: the rate that their Adam begins with
    kl_weight: float = 0.2  # Roberts et al. 2018: the beta of their 16-bar models, and where that of 2 bars ends
    ablations: bool = False  # ours: also train `train.ABLATIONS`, controls of the flower and sweeps of section 4.2
    shuffled_tags: bool = False  # ours, a control: every song carries another song's tags
    restart: int = 0  # ours, a control: other weights to begin with and another order of the windows, same run
    # evaluation
    windows: int = 4096  # ours: held-out windows that Table 1 is measured on, at most
    interpolations: int = 256  # sec. 4.3, Fig. 4
    petal_samples: int = 256  # sec. 4.4.1: latent vectors per Gaussian
    pair_windows: int = 128  # sec. 4.4.2: windows per genre of a pair


# Links to the program: github.com/Andrea-V/MusAE at dfb9d06 (2019-11-25).
DIVERGENCES = (
    Divergence(
        "adversarial",
        paper="two_phases",
        code="joint",
        sound="two_phases",
        paper_source="sec. 2.2, eq. 3",
        code_source="Andrea-V/MusAE@dfb9d06 train_gm.py",
        decides=("Q9", "Q9-wasserstein"),
        sound_reason="in the joint loss the encoder's adversarial terms cancel",
    ),
    Divergence(
        "conditional_critic",
        paper=False,
        code=True,
        sound=True,
        paper_source="sec. 3.2.3, eq. 4 to 6",
        code_source="Andrea-V/MusAE@dfb9d06 discriminators.py",
        decides=("Q9",),
        sound_reason="without the label tags only set proportions, and no genre can be led to its petal",
    ),
    Divergence(
        "critic_scaled",
        paper=True,
        code=True,
        sound=False,
        paper_source="eq. 3",
        code_source="Andrea-V/MusAE@dfb9d06 train_gm.py",
        decides=("Q9-wasserstein",),
        sound_reason="a critic that has seen nothing when beta rises pushes codes anywhere",
    ),
    Divergence(
        "split",
        paper="window",
        code="released",
        sound="artist",
        paper_source="sec. 4.1",
        code_source="Andrea-V/MusAE@dfb9d06 train_gm.py",
        decides=("T1-gaussian", "T3-flower"),
        sound_reason="windows of one song overlap by all but one bar, tags belong to artists",
    ),
    Divergence(
        "quantiser",
        paper="pypianoroll",
        code="pypianoroll",
        sound="complete",
        paper_source="sec. 4.1",
        code_source="Andrea-V/MusAE@dfb9d06 dataset.py",
        decides=("T2-gaussian",),
        sound_reason="pypianoroll drops short notes and all but the last of fast repeated ones",
    ),
    Divergence(
        "decoder_start",
        paper="per_track",
        code="shared_tanh",
        sound="per_track",
        paper_source="eq. 11",
        code_source="Andrea-V/MusAE@dfb9d06 decoders.py",
        decides=("T1-gaussian", "T3-flower"),
        sound_reason="as the paper",
    ),
    Divergence(
        "input_low",
        paper=0.0,
        code=-1.0,
        sound=0.0,
        paper_source="sec. 3.1, 4.3: binary states",
        inferred=True,
        code_source="Andrea-V/MusAE@dfb9d06 dataset.py",
        decides=("T1-gaussian", "T2-gaussian"),
        sound_reason="as the paper; inputs of -1 let one update of Adam move a gate by 520 learning rates",
    ),
    Divergence(
        "placement",
        paper="related",
        code="frequency",
        sound="related",
        paper_source="sec. 3.3",
        code_source="Andrea-V/MusAE@dfb9d06 config.py: label_permutation is never read",
        inferred=True,
        sound_reason="as the paper; the authors' order is lost, so tags that occur together become neighbours",
    ),
    Divergence(
        "petals",
        paper=32,
        code=33,
        sound=32,
        paper_source="eq. 14",
        code_source="Andrea-V/MusAE@dfb9d06 train_gm.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "style_branch",
        paper=False,
        code=True,
        sound=False,
        paper_source="sec. 3.2",
        code_source="Andrea-V/MusAE@dfb9d06 train.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "decoder_units",
        paper=1024,
        code=512,
        sound=1024,
        paper_source="sec. 3.2.1",
        code_source="Andrea-V/MusAE@dfb9d06 config.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "critic_units",
        paper=1024,
        code=512,
        sound=1024,
        paper_source="sec. 3.2.3",
        code_source="Andrea-V/MusAE@dfb9d06 config.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "learning_rate",
        paper=1e-4,
        code=1e-5,
        sound=1e-4,
        paper_source="sec. 4.1",
        code_source="Andrea-V/MusAE@dfb9d06 config.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "decay",
        paper=1e-4,
        code=0.0,
        sound=1e-4,
        paper_source="sec. 4.1",
        inferred=True,
        code_source="Andrea-V/MusAE@dfb9d06 train_gm.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "clip_norm",
        paper=0.0,
        code=1.0,
        sound=1.0,
        paper_source="sec. 4.1 names no clipping",
        code_source="Andrea-V/MusAE@dfb9d06 config.py",
        inferred=True,
        decides=("T1-gaussian",),
        sound_reason="one batch cannot undo many",
    ),
    Divergence(
        "clip_value",
        paper=0.0,
        code=0.5,
        sound=0.5,
        paper_source="sec. 4.1 names no clipping",
        code_source="Andrea-V/MusAE@dfb9d06 config.py",
        inferred=True,
        sound_reason="one batch cannot undo many",
    ),
    Divergence(
        "updates_16bar",
        paper=120_000,
        code=500_000,
        sound=120_000,
        paper_source="sec. 4.1 gives no number: enough for beta to reach 1 at 100,000",
        code_source="Andrea-V/MusAE@dfb9d06 config.py: 100 epochs of about 5,000 updates",
        inferred=True,
        sound_reason="as the paper",
    ),
    Divergence(
        "batch_size",
        paper=256,
        code=16,
        sound=256,
        paper_source="sec. 4.1",
        code_source="Andrea-V/MusAE@dfb9d06 config.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "beta_every",
        paper=10_000,
        code=5_000,
        sound=10_000,
        paper_source="sec. 4.1",
        code_source="Andrea-V/MusAE@dfb9d06 config.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "beta_after",
        paper=0,
        code=2,
        sound=0,
        paper_source="sec. 4.1",
        code_source="Andrea-V/MusAE@dfb9d06 train_gm.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "beta_max",
        paper=1.0,
        code=0.2,
        sound=1.0,
        paper_source="sec. 4.1",
        code_source="Andrea-V/MusAE@dfb9d06 config.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "time_signature",
        paper="one",
        code="any_4_4",
        sound="one",
        paper_source="sec. 4.1",
        code_source="Andrea-V/MusAE@dfb9d06 dataset.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "silence_limit",
        paper=16,
        code=15,
        sound=16,
        paper_source="sec. 4.1",
        code_source="Andrea-V/MusAE@dfb9d06 dataset.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "deduplicate",
        paper=True,
        code=False,
        sound=True,
        paper_source="sec. 4.1",
        code_source="Andrea-V/MusAE@dfb9d06 dataset.py",
        sound_reason="as the paper",
    ),
    Divergence(
        "music_vae",
        paper="quoted",
        code="quoted",
        sound="measured",
        paper_source="Table 1: from Roberts et al. 2018, other tokens, pitch rule and data",
        code_source="Andrea-V/MusAE@dfb9d06 has none",
        sound_reason="asked once on equal terms: same tokens, songs, encoder, updates",
    ),
    Divergence(
        "transposition",
        paper="training",
        code="frozen",
        sound="training",
        paper_source="sec. 4.1",
        inferred=True,
        code_source="Andrea-V/MusAE@dfb9d06 dataset.py",
        sound_reason="as the paper",
    ),
)

_SMALL = {
    "depth": 1,
    "windows": 512,
    "interpolations": 64,
    "petal_samples": 32,
    "pair_windows": 64,
}
PRESETS = {
    # A minute: the same path for tests and a first look.
    "smoke": {
        **_SMALL,
        "latent": 8,
        "encoder_units": 6,
        "decoder_units": 8,
        "critic_units": 16,
        "batch_size": 8,
        "updates_2bar": 6,
        "updates_16bar": 4,
        "updates_lead_in": 2,
        "beta_every": 1,
        "log_every": 2,
        "windows": 32,
        "interpolations": 8,
        "petal_samples": 4,
        "pair_windows": 16,
        "max_songs": 40,
    },
    # Minutes on two cores. Rate and decay belong to the number of updates: at 1e-4 so few would show nothing. From
    # scratch sixteen bars stay at one constant answer for hundreds of updates (README, what you will see): a lead-in.
    "demo": {
        **_SMALL,
        "latent": 32,
        "encoder_units": 32,
        "decoder_units": 64,
        "critic_units": 64,
        "batch_size": 64,
        "batch_size_16bar": 32,
        "log_every": 50,
        "updates_2bar": 1600,
        "updates_16bar": 300,
        "updates_lead_in": 1200,
        "beta_every": 200,
        "learning_rate": 1e-2,
        "music_vae_rate": 1e-2,
        "decay": 1e-3,
    },
    "full": {},
}
# The 16-bar Gaussian is there to be compared with the flower; minutes suffice for one such comparison, in `sound`.
PRESETS_BY_MODE = {("demo", mode): {"models": ("2bar-gaussian", "16bar-flower")} for mode in ("code", "paper")}

# Sizes at which real data decides findings. The paper's beta is at its end after 100,000 updates: fewer train another
# model. Amounts of measuring may be an eighth: intervals say what that costs. Ten artists for each of the 32 tags.
ENOUGH = {"updates_2bar": 120_000, "updates_16bar": 120_000, "windows": 512, "interpolations": 32, "petal_samples": 32,
          "pair_windows": 16, "max_songs": 320, "log_every": 1, "groups": 320}
