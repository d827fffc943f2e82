"""The instruments of `common.demo.synthesis`: partials, envelope, vibrato and noise of each, by General MIDI program.

Values follow what is known of the instruments (Fletcher and Rossing, The Physics of Musical Instruments): the odd
partials of the clarinet, the formants of the voice, the brightness of brass that grows with loudness, the fast decay of
the upper partials of struck and plucked strings.
"""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Timbre:
    """One instrument.

    Levels are in dB below the strongest partial, times in seconds, frequencies in Hz.
    """

    name: str
    partials: tuple[float, ...]  # dB of the first partials
    slope: float = -12.0  # dB per octave beyond them
    formants: tuple[tuple[float, float, float], ...] = ()  # (centre, gain in dB, width in octaves)
    lowpass: float = 0.0  # corner of the body, 12 dB per octave above it; 0: none
    attack: float = 0.03
    release: float = 0.08
    decay: float = 0.0  # seconds to -60 dB of the lowest partials at A4; 0: sustained
    decay_tilt: float = 0.7  # how much faster upper partials decay: time ~ partial ** -tilt
    swell: float = 0.0  # how much darker the attack is than the sustained tone (brass, bowed): 0 to 1
    soft_tilt: float = 3.0  # dB per octave that a soft note loses against a loud one
    vibrato: tuple[float, float, float] = (0.0, 0.0, 0.0)  # rate, depth in cents, delay
    tremolo: float = 0.0  # depth of the loudness change at the vibrato's rate, 0 to 1
    noise: tuple[float, float, float] = (-90.0, 1000.0, 1.0)  # level in dB, centre, width in octaves
    chiff: tuple[float, float] = (-90.0, 0.03)  # noise of the attack: level in dB, length
    inharmonicity: float = 0.0  # cents by which a second, detuned string beats
    voices: int = 1  # players in unison
    detune: float = 0.0  # cents between them
    drive: float = 0.0  # amplifier gain in dB into tanh; 0: clean
    cabinet: float = 0.0  # lowpass behind the amplifier
    gain: float = 0.0  # dB in a mix

    def table_levels(self, frequency: float, count: int) -> np.ndarray:
        """Amplitudes of `count` partials at fundamental `frequency`, strongest = 1."""
        numbers = np.arange(1, count + 1)
        known = len(self.partials)
        level = np.empty(count)
        level[: min(known, count)] = self.partials[:count]
        if count > known:
            level[known:] = self.partials[-1] + self.slope * np.log2(numbers[known:] / known)
            if self.name == "clarinet":
                level[known:][numbers[known:] % 2 == 0] -= 6.0
        hertz = numbers * frequency
        for centre, gain, width in self.formants:
            level += gain * np.exp(-0.5 * (np.log2(hertz / centre) / width) ** 2)
        if self.lowpass:
            level -= 10 * np.log10(1 + (hertz / self.lowpass) ** 4)
        return 10 ** ((level - level.max()) / 20)


