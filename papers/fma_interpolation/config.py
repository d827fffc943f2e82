"""Settings of "Report for Music Interpolation": values with their sources, divergences, presets. No TensorFlow.

Sources: "sec." names a heading of the report; "program" is tasercake/Beatbrain at the commit given; "ours" is a choice
where both are silent.
"""

from dataclasses import dataclass
from typing import Literal

from common.config import Divergence

PAPER = "fma_interpolation"
TITLE = "Report for Music Interpolation"
CITATION = ("Krishna Penukonda, Gao Yunyi and Hong Pengfei. Report for Music Interpolation. "
            "Singapore University of Technology and Design, December 2019.")
PROGRAM = "the authors' program"
DATA_SETS = ("fma_small",)
TAKES_TOO = ("fma_medium", "fma_large", "folder")  # with DATA=

GENRES = ("Electronic", "Experimental", "Folk", "Hip-Hop", "Instrumental", "International", "Pop", "Rock")


@dataclass(frozen=True)
class Config:
    """One experiment; a default is the paper's value."""

    # Data pre-processing
    sample_rate: int = 32768        # Hz; table of parameters
    n_fft: int = 4096               # samples; the table prints 256: window and hop are swapped there (README, E1)
    hop_length: int = 256           # samples; the table prints 4096
    bands: int = 512                # mel bands; table of parameters
    frames: int = 640               # per image, 5 seconds; sec. Data Pre-processing
    dynamic_range: float = 80.0     # dB below the loudest point of the clip; program, utils.py
    storage: Literal["float32", "half"] = "float32"  # pixels of the OpenEXR images; sec. Data Pre-processing: "32-bit"
    resampler: Literal["soxr_hq", "soxr_vhq", "soxr_mq", "soxr_lq", "soxr_qq"] = "soxr_hq"  # ours; the paper is silent

    # Experiments: the four autoencoders
    latent: int = 32                # baseline; dense_1 has 2,703,360 = 81,920 * 33 weights
    conv2d_latent: int = 4096       # program, 1b0ba3d; the heading Conv2D is empty
    conv2d_filters: tuple = (32, 64, 128, 256)  # program, 1b0ba3d
    conv2d_pools: tuple = (4, 4, 2)             # program, 1b0ba3d
    conv2d_repeats: int = 2         # program, 1b0ba3d
    inception_latent: int = 4096    # program, 1b0ba3d
    inception_repeats: int = 1      # program, experiments.md 6 and 7
    conv1d_latent: int = 256        # program, 3c5c932
    conv1d_filters: tuple = (512, 256, 128, 64)  # program, 3c5c932
    # figure of sec. Our Approach: "cross-entropy + KL"
    baseline_loss: Literal["cross_entropy", "squared_error", "flipped", "swapped", "decibels"] = "cross_entropy"
    divergence: Literal["analytic", "sampled"] = "analytic"  # how KL(q(z|x) || N(0, 1)) is computed
    baseline_batch: int = 16        # images; program, 584ade5
    batch: int = 4                  # images, the other autoencoders; program, 1b0ba3d
    baseline_rate: float = 1e-4     # Adam; program, 584ade5
    conv2d_rate: float = 1e-4       # Adam; program, 1b0ba3d
    conv1d_rate: float = 1e-5       # Adam; program, 3c5c932
    baseline_epochs: int = 13       # as the Conv2D's; the program's cap is 500, stopped by hand
    conv2d_epochs: int = 13         # where the program's only complete log ends (1b0ba3d); its caps are 50 to 1000
    conv1d_epochs: int = 50         # program, 3c5c932
    second_draw: bool = False       # the divergence at another draw than the decoded one (Conv1D, loss hunt)
    reduce_rate: bool = False       # a tenth of the rate after 2 epochs without a better validation loss
    validation_code: Literal["mean", "sample"] = "mean"  # what validation decodes: the mean or a draw
    autoencoder_items: int = 0      # training images used by the autoencoders, 0 = all; ours, for small presets

    # Experiments: overfitting one sample, the loss hunt
    overfit_network: Literal["baseline", "bottleneck"] = "baseline"  # sec. Baseline model: "on a single [sample]"
    overfit_latent: int = 256       # of the bottleneck network; program, e261498
    overfit_steps: int = 500        # program, 6b96f49: 500 epochs of one image
    overfit_rate: float = 1e-3      # Adam under squared error; program, 6b96f49
    cross_entropy_rate: float = 1e-4  # Adam under the cross-entropies; program, 4cc88e5, 01a6466, e261498
    overfit_repeats: int = 4        # units a block of the Conv2D network of one sample; program, experiments.md 4

    # Interpolation
    interpolate: Literal["mean", "parameters", "sample"] = "mean"  # what is blended; parameters: log-variances too
    points: int = 9                 # figure of the baseline: fractions 0, 1/8 ... 1
    end_points: Literal["decoded", "original"] = "decoded"  # images at fractions 0 and 1
    pairs: int = 16                 # excerpt pairs interpolated for the tables; ours
    audible_pairs: int = 2          # of them, how many are turned into sound; ours
    generated: int = 4              # unconditioned excerpts from the prior; ours
    inversion_iterations: int = 100  # Griffin-Lim; ours (librosa's 32 is the program's)

    # Genre classifiers
    classical_protocol: Literal["contiguous", "leaky", "official"] = "contiguous"  # split of trees, regressions, …
    svm_protocol: Literal["contiguous", "leaky", "official"] = "contiguous"  # split of the SVM
    deep_protocol: Literal["contiguous", "leaky", "official"] = "contiguous"  # split of the networks: 35,000 / 8,320
    select_on: Literal["test", "validation"] = "test"  # part of the data on which the best grid value is picked
    # component number = class code, or one Gaussian per class
    mixture_scoring: Literal["component", "gaussian_per_class"] = "component"
    shuffles: int = 0               # refits with artists' labels shuffled, the chance level of S3; ours, 0 at full size
    rnn_axis: Literal["bands", "time"] = "bands"  # what the RNN steps over; printed output shape (None, 512, 128)
    classifier_batch: int = 32      # images; program, b6457fc
    classifier_rate: float = 1e-3   # Adam's default; program, b6457fc
    cnn_1_epochs: int = 5           # table after CNN_1
    cnn_2_epochs: int = 10          # table after CNN_2
    rnn_epochs: int = 10            # table after RNN
    cnn_1_filters: int = 16         # summary of CNN_1
    cnn_1_dense: int = 128          # summary of CNN_1
    cnn_2_time_stride: int = 4      # the only uniform stride that gives 2,017,608 weights
    rnn_units: int = 128            # summary of RNN
    classifier_items: int = 0       # training images used by the networks per epoch, 0 = all; ours, for small presets
    neighbours: int = 100           # UMAP; program, fma_analysis.ipynb
    perplexity: float = 100.0       # t-SNE; program, fma_analysis.ipynb
    drawn_tracks: int = 0           # tracks drawn by PCA, t-SNE and UMAP, 0 = all; ours, for small presets
    ablations: bool = False         # ours; also train the divergences that decide a claim, one at a time


