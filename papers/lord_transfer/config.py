"""Class Transfer in Music Using LORD (A. Marsden, seminar paper, The Hebrew University of Jerusalem, 15.07.2021).

Settings, presets and divergences; no TensorFlow. A default is what the paper says, or, where it is silent, what its
base method LORD (Gabbay and Hoshen, ICLR 2020) does; "ours" where neither says. The paper prints no numeric result.
"""

from dataclasses import dataclass
from typing import Literal

from common.config import Divergence

PAPER = "lord_transfer"
TITLE = "Class Transfer in Music Using LORD"
CITATION = ('A. Marsden, "Class Transfer in Music Using LORD", seminar paper, The Hebrew University of Jerusalem, '
            "15 July 2021. Base method: A. Gabbay and Y. Hoshen, \"Demystifying Inter-Class Disentanglement\", "
            "ICLR 2020.")
PROGRAM = "the base method's program (avivga/lord)"
DATA_SETS = ("fma_medium", "medley_solos_db", "folder")  # genre first: the instrument task is compared with it


@dataclass(frozen=True)
class Config:
    """Every setting of preprocessing, networks, training and evaluation."""

    data_set: Literal["medley_solos_db", "fma_medium", "folder"] = "medley_solos_db"  # sec. 2.4, sec. 2.3
    genre_pairs: str = "Instrumental-Pop Classical-Pop Rock-Folk"  # sec. 2.3.1, one model each
    pair: str = ""  # set per model: the genre pair it is trained on
    train_share: float = 1.0  # share of each class's training recordings; 1/4 in the comparisons of sec. 1 and 2.4.3
    # Spectrograms: sec. 2.3.1
    sample_rate: int = 22_050  # Hz; inferred: 128 frames of 512 are the paper's "~3 seconds"
    fft_size: int = 2048  # samples; inferred (librosa's default)
    hop: int = 512  # samples; inferred as sample_rate
    bands: int = 128  # mel bands, sec. 2.3.1
    frames: int = 128  # frames of a partition, sec. 2.3.1
    dynamic_range: float = 80.0  # dB below the track's maximum that are kept; ours
    silence: float = 40.0  # dB below the peak where long recordings are cut (sec. 2.4.1, level ours)
    overlap: float = 0.0  # share of a partition that the next repeats: 0, 0.25, 0.5 (sec. 2.3.1, items 1 to 3)
    phase: Literal["none", "angle", "cosine_sine"] = "none"  # sec. 2.3.1, item 4
    subclasses: int = 0  # k-means clusters per class used as classes (sec. 2.3.1); 0 is off
    split: Literal["test_subset", "recording", "clip"] = "test_subset"  # from "2900", sec. 2.4.3
    quantise: bool = False  # images as 8-bit integers; the paper does not say so
    # Networks: sec. 2.1.1 and 2.3.2
    content: Literal["encoder", "embedding"] = "encoder"  # sec. 2.1.1.1; embedding: LORD
    class_code: Literal["table", "encoder"] = "table"  # sec. 2.1.1.2; encoder: sec. 1.2.2.2
    content_dim: int = 128  # sec. 2.3.2
    class_dim: int = 256  # sec. 2.3.2
    adain_layers: int = 4  # LORD
    adain_dim: int = 256  # LORD
    encoder_filters: int = 64  # LORD; the next four layers have 2, 4, 4, 4 times as many
    encoder_units: int = 256  # sec. 2.3.2, item 1
    encoder_kernels: Literal["7 4", "9 6"] = "7 4"  # sec. 2.1.1.1: first convolution, the other four
    dense_scale: int = 1  # width of the generator's first two dense layers; 2 in sec. 2.3.2, item 1
    generator_kernels: Literal["3 5 7", "5 7 9"] = "3 5 7"  # sec. 2.1.1.4: blocks, last two convolutions
    last_filters: int = 64  # sec. 2.1.1.4
    centre: bool = False  # encoders see the image minus the mean spectrum of training, over its spread
    noise: float = 1.0  # standard deviation of the content noise (sec. 2.1.1.1; value LORD's)
    # Loss: sec. 2.3.3 and 2.4
    loss: Literal["perceptual+mse+mae", "perceptual+mse", "perceptual+mae", "mse+mae", "perceptual", "mse",
                  "mae"] = "perceptual+mse+mae"  # sec. 2.4; any sum of perceptual, mse, mae (sec. 2.3.3)
    # without vgg_weights imagenet is off; multiscale: ours, in its place (losses.multiscale_error)
    perceptual: Literal["imagenet", "multiscale", "random", "off"] = "imagenet"
    perceptual_layers: Literal["first", "five"] = "first"  # sec. 2.3.3, item 4; five: LORD
    perceptual_size: int = 0  # images are resized to this before the perceptual loss; 0: not; LORD 64
    vgg_weights: str = ""  # VGG16 weights file, h5 or npz; nothing is ever downloaded
    loss_scale: float = 1.0  # pixel values of the loss run from 0 to this; LORD's VGG input has 255
    content_decay: float = 0.0  # times the content code's mean squared norm; the paper names none
    content_decay_reduction: Literal["mean", "sum"] = "mean"  # over the batch: mean, or sum as Keras 2.2.4 had it
    # Training: sec. 2.1.1.2 names Adam, the rest is LORD's
    batch_size: int = 64  # LORD
    epochs: int = 200  # ours; LORD has 1000
    learning_rate: float = 3e-4  # LORD, encoder, modulation and generator
    last_learning_rate: float = 1e-5  # LORD, end of the cosine
    table_rate: float = 10.0  # learning rate of the class table in units of learning_rate; LORD's intention
    adam_beta_1: float = 0.5  # LORD
    shift: bool = False  # each training image begins at a random frame (augmentation.py)
    transpose: int = 0  # and is moved by up to so many semitones
    filtered: float = 0.0  # the content encoder is given it through a random filter: deviation of the gains
    early_stop_delta: float = 0.0  # least gain of an epoch's loss, both stages; 0: no rule that looks at it
    early_stop_patience: int = 100  # epochs without it, LORD
    second_epochs: int = 200  # LORD's second stage, content "embedding" only
    second_learning_rate: float = 1e-4  # LORD's second stage
    second_plateau_patience: int = 20  # epochs without a gain after which its rate is halved, LORD
    second_early_stop_patience: int = 40  # and after which it ends, LORD; both off where early_stop_delta is 0
    second_code_weight: float = 1e4  # LORD's second stage, weight of both code errors
    # Sound: sec. 2.2, 2.3.4, 2.4.2
    inversion: Literal["pinv", "nonnegative"] = "pinv"  # sec. 2.2: pseudo-inverse; "nonnegative": common.inversion
    griffin_lim_iterations: int = 32  # ours (librosa's default)
    stitch_step: int = 32  # columns kept per window by the transfer tool (sec. 2.4.2: more than one)
    # Measurement: ours
    classifier_filters: int = 16  # ours
    classifier_epochs: int = 40  # ours
    evaluation_clips: int = 400  # held-out clips transferred to every class; ours
    pitch_clips: int = 200  # transfers whose pitch contour is compared; ours
    stitched_tracks: int = 8  # held-out tracks joined from windows (sec. 2.3.4 and 2.4.2); ours
    audio_per_class: int = 2  # source clips per class on the page; ours
    ablations: bool = False  # also train the comparisons of sec. 2.3 and 1.2.2.2


