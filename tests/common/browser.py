"""Look at pages in headless Chromium over its debugging pipe: no server, no network, nothing but the standard library.

`python -m tests.common.browser PAGE… [--shots DIR]` opens files from disk at 1280 and 390 pixels in light and dark,
and as printed, and prints what is wrong with them: requests, console errors, horizontal scroll, clipped text, weak
contrast.
"""

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--mute-audio", "--hide-scrollbars",
         "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe")
VIEWS = tuple((width, scheme) for width in (1280, 390) for scheme in ("light", "dark"))
PRINTED = (718, "print")  # an A4 page between margins of 1 cm

MEASURE = r"""
(() => {
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  const problems = [], wide = document.documentElement.scrollWidth, view = document.documentElement.clientWidth;
  if (wide > view) problems.push(`horizontal scroll: ${wide} > ${view}`);
  const channel = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const light = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const colour = (text) => (text.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const c = colour(getComputedStyle(at).backgroundColor);
      if (c.length < 4 || c[3] === 1) return c;
      if (c[3] > 0) problems.push("half transparent background: " + at.className);
    }
    return [255, 255, 255];
  };
  let texts = 0, least = 21;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, element = node.parentElement;
    if (!node.data.trim() || element.closest("script, style, .skip, thead, svg title")) {
      if (!(element.closest("thead") && view > 800 && node.data.trim() && !element.closest("script"))) continue;
    }
    if (!element.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const says = node.data.trim().slice(0, 40), style = getComputedStyle(element);
    const scrolled = element.closest("pre[tabindex='0'], .equation");  // code and equations scroll in their own box
    for (const box of scrolled ? [] : range.getClientRects()) {
      if (box.right > view + 1 || box.left < -1) { problems.push(`outside the page: ${says}`); break; }
      for (let at = element; at && at !== document.body; at = at.parentElement) {
        const around = getComputedStyle(at), edge = at.getBoundingClientRect();
        const cuts = around.overflowX !== "visible" || ["svg", "TD", "TH", "FIGURE"].includes(at.tagName)
          || at.className === "tile";
        if (cuts && (box.right > edge.right + 1 || box.left < edge.left - 1)) problems.push(`clipped: ${says}`);
      }
    }
    const ink = colour(element.closest("svg") ? style.fill : style.color), back = ground(element);
    const high = Math.max(light(ink), light(back)), low = Math.min(light(ink), light(back));
    const contrast = (high + 0.05) / (low + 0.05);
    texts += 1;
    least = Math.min(least, contrast);
    if (contrast < 4.5) problems.push(`contrast ${contrast.toFixed(2)}: ${says}`);
  }
  for (const image of document.images) {
    if (image.complete && !image.naturalWidth) problems.push("picture not shown: " + image.getAttribute("src"));
  }
  return {problems: [...new Set(problems)], texts, contrast: least, height: document.documentElement.scrollHeight};
})()
"""


class Browser:
    """A headless Chromium and one page in it; `events` collects what the page asked for and complained about."""

    def __init__(self):
        self.profile = tempfile.mkdtemp()
        from_us, to_browser = os.pipe()
        from_browser, to_us = os.pipe()
        script = f'exec "$@" 3<&{from_us} 4>&{to_us}'
        self.process = subprocess.Popen(
            ["bash", "-c", script, "bash", PROGRAM, *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
            pass_fds=(from_us, to_us), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(from_us)
        os.close(to_us)
        self.output, self.input = os.fdopen(to_browser, "wb", 0), os.fdopen(from_browser, "rb", 0)
        self.rest, self.number, self.session, self.events = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session = None
        self.call("Browser.close")
        self.process.wait(20)
        self.output.close()
        self.input.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _receive(self):
        while b"\0" not in self.rest:
            piece = os.read(self.input.fileno(), 1 << 20)
            if not piece:
                raise RuntimeError("the browser ended")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        """One protocol call; returns its result, keeps the events that come in between."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        self.output.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def evaluate(self, script):
        """The value of a script in the page (promises are waited for)."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def open(self, path, width, scheme="light", height=900):
        """Open a file from disk at a width, light, dark or as printed, and wait until all of it is there."""
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        colours = [{"name": "prefers-color-scheme", "value": "light" if scheme == "print" else scheme}]
        self.call("Emulation.setEmulatedMedia", media="print" if scheme == "print" else "", features=colours)
        self.call("Page.navigate", url=Path(path).resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())
        self.evaluate("""(async () => { document.querySelectorAll("details").forEach((one) => { one.open = true; });
            document.querySelectorAll("img").forEach((one) => { one.loading = "eager"; });
            await Promise.all([...document.images].map((one) => one.decode().catch(() => 0))); })()""")

    def complaints(self):
        """Requests that are not for files, console errors, exceptions since the page was opened."""
        found = []
        for event in self.events:
            parameters, method = event.get("params", {}), event.get("method")
            if method == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                found += [] if url.startswith(("file:", "data:", "about:")) else [f"request: {url}"]
            elif method == "Network.loadingFailed" and not parameters.get("canceled"):
                found.append(f"not loaded: {parameters.get('errorText')}")
            elif method == "Runtime.exceptionThrown" or (
                    method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning")):
                found.append(f"console: {json.dumps(parameters)[:200]}")
            elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
                found.append(f"log: {parameters['entry']['text']}")
        return found

    def press(self, key, code):
        """One key down and up, as a keyboard does."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def screenshot(self, path):
        """The whole page as PNG."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "scale": 1, "width": self.evaluate("document.documentElement.clientWidth"),
            "height": min(16000, self.evaluate("document.documentElement.scrollHeight"))})
        Path(path).write_bytes(base64.b64decode(shot["data"]))


def examine(browser, path, width, scheme):
    """Open a page; returns (problems, measurements)."""
    browser.open(path, width, scheme)
    measured = browser.evaluate(MEASURE)
    return browser.complaints() + measured.pop("problems"), measured


def main(arguments=None):
    """Examine pages named on the command line; 1 where one has a problem."""
    parser = argparse.ArgumentParser(prog="python -m tests.common.browser", description=__doc__.split("\n\n")[1])
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--shots", type=Path, help="also save pictures of the pages here")
    options = parser.parse_args(arguments)
    if not PROGRAM:
        print("no Chromium found; next: apt-get install chromium", file=sys.stderr)
        return 2
    wrong = 0
    with Browser() as browser:
        for path in options.pages:
            for width, scheme in (*VIEWS, PRINTED):
                problems, measured = examine(browser, path, width, scheme)
                wrong += len(problems)
                print(f"{path} {width} {scheme}: {measured['texts']} texts, least contrast {measured['contrast']:.2f}, "
                      f"{len(problems)} problems")
                for problem in problems:
                    print(f"  {problem}")
                if options.shots:
                    options.shots.mkdir(parents=True, exist_ok=True)
                    browser.screenshot(options.shots / f"{path.parent.name}-{path.stem}-{width}-{scheme}.png")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