DIVERGENCES = (
    Divergence(
        "storage", paper="float32", code="half", sound="float32",
        paper_source="sec. Data Pre-processing: \"32-bit floating-point values\"",
        code_source="imageio's FreeImage back end writes half when no flag is given @3c5c932",
        sound_reason="the format is chosen because it is lossless",
    ),
    Divergence(
        "resampler", paper="soxr_hq", code="soxr_lq", sound="soxr_hq",
        paper_source="not stated", code_source="kaiser_fast of resampy @3c5c932; soxr_lq is the nearest here",
        sound_reason="the better resampler", inferred=True,
    ),
    Divergence(
        "divergence", paper="analytic", code="sampled", sound="analytic",
        paper_source="figure of sec. Our Approach: \"KL\"", code_source="log q - log p of one sample @584ade5",
        sound_reason="the same expectation without the sampling noise", inferred=True,
    ),
    Divergence(
        "conv2d_latent", paper=4096, code=4096, sound=256,
        paper_source="empty heading; the program's value", code_source="generator.ipynb @1b0ba3d",
        sound_reason="structures are compared at the code size of Conv1D", decides=("Q8",), inferred=True,
    ),
    Divergence(
        "overfit_network", paper="baseline", code="bottleneck", sound="baseline",
        paper_source="sec. Baseline model: the experiment is told of the baseline",
        code_source="Dense 16 before two Dense 256 heads @e261498, 6b96f49",
        sound_reason="the question is asked of the baseline", decides=("Q2-mse", "Q2-swapped"), inferred=True,
    ),
    Divergence(
        "cross_entropy_rate", paper=1e-4, code=1e-4, sound=1e-3,
        paper_source="not stated", code_source="Adam(1e-4) @4cc88e5, 01a6466, e261498; 1e-3 only for squared error",
        sound_reason="one rate for all losses, so that the loss alone differs", decides=("Q2-bce", "Q2-swapped"),
        inferred=True,
    ),
    Divergence(
        "conv1d_rate", paper=1e-5, code=1e-5, sound=1e-4,
        paper_source="heading without text; the program's value", code_source="generator-conv1d.ipynb @3c5c932",
        sound_reason="structures are compared at the rate of Conv2D; at 1e-5 Conv1D hardly moves",
        decides=("Q8", "Q9"), inferred=True,
    ),
    Divergence(
        "conv1d_epochs", paper=50, code=50, sound=13,
        paper_source="heading without text; the program's value", code_source="generator-conv1d.ipynb @3c5c932",
        sound_reason="structures are compared after as many images as Conv2D", inferred=True,
    ),
    Divergence(
        "second_draw", paper=False, code=True, sound=False,
        paper_source="not stated", code_source="the encoder runs twice a pass @e261498, 6b96f49, 3c5c932",
        sound_reason="the divergence belongs to the code that is decoded", inferred=True,
    ),
    Divergence(
        "reduce_rate", paper=False, code=True, sound=False,
        paper_source="not stated",
        code_source="ReduceLROnPlateau(patience=2, factor=0.1) @1b0ba3d, 3c5c932; none for the baseline @584ade5",
        sound_reason="a fixed number of steps at a fixed rate compares the structures", inferred=True,
    ),
    Divergence(
        "validation_code", paper="mean", code="sample", sound="mean",
        paper_source="not stated", code_source="the graph samples in validation too @1b0ba3d",
        sound_reason="the loss of the best guess, without the noise of a draw", inferred=True,
    ),
    Divergence(
        "interpolate", paper="mean", code="parameters", sound="mean",
        paper_source="equation of sec. Latent Space Interpolation: \"encoded A and B latent vectors\"",
        code_source="means and log-variances are blended, then drawn at every point @584ade5, 1b0ba3d; the last cell "
                    "@c114915 blends one draw of each (--interpolate sample)",
        sound_reason="a path without noise is the same every time", decides=("Q10-order",), inferred=True,
    ),
    Divergence(
        "end_points", paper="decoded", code="original", sound="decoded",
        paper_source="sec. Baseline model: \"interpolated spectrogram from 2 spectrogram reconstructed\"",
        code_source="generator.ipynb @584ade5: the outer panels are the input images",
        sound_reason="original ends hide the step from the original to its reconstruction",
    ),
    Divergence(
        "classical_protocol", paper="contiguous", code="contiguous", sound="official",
        paper_source="support 2000 of the reports", code_source="rows 0-9,999 and 10,000-11,999 @b6457fc",
        sound_reason="no track and no artist on both sides, all data", inferred=True,
    ),
    Divergence(
        "svm_protocol", paper="contiguous", code="leaky", sound="official",
        paper_source="one experiment with the other classifiers; its support of 3000 is not explained",
        code_source="random 70/30 split of chunks, run before the cell was replaced @b6457fc",
        sound_reason="no track and no artist on both sides, all data", decides=("C-SVM-accuracy", "X-BEST"),
        inferred=True,
    ),
    Divergence(
        "deep_protocol", paper="contiguous", code="contiguous", sound="official",
        paper_source="sec. Deep Learning approach: \"Train on 35000 samples, validate on 8320\"",
        code_source="first 35,000 rows, no shuffling before the cut @b6457fc",
        sound_reason="no artist on both sides", decides=("Q3-cnn1-validation", "Q6-cnn2-cnn1"),
    ),
    Divergence(
        "select_on", paper="test", code="test", sound="validation",
        paper_source="\"only the best result shown\", no validation set named", code_source="b6457fc: no third part",
        sound_reason="a grid value picked on the test set flatters the larger grids", inferred=True,
    ),
    Divergence(
        "mixture_scoring", paper="component", code="component", sound="gaussian_per_class",
        paper_source="reports of the GMM", code_source="component numbers compared with class codes @b6457fc",
        sound_reason="component numbers of an unsupervised mixture mean nothing; one Gaussian per class does",
        decides=("C-GMM0-accuracy", "C-GMM1-accuracy"),
    ),
    Divergence(
        "rnn_axis", paper="bands", code="bands", sound="time",
        paper_source="summary of the RNN: (None, 512, 128)", code_source="melfeat_classifier_ml_dl.ipynb @b6457fc",
        sound_reason="the reason given for an RNN is that music is a sequence in time", decides=("Q6-rnn-cnn1",),
    ),
)