DIVERGENCES = (
    Divergence("content", paper="encoder", code="embedding", sound="encoder", paper_source="sec. 2.1.1.1",
               code_source="avivga/lord@2d1f690 model/network.py Lord.train", decides=("I-joint", "I-error"),
               sound_reason="the paper's question is about the semi-amortised model"),
    Divergence("split", paper="test_subset", code="clip", sound="recording", paper_source="sec. 2.4.3, 2900 clips",
               code_source="avivga/lord@2d1f690 lord.py split_samples", inferred=True,
               sound_reason="the published subsets as they are meant: trains on one, chooses on one, never on both "
                            "sides of a recording"),
    Divergence("centre", paper=False, code=False, sound=True, paper_source="not mentioned",
               code_source="avivga/lord@2d1f690 lord.py: pixels over 255", decides=("I-joint", "I-error"),
               inferred=True,
               sound_reason="pixels of one sign hide what differs between clips behind what they share: gradient "
                            "descent finds level and register and then rests; compared on demo corpora of generator "
                            "seed 100"),
    Divergence("shift", paper=False, code=False, sound=True, paper_source="not mentioned",
               code_source="avivga/lord@2d1f690 lord.py", decides=("I-joint", "I-error"), inferred=True,
               sound_reason="a melody is the same wherever the clip begins; with few clips they are learned by heart"),
    Divergence("transpose", paper=0, code=0, sound=3, paper_source="not mentioned",
               code_source="avivga/lord@2d1f690 lord.py", decides=("I-joint", "I-error"), inferred=True,
               sound_reason="as shift: a melody is the same in another key"),
    Divergence("filtered", paper=0.0, code=0.0, sound=0.2, paper_source="not mentioned",
               code_source="avivga/lord@2d1f690 lord.py", decides=("I-joint", "A-leak"), inferred=True,
               sound_reason="an encoder whose code is read tells the class too (sec. 1.2.2.2), and a transfer then "
                            "sounds like its source; through a random filter it cannot know the instrument's spectrum"),
    Divergence("noise", paper=1.0, code=1.0, sound=0.1, paper_source="sec. 2.1.1.1 names no value",
               code_source="avivga/lord@2d1f690 config.py", decides=("I-joint", "I-error"), inferred=True,
               sound_reason="an encoder's code starts some thousand times weaker than noise of 1 and learns only to "
                            "be louder; compared on a demo corpus of generator seed 100"),
    Divergence("content_decay", paper=0.0, code=1e-3, sound=1e-5, paper_source="not mentioned",
               code_source="avivga/lord@2d1f690 config.py content_decay", decides=("I-joint", "A-leak"),
               inferred=True, sound_reason="without it the encoder out-scales the noise of fixed size and the noise "
                                           "limits nothing"),
    Divergence("content_decay_reduction", paper="mean", code="sum", sound="mean", paper_source="not mentioned",
               code_source="Keras 2.2.4 activity regulariser", inferred=True,
               sound_reason="a strength that does not depend on the batch size"),
    Divergence("table_rate", paper=10.0, code=1.0, sound=10.0, paper_source="not mentioned",
               code_source="avivga/lord@2d1f690 model/network.py: the multipliers' keys match no weight name",
               inferred=True, sound_reason="the rate LORD intended"),
    Divergence("epochs", paper=200, code=1000, sound=200, paper_source="not mentioned",
               code_source="avivga/lord@2d1f690 config.py", inferred=True, sound_reason="as the paper"),
    Divergence("early_stop_delta", paper=0.0, code=1.0, sound=0.0, paper_source="not mentioned",
               code_source="avivga/lord@2d1f690 model/network.py EarlyStopping", inferred=True,
               sound_reason="a fixed length makes runs comparable"),
    Divergence("loss", paper="perceptual+mse+mae", code="perceptual", sound="perceptual+mse+mae",
               paper_source="sec. 2.4", code_source="avivga/lord@2d1f690 model/network.py perceptual_loss",
               sound_reason="as the paper"),
    Divergence("perceptual", paper="imagenet", code="imagenet", sound="multiscale",
               paper_source="sec. 2.3.3, item 4: VGG16", code_source="avivga/lord@2d1f690 model/network.py",
               decides=("I-joint", "I-error"), inferred=False,
               sound_reason="VGG16 was trained on photographs and is not at hand; the same pictures at half, a quarter "
                            "and an eighth of the resolution stand in for it where no weights are given"),
    Divergence("loss_scale", paper=1.0, code=255.0, sound=1.0, paper_source="not mentioned",
               code_source="avivga/lord@2d1f690 model/network.py VggNormalization", inferred=True,
               sound_reason="as the paper"),
    Divergence("perceptual_layers", paper="first", code="five", sound="first", paper_source="sec. 2.3.3, item 4",
               code_source="avivga/lord@2d1f690 config.py perceptual_loss", sound_reason="as the paper"),
    Divergence("perceptual_size", paper=0, code=64, sound=0, paper_source="not mentioned",
               code_source="avivga/lord@2d1f690 config.py perceptual_loss scales", inferred=True,
               sound_reason="no detail is thrown away"),
    Divergence("quantise", paper=False, code=True, sound=False, paper_source="not mentioned",
               code_source="avivga/lord@2d1f690 lord.py train: images are bytes", inferred=True,
               sound_reason="no rounding to 0.3 dB"),
    Divergence("inversion", paper="pinv", code="pinv", sound="nonnegative", paper_source="sec. 2.2",
               sound_reason="half of the pseudo-inverse is negative and is clipped"),
)

