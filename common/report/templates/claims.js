// Claims: find, sort, and open what a link leads to.
(() => {
  document.documentElement.classList.add("script");
  const find = document.getElementById("find"), sort = document.getElementById("sort");
  const rows = [...document.querySelectorAll(".claims tr[data-kind]")];
  rows.forEach((row, place) => { row.dataset.place = place; });
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
  find.addEventListener("input", () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const miss = (one) => !words.every((word) => one.textContent.toLowerCase().includes(word));
    [...rows, ...document.querySelectorAll("[data-claim]")].forEach((one) => one.classList.toggle("hidden", miss(one)));
    document.querySelectorAll("details.place, details.reasons").forEach((place) => {
      const any = place.querySelector("tr[data-kind]:not(.hidden), [data-claim]:not(.hidden)");
      place.classList.toggle("hidden", !any);
      place.open = Boolean(words.length && any);
    });
  });
  const order = { yes: 0, no: 1, open: 2 };
  const verdict = (row) => Math.min(3, ...row.dataset.tones.split(" ").map((tone) => order[tone] ?? 3));
  const keys = { place: (row) => +row.dataset.place, verdict, id: (row) => row.id };
  sort.addEventListener("change", () => {
    const key = keys[sort.value];
    const compare = (a, b) => (sort.value === "id" ? key(a).localeCompare(key(b), "en", { numeric: true })
      : key(a) - key(b) || a.dataset.place - b.dataset.place);
    new Set(rows.map((row) => row.parentElement)).forEach((body) => body.append(...[...body.children].sort(compare)));
  });
})();
