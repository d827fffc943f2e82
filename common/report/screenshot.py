"""A picture of a page for the README, by a headless Chromium."""

import io
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

from common.errors import DataError
from common.files import whole

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 120


def take(page: Path, target: Path, width: int, height: int) -> Path:
    """Write the top of a page, `width` x `height` pixels, as a PNG of few colours; returns its path.

    Raises:
        DataError: no such page, no Chromium, or one that makes no picture.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not page.is_file():
        raise DataError(f"{page}: no such page; next: python -m common.report")
    if not program:
        raise DataError(f"none of {', '.join(PROGRAMS)} is installed; install Chromium to take pictures of pages")
    with tempfile.TemporaryDirectory(prefix="encore-picture-") as place:
        shot = Path(place) / "page.png"
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                 f"--user-data-dir={place}/profile", f"--window-size={width},{height}", f"--screenshot={shot}")
        try:
            subprocess.run((program, *flags, page.resolve().as_uri()), check=True, capture_output=True, timeout=SECONDS)
            picture = Image.open(io.BytesIO(shot.read_bytes())).convert("RGB")
        except (subprocess.SubprocessError, OSError) as error:
            raise DataError(f"{page}: {program} made no picture ({type(error).__name__})") from None
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole(target) as temporary, open(temporary, "wb") as file:
        picture.quantize(96, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return target
