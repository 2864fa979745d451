// A press that the server would refuse for a blank is stopped before its secrets leave the form, which the refusal would
// empty: all that is missing is said at once, and focus goes to the first of it. A test needs credentials alone. What is
// missing each part of the form knows; it puts the field and the place of its words into the event's detail.

const isBlank = (field) => !field.value.trim();
const follows = (one, other) => one.field.compareDocumentPosition(other.field) & Node.DOCUMENT_POSITION_PRECEDING;

function lackingIn(form, saves) {
  const lacking = saves
    ? [...form.querySelectorAll("[data-needed]")].filter(isBlank).map((field) => ({ field, place: field.closest("[data-blank]") }))
    : [];
  form.dispatchEvent(new CustomEvent("lacking", { bubbles: true, detail: { saves, lacking } }));
  return lacking.sort((one, other) => (follows(one, other) ? 1 : -1));
}

// Made anew at each press, so that it is heard at each. It stands beside the field, for one that takes a secret holds no
// words of ours.
function say({ field, place }) {
  const error = document.getElementById("field-error").content.firstElementChild.cloneNode(true);
  error.id = place.dataset.errorId ?? `${field.id}_error`;
  error.querySelector("p").textContent = place.dataset.blank;
  place.querySelector(".field__error")?.remove();
  place.append(error);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", error.id);
}

function stopIncomplete(event, form, saves) {
  const lacking = lackingIn(form, saves);
  if (!lacking.length) return;
  event.preventDefault();
  event.stopPropagation();
  lacking.forEach(say);
  lacking[0].field.focus();
  lacking[0].place.querySelector(".field__error").scrollIntoView({ block: "nearest" });
}

// Before htmx hears of it.
const beforeAll = { capture: true };

document.addEventListener(
  "submit",
  (event) => {
    if (!event.submitter?.hasAttribute("formaction")) stopIncomplete(event, event.target, true);
  },
  beforeAll,
);

document.addEventListener(
  "click",
  (event) => {
    const test = event.target.closest("[data-test] [formaction]");
    if (test) stopIncomplete(event, test.form, false);
  },
  beforeAll,
);

// What is said of a field that was left blank, here or by the server, holds until something stands in it, or until a tick
// beside it says that what is stored stays.
// A secret comes back empty from every refusal: whatever was said of it was said of other bytes.
document.addEventListener("input", ({ target }) => {
  const place = target.closest(target.matches(".secret-input") ? ".field" : ".field[data-blank]");
  const refused = place?.querySelector("[aria-invalid]");
  if (!refused || !(target.type === "checkbox" ? target.checked : target.value.trim())) return;
  refused.dispatchEvent(new Event("settled", { bubbles: true }));
});
