"""A script as a process: how it ends, what it says of an expected error, what TensorFlow may print at its start."""

import contextlib
import errno
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from common.errors import EncoreError

EXPECTED = (EncoreError, OSError)
ADVICE = {errno.ENOSPC: "free some space, the same command goes on", errno.EDQUOT: "free some space, the same command "
          "goes on", errno.EROFS: "name another folder", errno.EACCES: "change its permissions or name another folder",
          errno.EPERM: "change its permissions or name another folder"}


def one_line(error: BaseException) -> str:
    """An error as one line: an operating system's with its file first and, where there is one, the next step."""
    if isinstance(error, OSError) and error.strerror:
        advice = f"; {ADVICE[error.errno]}" if error.errno in ADVICE else ""
        return f"{error.filename or 'writing'}: {error.strerror.lower()}{advice}"
    return " ".join(str(error).split()) or type(error).__name__


@contextlib.contextmanager
def one_line_errors(*more: type[Exception]) -> Iterator[None]:
    """In a script's main: an expected error (and those of `more`) becomes one line on stderr and exit code 2."""
    with contextlib.suppress(AttributeError, ValueError):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        yield
    except (*EXPECTED, *more) as error:  # type: ignore[misc]
        print(f"error: {one_line(error)}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


@contextlib.contextmanager
def stopping() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the whole call, not the step at work alone: one line, exit code 130 or 143.

    Processes that preprocess end with it. Training sets handlers of its own meanwhile: it saves first.
    """
    def terminate(number, frame):
        print("stopped; the same command goes on", file=sys.stderr, flush=True)
        raise SystemExit(128 + number)

    warnings.filterwarnings("ignore", message=r"\d+ tasks which were still being processed")  # joblib's, on a stop
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr, flush=True)
        raise SystemExit(130) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def quiet_tensorflow() -> None:
    """Import TensorFlow without its start-up notes on the screen; TF_CPP_MIN_LOG_LEVEL=0 shows them."""
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1" if Path("/dev/nvidiactl").exists() else "3") != "3":
        return
    sys.stderr.flush()
    screen, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)  # the notes are written before any log level is read
    try:
        import tensorflow

        tensorflow.config.list_physical_devices()
        tensorflow.get_logger().setLevel("ERROR")  # notes on retracing, which a batch of another size sets off
    finally:
        os.dup2(screen, 2)
        os.close(screen)
        os.close(nowhere)
