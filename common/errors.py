"""The errors that are expected: bad input, a wrong call, a run that cannot go on. One line each, no traceback.

Every message names the file and says what to do next. No TensorFlow here, so that any script can catch them.
"""


class EncoreError(Exception):
    """What a script turns into one line on stderr and exit code 2."""


class AudioError(EncoreError):
    """A recording that cannot be used."""


class BusyError(EncoreError):
    """Another process writes here."""


class CheckpointError(EncoreError):
    """A checkpoint that does not fit the networks or the settings; the message says which part."""


class ClaimsError(EncoreError, ValueError):
    """claims.csv or results.json cannot be read as what it should be."""


class DataError(EncoreError):
    """A data set that is missing, incomplete beyond use or not what it should be."""


class MidiError(EncoreError, ValueError):
    """A MIDI file that cannot be used."""


class StoreError(EncoreError):
    """A store that cannot be built or read."""


class TrainingError(EncoreError):
    """Training cannot start or go on."""


class SizeError(EncoreError, ValueError):
    """A size that trains, splits or measures nothing."""


class StaleError(TrainingError):
    """A training that other code, settings, data or packages began: to be started over, or accepted by name."""


class WeightsError(EncoreError, ValueError):
    """A file of network weights that cannot be used."""
