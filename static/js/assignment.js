// The list of API keys: off while the whole organization is chosen, filterable, counted; and a save that would serve
// nobody is stopped before its secret leaves the form, which the server's refusal would empty.

function update(assignment) {
  const choices = assignment.querySelector("fieldset");
  choices.disabled = assignment.querySelector("[name=assign_to_organization]").checked;
  choices.setAttribute("aria-disabled", choices.disabled);
  const boxes = [...choices.querySelectorAll("[name=api_key_ids]")];
  const count = choices.querySelector("[data-count]");
  if (count) count.textContent = `${boxes.filter((box) => box.checked).length} of ${boxes.length} chosen`;
}

const serves = (assignment) =>
  assignment.querySelector("[name=assign_to_organization]:checked, [name=api_key_ids]:checked") !== null;

function refuse(assignment) {
  const box = assignment.querySelector("[name=assign_to_organization]");
  const choices = assignment.querySelector("fieldset");
  if (!assignment.querySelector(".field__error")) {
    choices.after(assignment.querySelector("template").content.cloneNode(true));
    choices.classList.add("choices--invalid");
    box.setAttribute("aria-invalid", "true");
    box.setAttribute("aria-describedby", "id_api_key_ids_error");
    assignment.querySelector("#assignment-whom").hidden = true;
  }
  box.focus();
}

function forgive(assignment) {
  const error = assignment.querySelector("[data-unassigned]");
  if (!error || !serves(assignment)) return;
  const box = assignment.querySelector("[name=assign_to_organization]");
  error.remove();
  assignment.querySelector("fieldset").classList.remove("choices--invalid");
  box.removeAttribute("aria-invalid");
  box.setAttribute("aria-describedby", "assignment-whom");
  assignment.querySelector("#assignment-whom").hidden = false;
}

function filter(field) {
  const choices = field.closest("fieldset");
  const wanted = field.value.trim().toLowerCase();
  let shown = 0;
  for (const choice of choices.querySelectorAll("li")) {
    choice.hidden = !choice.querySelector("label").textContent.toLowerCase().includes(wanted);
    shown += choice.hidden ? 0 : 1;
  }
  choices.querySelector("[data-none]").hidden = shown > 0;
}

const updateAll = (root) => {
  for (const assignment of root.querySelectorAll?.("[data-assignment]") ?? []) update(assignment);
};

updateAll(document);
document.addEventListener("htmx:load", (event) => {
  updateAll(event.target);
  // The list alone, made anew: what stands around it stays.
  const around = event.target.closest?.("[data-assignment]");
  if (around) update(around);
});

document.addEventListener("change", (event) => {
  const assignment = event.target.closest("[data-assignment]");
  if (!assignment) return;
  update(assignment);
  forgive(assignment);
});

// Before htmx hears of it. The test, which is sent from here too, needs no assignment.
const beforeAll = { capture: true };
document.addEventListener(
  "submit",
  (event) => {
    const assignment = event.target.querySelector("[data-assignment]");
    if (!assignment || event.submitter?.hasAttribute("formaction") || serves(assignment)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    refuse(assignment);
  },
  beforeAll,
);

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-filter]")) filter(event.target);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-filter]")) event.preventDefault();
});