PIANO = Timbre(
    "piano", (0, -3, -8, -12, -15, -18, -24, -22, -27, -28), -14, lowpass=5200, attack=0.004, release=0.12, decay=5.0,
    decay_tilt=0.6, soft_tilt=7, chiff=(-30, 0.02), inharmonicity=2.5,
)  # fmt: skip
ELECTRIC_PIANO = Timbre(
    "electric piano", (0, -14, -26, -22, -40), -18, attack=0.004, decay=4.0, release=0.15, inharmonicity=1,
)  # fmt: skip
HARPSICHORD = replace(
    PIANO, name="harpsichord", partials=(0, -1, -3, -2, -5, -6, -8, -9), slope=-9, lowpass=0, decay=3.0,
)  # fmt: skip
MALLET = Timbre(
    "mallets", (0, -40, -30, -14, -45, -45, -45, -45, -45, -20), -20, attack=0.002, decay=1.6, chiff=(-26, 0.01),
)  # fmt: skip
ORGAN = Timbre(
    "organ", (0, -4, -9, -8, -24, -14, -30, -12), -14, attack=0.012, release=0.05, vibrato=(6.4, 6, 0.0),
    tremolo=0.05,
)  # fmt: skip
ACCORDION = Timbre(
    "accordion", (0, -2, -4, -7, -8, -12, -13, -15), -9, lowpass=4500, attack=0.05, voices=2, detune=9, soft_tilt=2,
)  # fmt: skip
HARMONICA = replace(ACCORDION, name="harmonica", voices=1, vibrato=(5, 12, 0.2), noise=(-38, 2500, 1.2))
NYLON = Timbre(
    "nylon guitar", (0, -2, -7, -12, -18, -22, -26, -30), -14, attack=0.003, decay=2.6, decay_tilt=0.9, release=0.06,
    chiff=(-32, 0.012),
)  # fmt: skip
STEEL = replace(NYLON, name="steel guitar", partials=(0, 0, -3, -6, -10, -12, -15, -17), slope=-10, decay=3.2)
CLEAN = Timbre(
    "clean electric guitar", (0, -3, -6, -12, -16, -18, -24, -28), -16, attack=0.003, decay=4.5, release=0.05,
    lowpass=3500, vibrato=(4.8, 5, 0.3),
)  # fmt: skip
DISTORTED = Timbre(
    "distorted electric guitar", (0, -2, -3, -4, -5, -7, -9, -11), -10, formants=((2200, 6, 0.7),), attack=0.006,
    decay=8.0, decay_tilt=0.3, release=0.08, drive=29, cabinet=4400, vibrato=(5.2, 12, 0.35), noise=(-58, 2500, 2.0),
    gain=-3,
)  # fmt: skip
OVERDRIVEN = replace(DISTORTED, name="overdriven guitar", drive=16, decay=8)
FINGER_BASS = Timbre(
    "finger bass", (0, -2, -8, -14, -20, -26, -30), -16, lowpass=1400, attack=0.006, decay=4.0, release=0.05,
    chiff=(-34, 0.015), gain=4,
)  # fmt: skip
PICK_BASS = replace(
    FINGER_BASS, name="picked bass", partials=(0, -1, -4, -7, -12, -15, -18), lowpass=2600, chiff=(-26, 0.01),
)  # fmt: skip
UPRIGHT_BASS = replace(
    FINGER_BASS, name="upright bass", decay=2.0, chiff=(-28, 0.02), partials=(0, -4, -10, -18, -26, -34),
)  # fmt: skip
SYNTH_BASS = Timbre(
    "synth bass", (0, -6, -9, -12, -14, -16, -17, -18), -12, lowpass=900, attack=0.004, decay=3.0, gain=3,
)  # fmt: skip
VIOLIN = Timbre(
    "violin", (0, -3, -5, -8, -9, -12, -13, -16, -18, -20), -10,
    formants=((290, 4, 0.25), (550, 4, 0.3), (1000, 3, 0.3), (1500, -4, 0.25), (2800, 5, 0.4)), lowpass=6000,
    attack=0.06, release=0.12, swell=0.4, vibrato=(5.9, 20, 0.15), noise=(-50, 3000, 1.5), chiff=(-36, 0.05),
)  # fmt: skip
VIOLA = replace(VIOLIN, name="viola", formants=((220, 4, 0.3), (450, 4, 0.3), (1500, 3, 0.6)), lowpass=4500)
CELLO = replace(
    VIOLIN, name="cello", formants=((180, 4, 0.35), (400, 3, 0.3), (1200, 2, 0.6)), lowpass=3500, attack=0.09,
)  # fmt: skip
DOUBLE_BASS = replace(CELLO, name="double bass", lowpass=1800, attack=0.11, gain=3)
STRINGS = replace(VIOLIN, name="string section", voices=4, detune=9, attack=0.12, release=0.2, noise=(-34, 3000, 1.6))
PIZZICATO = Timbre(
    "pizzicato", (0, -4, -10, -16, -22, -28), -14, attack=0.003, decay=0.55, release=0.1, chiff=(-26, 0.012),
)  # fmt: skip
HARP = replace(NYLON, name="harp", decay=2.8, partials=(0, -5, -13, -20, -26, -30), release=0.4)
TIMPANI = Timbre(
    "timpani", (0, -8, -14, -22, -30), -18, attack=0.004, decay=1.6, release=0.3, chiff=(-20, 0.03), gain=5,
)  # fmt: skip
VOICE = Timbre(
    "female singer", (0, -4, -7, -10, -13, -16, -19, -22), -10,
    formants=((650, 9, 0.28), (1150, 6, 0.22), (2900, 9, 0.25), (3900, 4, 0.2)), lowpass=5000, attack=0.08,
    release=0.22, swell=0.4, vibrato=(5.6, 30, 0.2), noise=(-56, 4500, 1.2), chiff=(-36, 0.05),
)  # fmt: skip
CHOIR = replace(VOICE, name="choir", voices=4, detune=14, attack=0.14, release=0.25)
TRUMPET = Timbre(
    "trumpet", (-6, -2, 0, -1, -3, -6, -9, -12, -15, -18), -16, formants=((1200, 5, 0.6),), lowpass=6000, attack=0.03,
    release=0.06, swell=0.8, soft_tilt=7, vibrato=(5.2, 9, 0.3), noise=(-46, 3000, 1.5), chiff=(-32, 0.02),
)  # fmt: skip
TROMBONE = replace(TRUMPET, name="trombone", formants=((550, 6, 0.6),), lowpass=3000, attack=0.045)
TUBA = replace(
    TRUMPET, name="tuba", partials=(0, -1, -5, -10, -16, -22, -28), formants=(), lowpass=1200, attack=0.05, gain=3,
)  # fmt: skip
HORN = replace(
    TRUMPET, name="horn", partials=(0, -2, -6, -11, -16, -20, -25, -30), formants=((400, 4, 0.6),), lowpass=2200,
    attack=0.06,
)  # fmt: skip
SAXOPHONE = Timbre(
    "tenor saxophone", (0, 1, -1, -4, -6, -8, -9, -10, -11, -13), -12, formants=((600, 3, 0.4), (2100, 7, 0.5)),
    lowpass=5000, attack=0.03, release=0.1, swell=0.4, vibrato=(5.1, 12, 0.25), tremolo=0.06,
    noise=(-52, 2200, 1.5), chiff=(-36, 0.03),
)  # fmt: skip
OBOE = Timbre(
    "oboe", (-6, -3, 0, -2, -8, -12, -16, -20), -14, formants=((1100, 6, 0.4), (2800, 5, 0.4)), attack=0.03,
    vibrato=(5.4, 12, 0.2), noise=(-46, 3500, 1.5), swell=0.3,
)  # fmt: skip
BASSOON = replace(
    OBOE, name="bassoon", partials=(-4, 0, -2, -6, -12, -18, -24), formants=((470, 8, 0.4), (1150, 4, 0.4)),
)  # fmt: skip
CLARINET = Timbre(
    "clarinet", (0, -34, -3, -30, -5, -24, -12, -22, -18, -27, -25, -32), -18, lowpass=3000, attack=0.035,
    release=0.07, swell=0.3, soft_tilt=5, noise=(-52, 2200, 1.4), chiff=(-34, 0.03), vibrato=(4.8, 3, 0.4),
)  # fmt: skip
FLUTE = Timbre(
    "flute", (0, -7, -14, -23, -31, -37), -16, attack=0.06, release=0.09, swell=0.2, vibrato=(5.3, 12, 0.25),
    tremolo=0.16, noise=(-45, 1200, 1.3), chiff=(-34, 0.05), soft_tilt=5,
)  # fmt: skip
LEAD = Timbre(
    "synth lead", (0, -6, -9.5, -12, -14, -15.6, -17, -18), -6, lowpass=5000, attack=0.006, voices=2, detune=8,
    gain=-2,
)  # fmt: skip
SQUARE = Timbre("square lead", (0, -60, -9.5, -60, -14, -60, -17, -60, -19), -8, lowpass=6000, attack=0.005, gain=-2)
PAD = Timbre(
    "synth pad", (0, -6, -10, -13, -17, -20, -24), -12, lowpass=2500, attack=0.25, release=0.4, voices=3, detune=10,
    gain=-3,
)  # fmt: skip
SITAR = replace(
    STEEL, name="sitar", partials=(0, -2, 1, -2, -1, -5, -4, -7, -8), slope=-7, decay=3.5, vibrato=(5, 14, 0.2),
)  # fmt: skip
KALIMBA = replace(MALLET, name="kalimba", decay=1.1, partials=(0, -24, -34, -40, -22, -45))

