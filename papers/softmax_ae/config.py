"""Settings of "Latent Feature Extraction for Musical Genres from Raw Audio" (Stanford CS229, December 2018).

Defaults are the paper's; where it is silent they are the best reading, marked "inferred". No TensorFlow here.
"""

from dataclasses import dataclass
from typing import Literal

from common.config import Divergence

PAPER = "softmax_ae"
TITLE = "Deep Softmax Autoencoder: musical style encodings from raw audio"
CITATION = ('Arjun Sawhney, Vrinda Vasavada, Woody Wang: "Latent Feature Extraction for Musical Genres from Raw '
            'Audio". CS229 project report, Stanford University, December 2018.')
PROGRAM = "the authors' program"  # arjunsawknee/Genre-Extraction@00b1802, of the week before the report
DATA_SETS = ("gtzan",)
TAKES_TOO = ("medley_solos_db", "folder")  # with DATA=
GENRES = ("classical", "jazz", "metal", "pop")  # softmaxautoencoder.py: codes 0 to 3

POOL_ABLATION = (1, 10, 40)  # proposition R13
ALONE = "classifier_alone"  # the model of a run that is the DSAE's twin without the reconstruction (gamma = 0)
LONGER = "twice_the_epochs"  # the DSAE's twin that trains twice as long


@dataclass(frozen=True)
class Config:
    """Every setting, with its source beside it."""

    sample_rate: int = 22050  # sec. 3: "native sampling rate of 22.05 kHz"
    loaded_samples: int = 600_000  # program: the first 600,000 samples of a track are read
    used_samples: int = 400_000  # program: 10,000 of the 15,000 pooled values are cut into segments
    segment_samples: int = 20_000  # sec. 3: "each of the original samples was in R^20,000"; 0.907 s
    pool: int = 40  # sec. 3: average pooling with a pool size of 40; 500 values a segment
    # sec. 3: random 6000-1000-1000 over segments; P2 6000-2000; T1 by track; T2 fault-filtered
    split: Literal["P1", "P2", "T1", "T2"] = "P1"
    standardise: bool = False  # sec. 3: no feature engineering; the program scales nothing
    hidden: int = 128  # sec. 4.1: one hidden layer in R^128, tanh
    bottleneck: int = 64  # sec. 4.2: f maps R^500 to R^64
    # inferred: the program's sigmoid, tanh and ReLU; or one for all hidden layers
    activation: Literal["program", "elu", "wide_elu"] = "program"
    bottleneck_output: Literal["relu", "linear"] = "relu"  # inferred: the paper does not say; relu in the program
    decoder_output: Literal["relu", "linear"] = "relu"  # inferred: the paper does not say; relu in the program
    keep_probability: float = 0.9  # sec. 5.1: "final keep probability of 0.9 after tuning"
    gamma: float = 0.9  # sec. 4.3: weight of the reconstruction; 1 - gamma that of the cross-entropy
    reconstruction_weight: float = 1.0  # inferred: factor on gamma * reconstruction; eq. 3 has none
    reconstruction: Literal["sum", "mean"] = "sum"  # eq. 2 and 3: squared norm, a sum over 500 entries; or their mean
    learning_rate: float = 1e-4  # inferred: Adam, 1e-4 in the program; the paper is silent
    batch_size: int = 512  # program: 12 steps an epoch, the last of 368; the paper is silent
    fewest_batches: int = 12  # ours: fewer examples than GTZAN's make smaller batches, not fewer updates an epoch
    epochs: int = 200  # inferred: 200 for both classifiers in the program; Figure 3 is lost
    autoencoder_epochs: int = 400  # inferred: encoder.py runs 400
    autoencoder_data: Literal["train", "all"] = "train"  # inferred: the program trains its vanilla autoencoder on all
    reshuffle: bool = False  # inferred: batches are identical in every epoch, as in the program; or a new order each
    # inferred: dropout off, after the last epoch; or the running count inside it
    train_accuracy: Literal["afterwards", "in_epoch"] = "afterwards"
    axes: Literal["drawn", "train"] = "drawn"  # inferred: PCA fitted on the points drawn; or on the training part
    # inferred: figures draw all segments; or held-out ones; or as the program: all, for the DSAE the dev part
    points: Literal["all", "program", "held_out"] = "all"
    ablations: bool = False  # ours: train other depths, pools, dropout, outputs as well (R11, R13, what decoders learn)


