// Listening: one player a grid. Another tile is heard from the same place on; levels are matched; a playhead moves.
(() => {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const decks = [];
  const silence = (except) => {
    decks.forEach((deck) => { if (deck !== except) deck.pause(); });
    document.querySelectorAll("audio").forEach((other) => { if (other !== except) other.pause(); });
  };
  document.addEventListener("play", (event) => silence(event.target), true);

  const makeDeck = (box) => {
    const part = (name) => box.querySelector(name);
    const [button, now, match, view, head, slider, time] = [".play", ".now", ".match input", ".view img", ".view i",
      ".stage input[type=range]", ".time"].map(part);
    const tiles = [...box.querySelectorAll("a[data-audio]")];
    const sounds = new Map();
    let tile = null, sound = null, frame = 0;

    const soundOf = (one) => {
      if (!sounds.has(one)) {
        const made = new Audio(one.href);
        made.preload = "auto";
        ["timeupdate", "loadedmetadata", "seeked"].forEach((name) => made.addEventListener(name, draw));
        ["play", "pause", "ended"].forEach((name) => made.addEventListener(name, state));
        made.addEventListener("error", () => { now.textContent = `cannot be played: ${one.getAttribute("href")}`; });
        sounds.set(one, made);
      }
      return sounds.get(one);
    };
    const length = () => (Number.isFinite(sound.duration) && sound.duration) || +tile.dataset.seconds || 0;
    const draw = () => {
      if (!tile) return;
      const share = length() ? Math.min(1, sound.currentTime / length()) : 0;
      head.style.left = `${100 * share}%`;
      slider.value = Math.round(1000 * share);
      time.textContent = `${sound.currentTime.toFixed(1)} of ${length().toFixed(1)} s`;
      slider.setAttribute("aria-valuetext", time.textContent);
    };
    const tick = () => {
      draw();
      if (!sound.paused && !still.matches) frame = requestAnimationFrame(tick);
    };
    const state = () => {
      const on = Boolean(sound) && !sound.paused && !sound.ended;
      button.textContent = on ? "Pause" : "Play";
      tiles.forEach((one) => one.classList.toggle("playing", on && one === tile));
      cancelAnimationFrame(frame);
      if (on && !still.matches) frame = requestAnimationFrame(tick); else draw();
    };
    const level = () => { if (sound) sound.volume = match.checked ? 10 ** (+(tile.dataset.gain || 0) / 20) : 1; };
    const play = () => { silence(deck); sound.play().catch(state); };
    const choose = (next, keep) => {
      const place = sound && keep ? sound.currentTime : 0, on = Boolean(sound) && !sound.paused;
      if (sound) sound.pause();
      if (tile) tile.removeAttribute("aria-current");
      tile = next;
      tile.setAttribute("aria-current", "true");
      sound = soundOf(tile);
      level();
      const seek = () => { if (place < length()) sound.currentTime = place; };
      if (sound.readyState) seek(); else sound.addEventListener("loadedmetadata", seek, { once: true });
      view.src = tile.dataset.picture || tile.querySelector("img")?.src || "data:,";
      now.textContent = tile.dataset.says;
      if (on) play();
      state();
    };
    const deck = { pause: () => { if (sound) sound.pause(); } };
    const toggle = () => { if (sound.paused || sound.ended) play(); else sound.pause(); };

    button.addEventListener("click", toggle);
    match.addEventListener("change", level);
    slider.addEventListener("input", () => { sound.currentTime = slider.value / 1000 * length(); draw(); });
    part(".view").addEventListener("click", (event) => {
      const area = event.currentTarget.getBoundingClientRect();
      sound.currentTime = (event.clientX - area.left) / area.width * length();
      draw();
    });
    tiles.forEach((one) => one.addEventListener("click", (event) => {
      event.preventDefault();
      if (one === tile) toggle();
      else { choose(one, true); play(); }
    }));
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    box.addEventListener("keydown", (event) => {
      const from = event.target.closest("a[data-audio]");
      if (!from) return;
      if (event.key === " ") { event.preventDefault(); from.click(); }
      if (!moves[event.key]) return;
      event.preventDefault();
      const [row, column] = moves[event.key].map((step, axis) => step + +from.dataset[axis ? "column" : "row"]);
      const next = tiles.find((other) => +other.dataset.row === row && +other.dataset.column === column);
      if (next) { next.focus(); choose(next, true); }
    });
    box.addEventListener("pointerenter", () => tiles.slice(0, 12).forEach(soundOf), { once: true });
    decks.push(deck);
    if (tiles.length) choose(tiles[0], false);
  };
  document.querySelectorAll(".listen").forEach(makeDeck);
})();