PRESETS = {
    "smoke": dict(hop=2048, bands=32, frames=32, adain_dim=16, adain_layers=2, encoder_filters=4, encoder_units=32,
                  last_filters=8, content_dim=16, class_dim=16, batch_size=16, epochs=2, second_epochs=1,
                  classifier_epochs=4, classifier_filters=8, evaluation_clips=24, audio_per_class=1, pitch_clips=2,
                  stitched_tracks=1, griffin_lim_iterations=4, genre_pairs="Rock-Folk"),
    # Demo devices, compared on demo corpora of generator seeds 100 to 102: the learning rate, for a hundredth of the
    # updates, and two AdaIN layers, so that the dense layers place content on a grid of 16 x 8 (the paper's is 8 x 8).
    "demo": dict(learning_rate=1e-3, hop=2048, fft_size=4096, bands=64, frames=32, adain_layers=2, adain_dim=32,
                 encoder_filters=16, last_filters=16, class_dim=64, batch_size=16, epochs=20, second_epochs=5,
                 classifier_epochs=40, evaluation_clips=128, pitch_clips=16, stitched_tracks=2, audio_per_class=1,
                 stitch_step=8, genre_pairs="Rock-Folk"),
    "full": {},
}

# Sizes at which real data decides findings. The paper names no epochs; half of ours (200) will do, since claims about a
# model ask by themselves whether it learnt. Clips that are measured may be a quarter: intervals say what that costs. A
# tenth of the recordings is held out: 80 leave the eight that an interval takes (common/intervals.py).
ENOUGH = {"epochs": 100, "second_epochs": 100, "classifier_epochs": 40, "griffin_lim_iterations": 32,
          "evaluation_clips": 100, "pitch_clips": 50, "stitched_tracks": 8, "audio_per_class": 1, "groups": 80}


def perceptual_state(config: Config) -> str:
    """"imagenet", "multiscale", "random" or "off": what the perceptual term really is, given the weights at hand."""
    if "perceptual" not in config.loss.split("+") or config.perceptual == "off":
        return "off"
    if config.perceptual == "random":
        return "random"
    return "imagenet" if config.vgg_weights else "multiscale" if config.perceptual == "multiscale" else "off"


def loss_terms(config: Config) -> list[str]:
    """Names of the terms that can be computed; MSE and MAE stand in where only the perceptual term is asked for."""
    state = perceptual_state(config)
    names = {"off": [], "multiscale": ["multiscale"]}.get(state, ["perceptual"])
    terms = [name for term in config.loss.split("+") for name in (names if term == "perceptual" else [term])]
    return terms or ["mse", "mae"]


def pairs(config: Config) -> list[str]:
    """The genre pairs of a run; one empty name for the instrument task."""
    return config.genre_pairs.split() if config.data_set == "fma_medium" else [""]