# TensorFlow 2.21 with oneDNN crashes in the Conv2D autoencoder when its first block has fewer than 16 filters.
_SMALL_IMAGES = dict(
    bands=128, frames=160, hop_length=1024, conv2d_pools=(2, 2, 2), cnn_2_time_stride=2,
    conv2d_filters=(16, 16, 32, 32), conv1d_filters=(64, 32, 32, 16), inception_latent=32, conv2d_repeats=1,
    overfit_repeats=1,
)

PRESETS = {
    "smoke": dict(
        _SMALL_IMAGES, baseline_epochs=1, conv2d_epochs=1, conv1d_epochs=1, autoencoder_items=16,
        overfit_steps=6, pairs=2, audible_pairs=1, points=3,
        generated=1, inversion_iterations=5, cnn_1_epochs=1, cnn_2_epochs=1, rnn_epochs=1, cnn_1_filters=4,
        cnn_1_dense=8, rnn_units=8, classifier_items=32, drawn_tracks=24, neighbours=5, perplexity=5.0,
    ),
    "demo": dict(
        _SMALL_IMAGES, baseline_batch=2, batch=2, baseline_epochs=20, conv2d_epochs=2, conv1d_epochs=8,
        autoencoder_items=128, overfit_steps=160, pairs=16, audible_pairs=2, inversion_iterations=40,
        cnn_1_epochs=10, cnn_2_epochs=6, rnn_epochs=6, cnn_1_filters=4, cnn_1_dense=16, rnn_units=16,
        classifier_items=256, shuffles=20, drawn_tracks=64, neighbours=10, perplexity=10.0,
    ),
    "full": {"ablations": True},
}
# Conv1D and Conv2D are compared after the same number of images.
PRESETS_BY_MODE = {("demo", "sound"): dict(conv2d_epochs=4, conv1d_epochs=4)}

# Sizes at which real data decides findings. Epochs and steps are the program's and few: more will do, fewer will not.
# 400 tracks, a tenth of them held out, are five test tracks in each of eight genres; they give 1,600 training images.
# Sounds, drawings and the number of refits change no finding's value, only how much there is to hear and see.
ENOUGH = {"baseline_epochs": 13, "conv2d_epochs": 13, "conv1d_epochs": 50, "cnn_1_epochs": 5, "cnn_2_epochs": 10,
          "rnn_epochs": 10, "overfit_steps": 500, "autoencoder_items": 1600, "classifier_items": 1600, "pairs": 16,
          "points": 9, "audible_pairs": 1, "generated": 1, "inversion_iterations": 32, "drawn_tracks": 400,
          "shuffles": 0, "groups": 400}
