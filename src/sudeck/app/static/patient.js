// The page of a patient: sign off, reopen, take a decision back.
import { call, find, findAll, page, remember, remembered, say, showClash } from "./common.js";

const form = find("form.sign"), clash = find(".clash");
form.who.value = remembered();
form.who.readOnly = Boolean(page.reader);

async function save(drafts, session, seen = page.head) {
  say("Saving …");
  try {
    await call(`/api/${page.patient}/decisions`, { session, drafts, who: form.who.value, why: form.why.value, seen });
    remember(form.who.value);
    location.reload();
  } catch (error) {
    say("");
    showClash(error, clash, () => save(drafts, session, error.content.head));
  }
}

form.onsubmit = (event) => {
  event.preventDefault();
  const act = event.submitter?.value ?? "signed-off";
  save([{ kind: act, about: "", value: form.dataset.signed ? null : true }], "");
};
for (const button of findAll("button.back")) button.onclick = () => {
  if (form.reportValidity()) save([{ kind: button.dataset.kind, about: button.dataset.about, value: null }], button.dataset.session);
};