# General MIDI programs, first of each run up to the next one named.
PROGRAMS = {
    0: PIANO, 4: ELECTRIC_PIANO, 6: HARPSICHORD, 8: MALLET, 16: ORGAN, 21: ACCORDION, 22: HARMONICA, 23: ACCORDION,
    24: NYLON, 25: STEEL, 26: CLEAN, 29: OVERDRIVEN, 30: DISTORTED, 31: CLEAN, 32: UPRIGHT_BASS, 33: FINGER_BASS,
    34: PICK_BASS, 35: FINGER_BASS, 38: SYNTH_BASS, 40: VIOLIN, 41: VIOLA, 42: CELLO, 43: DOUBLE_BASS, 44: STRINGS,
    45: PIZZICATO, 46: HARP, 47: TIMPANI, 48: STRINGS, 50: PAD, 52: CHOIR, 53: VOICE, 55: STRINGS, 56: TRUMPET,
    57: TROMBONE, 58: TUBA, 59: TRUMPET, 60: HORN, 61: TROMBONE, 62: LEAD, 64: SAXOPHONE, 68: OBOE, 70: BASSOON,
    71: CLARINET, 72: FLUTE, 80: SQUARE, 81: LEAD, 88: PAD, 104: SITAR, 105: STEEL, 108: KALIMBA, 109: OBOE,
    110: VIOLIN, 111: OBOE, 112: MALLET, 116: TIMPANI, 120: PAD,
}  # fmt: skip
SINGER = 53  # "voice oohs" stands for the female singer


def timbre(program: int) -> Timbre:
    """The instrument of a General MIDI program, 0 to 127."""
    return PROGRAMS[max(first for first in PROGRAMS if first <= program)]
