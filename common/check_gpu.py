"""`make check-gpu`: list the GPUs and time each paper's largest step on them, without writing anything.

A paper's demo corpus is made if it is not there; the sizes are those of preset full.
"""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

from common import command, config as configuration, process, record


@dataclass(frozen=True)
class Options:
    """Options of the call.

    Attributes:
        cpu: time the steps even without a GPU.
    """

    cpu: bool = False


def main(arguments: list[str] | None = None) -> int:
    """0 when every paper's largest step ran on a GPU, 1 when one failed, 2 when there is no GPU."""
    options = command.parse(Options, __doc__, arguments)
    process.quiet_tensorflow()
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    for device in found:
        print(f"{device.name}: {tf.config.experimental.get_device_details(device).get('device_name', 'unknown')}")
    if not found and not options.cpu:
        print("error: TensorFlow sees no GPU. Put tensorflow[and-cuda] at the same pin into requirements.txt, then "
              "make clean check-gpu; --cpu times the steps without one.", file=sys.stderr)
        return 2
    from common import timing

    failed = 0
    for path in sorted((record.ROOT / "papers").glob("*/evaluate.py")):
        name = path.parent.name
        try:
            settings = importlib.import_module(f"papers.{name}.config")
            preprocess = importlib.import_module(f"papers.{name}.preprocess")
            train = importlib.import_module(f"papers.{name}.train")
            config = configuration.resolve(settings, "paper", "full")
            store = preprocess.preprocess(config, None, "smoke", Path("data/stores"), null=False)
            timer = timing.Timer(seconds=1.0, validations=False)
            rows = [row for job, (model, changed) in train.jobs(config).items()
                    for row in timer.rows(job, model, changed, store)]
            slowest = max(rows, key=lambda row: row.seconds_a_step)
            print(f"{name}: largest step {slowest.model}, {slowest.seconds_a_step:.3f} s, "
                  f"peak memory {slowest.peak_megabytes:.0f} MB")
        except Exception as error:  # the other papers are still of interest
            failed = 1
            print(f"error: {name}: {type(error).__name__}: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
