// The page of the readers: let a blinded reading of a patient count.
import { call, find, findAll, remember, remembered, say, showClash } from "./common.js";

const form = find("form.take"), clash = find(".clash");
form.who.value = remembered();
form.onsubmit = (event) => event.preventDefault();

async function takeOver(button, seen = button.dataset.head) {
  if (!form.reportValidity()) return;
  const { patient, reader } = button.dataset;
  say("Saving …");
  clash.hidden = true;
  try {
    const answer = await call(`/api/${patient}/take-over`, { reader, who: form.who.value, why: form.why.value, seen });
    remember(form.who.value);
    for (const one of findAll(`button.take-over[data-patient="${patient}"]`)) one.dataset.head = answer.head;
    say(answer.saved ? `${patient} stands as ${reader} read it: ${answer.saved} ${answer.saved === 1 ? "decision" : "decisions"}.` : `${patient} stood as ${reader} read it already.`);
  } catch (error) {
    say("");
    showClash(error, clash, () => takeOver(button, error.content.head));
  }
}
for (const button of findAll("button.take-over")) button.onclick = () => takeOver(button);
