// A save without what the server would refuse it for is stopped before its secrets leave the form, which the refusal would
// empty. The test, which is sent from the same form, needs none of it.

function refuse(field) {
  const place = field.closest(".field");
  const error = place.querySelector("template").content.firstElementChild.cloneNode(true);
  error.id = `${field.id}_error`;
  place.querySelector(".field__error")?.remove();
  place.append(error);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", error.id);
  field.focus();
}

// What is said of the field, here or by the server, holds until something is typed.
function forgive(field) {
  field.closest(".field").querySelector(".field__error")?.remove();
  field.removeAttribute("aria-invalid");
  field.removeAttribute("aria-describedby");
}

// Before htmx hears of it; others who have an objection say theirs too.
document.addEventListener(
  "submit",
  (event) => {
    const field = event.target.querySelector("[data-needed]");
    if (!field || field.value.trim() || event.submitter?.hasAttribute("formaction")) return;
    event.preventDefault();
    event.stopPropagation();
    refuse(field);
  },
  { capture: true },
);

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-needed][aria-invalid]") && event.target.value.trim()) forgive(event.target);
});
