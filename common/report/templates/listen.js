(() => {
  const player = new Audio();
  let playing = null;
  const stop = () => { if (playing) { playing.classList.remove("playing"); playing.removeAttribute("aria-current"); playing = null; } };
  player.addEventListener("ended", stop);
  document.addEventListener("play", (event) => {
    document.querySelectorAll("audio").forEach((other) => { if (other !== event.target) other.pause(); });
    if (event.target !== player) { player.pause(); stop(); }
  }, true);
  document.querySelectorAll("a[data-audio]").forEach((tile) => tile.addEventListener("click", (event) => {
    event.preventDefault();
    const same = playing === tile;
    player.pause();
    stop();
    if (same) return;
    document.querySelectorAll("audio").forEach((other) => other.pause());
    playing = tile;
    tile.classList.add("playing");
    tile.setAttribute("aria-current", "true");
    player.src = tile.href;
    player.play().catch(stop);
  }));
})();
