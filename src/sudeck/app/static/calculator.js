// The calculator on the page of a patient: every number typed is worked out by the server as sudeck calculate would.
import { call, find, findAll, fixed, make, newest, page } from "./common.js";

const form = find("form.calculator"), answer = find(".worked-out");

const ask = newest((question) => call(`/api/${page.patient}/calculate`, question), shown, (error) => answer.replaceChildren(make("p", { class: "quiet" }, error.message)));

function shown(found) {
  const met = make("p", {}, make("b", {}, `${found.met} of 3`), " published cut-offs exceeded: ",
    Object.entries(found.rule).map(([name, one]) => `${name} ${fixed(one.value)}${one.above ? "" : " (not)"}`).join(", "), ".");
  const chance = found.probability;
  const probability = chance
    ? [make("p", { class: "chance" }, make("b", {}, `${Math.round(100 * chance.value)} %`), ` probability of response (${Math.round(100 * chance.low)} to ${Math.round(100 * chance.high)} %)`)]
    : [make("p", { class: "quiet" }, "No probability: the study has no model yet (sudeck predict).")];
  const flags = found.flags.map((text) => make("li", { class: "caution" }, text));
  const origin = found.origin.length ? [make("details", {}, make("summary", {}, "Where this comes from"), make("ul", {}, ...found.origin.map((text) => make("li", {}, text))))] : [];
  answer.replaceChildren(...probability, met, ...(flags.length ? [make("ul", { class: "flags" }, ...flags)] : []), ...origin);
}

if (form) {
  const fields = findAll("input, select", form);
  const work = () => {
    if (["VPr", "TPr", "BPr"].every((name) => form[name].value.trim())) ask(Object.fromEntries(fields.map((one) => [one.name, one.value])));
    else answer.replaceChildren(make("p", { class: "quiet" }, "Fill in the three ratios."));
  };
  for (const one of fields) one.oninput = work;
  form.onsubmit = (event) => event.preventDefault();
  work();
}
