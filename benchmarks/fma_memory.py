"""Memory and time of fma_interpolation's trainings at the paper's size, and of its input pipeline.

    python -m benchmarks.fma_memory                  # every model, each in its own process, two steps
    python -m benchmarks.fma_memory --model cnn_1 --batch 4
    python -m benchmarks.fma_memory --pipeline 8000    # peak memory of reading that many images
    python -m benchmarks.fma_memory --preprocess 400   # peak memory of preprocessing that many clips, of every process
    python -m benchmarks.fma_memory --preprocess 2 --seconds 3600    # the same for long recordings

A model is refused where less memory is free than it is thought to need. Images are made up; sizes, batches, losses
and optimizers are those of preset full. The pipeline reads a store whose index repeats a few images; preprocessing
reads a folder in which a few recordings appear under many names.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

# Measured peak GB on one core with a margin of about a tenth: a model is refused where less is free.
NEEDS = {"autoencoder-baseline": 4.0, "autoencoder-conv2d": 4.2, "autoencoder-inception": 9.5,
         "autoencoder-conv1d": 1.0, "cnn_1": 7.3, "cnn_2": 1.3, "rnn": 5.0}
REPEATED = 16


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=NEEDS, help="one model only, in this process")
    parser.add_argument("--batch", type=int, help="another batch size than the paper's, for --model")
    parser.add_argument("--pipeline", type=int, metavar="IMAGES", help="images to read")
    parser.add_argument("--preprocess", type=int, metavar="CLIPS", help="clips to preprocess")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the clips of --preprocess")
    options = parser.parse_args()
    if options.preprocess:
        preprocessing(options.preprocess, options.seconds)
    elif options.pipeline:
        pipeline(options.pipeline)
    elif options.model:
        sys.exit(model(options.model, options.batch))
    else:
        for name in NEEDS:
            subprocess.run([sys.executable, "-m", "benchmarks.fma_memory", "--model", name], check=False)


def peak():
    """Peak memory of this process in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def free():
    """Memory available now in GB."""
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))
    return int(line.split()[1]) / 1e6


class MadeUp:
    """Stands for a store of eight genres with as many images as asked for."""

    fingerprint = "made up"

    def __init__(self, count):
        self.index = [{"label": f"genre {i % 8}", "split": "training", "group": str(i), "offset": 0}
                      for i in range(count)]
        self.picture = np.random.default_rng(0).random((512, 640), np.float32)

    def images(self, rows):
        """One picture for all rows."""
        return np.broadcast_to(self.picture, (len(rows), *self.picture.shape))


def model(name, batch=None):
    """Two steps of one model; prints seconds a step, parameters and peak memory."""
    if batch is None and free() < NEEDS[name]:
        print(f"{name}: refused, it needs about {NEEDS[name]:.1f} GB and {free():.1f} GB are free")
        return 2
    from common import loop, training
    from common.config import resolve
    from common.machine import Machine
    from common.process import quiet_tensorflow

    quiet_tensorflow()
    from papers.fma_interpolation import config as settings, train

    sizes = dict.fromkeys(("baseline_batch", "batch", "classifier_batch"), batch) if batch else {}
    config = resolve(settings, "paper", "full", sizes)
    store = MadeUp(64)
    learner = train.MODELS[name].build(config, store)
    stage = train.MODELS[name].stages(config, store, 0)[0]
    step = loop.Steps(training.choose_strategy(), learner, stage, 0, Machine(steps_per_call=1))
    for index in range(2):
        began = time.perf_counter()
        step(index)[1].numpy()
        seconds = time.perf_counter() - began
    step.feed.close()
    parameters = sum(network.count_params() for network in learner.networks.values())
    print(f"{name:24}batch {stage.batches.batch_size:3}{parameters:14,} parameters{seconds:8.1f} s a step"
          f"{peak():8.1f} GB peak", flush=True)
    return 0


def pipeline(count):
    """Read `count` images in batches of 32 from a store that repeats a few; prints the peak memory."""
    from common.store import Store, read_exr, write_exr
    from papers.fma_interpolation.config import GENRES

    with tempfile.TemporaryDirectory() as folder:
        random = np.random.default_rng(0)
        for k in range(REPEATED):
            write_exr(Path(folder) / f"{k}.exr", random.random((512, 640), np.float32), {})

        class Repeated(Store):
            index = [{"label": GENRES[i % 8], "path": f"{i % REPEATED}.exr"} for i in range(count)]

            def image(self, row):
                return read_exr(self.directory / row["path"])

        from papers.fma_interpolation.data import reader

        read, before, began = reader(Repeated(Path(folder)), np.arange(count)), peak(), time.perf_counter()
        for start in range(0, count, 32):
            read(np.arange(start, min(start + 32, count)))
        print(f"{count} images, {count * 512 * 640 * 4 / 1e9:.1f} GB: peak {peak():.2f} GB (before {before:.2f} GB), "
              f"{count / (time.perf_counter() - began):.0f} images/s")


def preprocessing(clips, seconds):
    """Preprocess `clips` made-up stereo clips at the paper's size; prints the peak of each process and of their sum."""
    import soundfile

    from papers.fma_interpolation import preprocess

    with tempfile.TemporaryDirectory() as folder:
        random, music, first = np.random.default_rng(0), Path(folder) / "music", []
        for k in range(clips):
            path = music / f"genre {k % 8}" / f"{k:06d}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            if k < min(REPEATED, clips):
                tone = 0.1 * np.sin(np.arange(int(seconds * 44100)) * (0.01 + 0.01 * k))
                noise = 0.1 * random.standard_normal((len(tone), 2), np.float32)
                soundfile.write(path, noise + tone[:, None].astype(np.float32), 44100)
                first.append(path)
            else:
                path.hardlink_to(first[k % REPEATED])
        size = sum(path.stat().st_size for path in music.rglob("*.flac")) / 1e9
        began, peaks, together = time.perf_counter(), {}, 0.0
        process = subprocess.Popen(
            [sys.executable, "-m", "papers.fma_interpolation.preprocess", "--preset", "full", "--data", str(music),
             "--stores", str(Path(folder) / "stores")], start_new_session=True, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            now = memory_of_group(process.pid)
            together = max(together, sum(resident for resident, _ in now.values()))
            peaks |= {pid: peak for pid, (_, peak) in now.items()}
            time.sleep(0.1)
        minutes = (time.perf_counter() - began) / 60
        images = preprocess.image_count(int(seconds * 32768)) * clips * 512 * 640 * 4 / 1e9
        workers = [peak for pid, peak in peaks.items() if pid != process.pid]
        print(f"{clips} clips of {seconds:.0f} s, {size:.1f} GB, to {images:.1f} GB of images in {minutes:.1f} min: "
              f"exit code {process.returncode}, peak of the parent {peaks[process.pid]:.2f} GB, of the largest of "
              f"{len(workers)} other processes {max(workers, default=0):.2f} GB, of all together {together:.2f} GB")


def memory_of_group(group):
    """{process: (resident GB now, at its peak)} of a process group; pages that processes share count in each."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if int((status.parent / "stat").read_text().rsplit(")", 1)[1].split()[2]) == group:
                fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
                found[int(status.parent.name)] = tuple(int(fields[key].split()[0]) / 1e6 for key in ("VmRSS", "VmHWM"))
        except (OSError, KeyError, IndexError):
            continue  # it has ended meanwhile
    return found


if __name__ == "__main__":
    main()