DIVERGENCES = (
    Divergence("split", paper="P1", code="P2", sound="T1",
               paper_source="sec. 3: random split of 6000-1000-1000", code_source="softmaxautoencoder.py: 6,000 / "
               "2,000, no test set; all logged accuracies are multiples of 1/2000",
               sound_reason="segments of one track, and duplicate tracks, never fall on both sides",
               decides=("B-T1-2L-te", "B-T1-DS-te", "R10a"), effects=("T1", "T2")),
    Divergence("reconstruction", paper="sum", code="mean", sound="sum", inferred=True,
               paper_source="eq. 2 and 3: a squared norm; whether it reaches the printed 94.9 % on GTZAN is open "
               "(B-T1-DS-tr)", code_source="softmaxautoencoder.py: reduce_mean over all entries",
               sound_reason="the equation; beside the mean the encoder serves the cross-entropy first",
               decides=("B-T1-DS-tr", "R12a", "R15a")),
    Divergence("keep_probability", paper=0.9, code=0.8, sound=0.9,
               paper_source="sec. 5.1", code_source="softmaxautoencoder.py: keep_prob 0.8",
               sound_reason="the paper's tuned value", decides=("B-T1-DS-tr",)),
    Divergence("reconstruction_weight", paper=1.0, code=1 / 0.9, sound=1.0, inferred=True,
               paper_source="eq. 3: gamma and 1 - gamma",
               code_source="softmaxautoencoder.py: MSE + 0.1 x cross-entropy",
               sound_reason="eq. 3"),
    Divergence("decoder_output", paper="relu", code="relu", sound="linear", inferred=True,
               paper_source="not stated; as in the program",
               code_source="softmaxautoencoder.py: ReLU on the last layer",
               sound_reason="audio is signed: a ReLU output cannot produce half of every waveform", decides=("R15a",)),
    Divergence("standardise", paper=False, code=False, sound=True,
               paper_source="sec. 3: no explicit feature engineering", code_source="no scaling anywhere",
               sound_reason="one mean and one deviation of the training part: inputs of the size that initial weights "
               "expect", decides=("R15a",)),
    Divergence("activation", paper="program", code="program", sound="wide_elu", inferred=True,
               paper_source="not stated; as in the program",
               code_source="softmaxautoencoder.py: sigmoid, tanh, ReLU; sigmoid, sigmoid, ReLU",
               sound_reason="one nearly linear function everywhere: two sigmoid layers hand little gradient back",
               decides=("R15a",)),
    Divergence("bottleneck_output", paper="relu", code="relu", sound="linear", inferred=True,
               paper_source="not stated; as in the program",
               code_source="softmaxautoencoder.py: ReLU on the bottleneck",
               sound_reason="64 signed numbers hold as much as 64 principal components"),
    Divergence("learning_rate", paper=1e-4, code=1e-4, sound=1e-3, inferred=True,
               paper_source="not stated; as in the program", code_source="softmaxautoencoder.py: 1e-4",
               sound_reason="at 1e-4 the autoencoders are still at their start when the epochs end", decides=("R15a",)),
    Divergence("epochs", paper=200, code=200, sound=100, inferred=True,
               paper_source="not stated; as in the program", code_source="softmaxautoencoder.py, tfsoftmax.py: 200",
               sound_reason="at ten times the rate what is reconstructed of held-out tracks falls after that; the "
               "vanilla autoencoder (400 in the program) trains as long"),
    Divergence("autoencoder_data", paper="train", code="all", sound="train", inferred=True,
               paper_source="not stated", code_source="encoder.py: all 8,000 examples",
               sound_reason="encodings are judged on examples the encoder has not seen"),
    Divergence("reshuffle", paper=False, code=False, sound=True, inferred=True,
               paper_source="not stated; as in the program", code_source="shuffled once, before training",
               sound_reason="the usual practice: a new order every epoch"),
    Divergence("train_accuracy", paper="afterwards", code="in_epoch", sound="afterwards", inferred=True,
               paper_source="not stated", code_source="softmaxautoencoder.py: counted inside the epoch, dropout on",
               sound_reason="the same network that is judged on held-out segments"),
    Divergence("axes", paper="drawn", code="drawn", sound="train", inferred=True,
               paper_source="not stated; as in the program", code_source="test*.py: PCA fitted on the points drawn",
               sound_reason="axes are fitted on the training part"),
    Divergence("points", paper="all", code="program", sound="held_out", inferred=True,
               paper_source="not stated", code_source="all 8,000 for the vanilla autoencoder and the two-layer net, "
               "the dev file in the last state of testsoftmaxautoencoder.py",
               sound_reason="three quarters of all segments are training points: a picture shows what was fitted",
               decides=("R18a", "R18b"), effects=("held_out",)),
)

PRESETS = {
    "smoke": {"batch_size": 64, "fewest_batches": 1, "epochs": 4, "autoencoder_epochs": 4},
    "demo": {"autoencoder_epochs": 200},
    "full": {"ablations": True},
}
PRESETS_BY_MODE = {(preset, "sound"): {"autoencoder_epochs": 100} for preset in ("demo", "full")}

# Sizes at which real data decides findings. The epochs of the classifiers are not cut, they are minutes; the vanilla
# autoencoder is enough trained after as many as the DSAE, which has its layers. Of the segments an eighth is held out:
# 64 tracks leave the eight that an interval over tracks takes (common/intervals.py).
ENOUGH = {"epochs": 200, "autoencoder_epochs": 200, "groups": 64}
