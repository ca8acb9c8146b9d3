// The list of patients: filters and keyboard.
import { find, findAll, typing } from "./common.js";

const rows = findAll(".worklist tbody tr").map((row) => ({ row, state: row.dataset.state, text: row.textContent.toLowerCase(), link: find("a", row) }));
let state = sessionStorage.getItem("state") ?? "";

function show() {
  const words = find("#find").value.toLowerCase();
  for (const one of rows) one.row.hidden = (state && one.state !== state) || !one.text.includes(words);
  for (const button of findAll(".filters button")) button.setAttribute("aria-pressed", button.dataset.state === state);
  find(".none").hidden = rows.some((one) => !one.row.hidden);
  sessionStorage.setItem("state", state);
}

for (const button of findAll(".filters button")) button.onclick = () => { state = button.dataset.state; show(); };
find("#find").oninput = show;
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { find("#find").value = ""; show(); find("#find").blur(); return; }
  if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") { event.preventDefault(); find("#find").focus(); }
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const shown = rows.filter((one) => !one.row.hidden);
  const here = shown.findIndex((one) => one.link === document.activeElement);
  shown[here < 0 ? 0 : Math.min(Math.max(here + step, 0), shown.length - 1)]?.link.focus();
});
show();
