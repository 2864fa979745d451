// The list of API keys: off while the whole organization is chosen, filterable, counted; and what is said of a choice of
// nobody.

function update(assignment) {
  const choices = assignment.querySelector("fieldset");
  choices.disabled = assignment.querySelector("[name=assign_to_organization]").checked;
  choices.setAttribute("aria-disabled", choices.disabled);
  choices.classList.toggle("choices--invalid", assignment.querySelector(".field__error") !== null);
  const boxes = [...choices.querySelectorAll("[name=api_key_ids]")];
  const count = choices.querySelector("[data-count]");
  if (count) count.textContent = `${boxes.filter((box) => box.checked).length} of ${boxes.length} chosen`;
}

const serves = (assignment) =>
  assignment.querySelector("[name=assign_to_organization]:checked, [name=api_key_ids]:checked") !== null;

document.addEventListener("lacking", ({ target, detail }) => {
  const assignment = target.querySelector("[data-assignment]");
  if (!detail.saves || !assignment || serves(assignment) || "mayServeNobody" in assignment.dataset) return;
  const field = assignment.querySelector("[name=assign_to_organization]");
  const whom = assignment.querySelector("#assignment-whom");
  if (whom) whom.hidden = true;
  detail.lacking.push({ field, place: assignment.querySelector("[data-blank]") });
});

// What is said of the choice, here or by the server, holds until somebody is chosen.
function forgive(assignment) {
  const error = assignment.querySelector(".field__error");
  if (!error || !serves(assignment)) return;
  const box = assignment.querySelector("[name=assign_to_organization]");
  const whom = assignment.querySelector("#assignment-whom");
  error.remove();
  box.removeAttribute("aria-invalid");
  if (whom) {
    whom.hidden = false;
    box.setAttribute("aria-describedby", whom.id);
  } else {
    box.removeAttribute("aria-describedby");
  }
  update(assignment);
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

// What the list is filtered by chooses nobody. Told of it on leaving the field, which may be the press on a choice, htmx
// would ask what the choice means, and its answer could move the choice away before the press is over.
document.addEventListener(
  "change",
  (event) => {
    if (event.target.matches("[data-filter]")) event.stopPropagation();
  },
  { capture: true },
);

// What it means is said at the form's foot, which takes room from the list: what was just chosen stays in view.
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.id === "outlook") document.activeElement?.closest(".assignment *")?.scrollIntoView({ block: "nearest" });
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-filter]")) filter(event.target);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-filter]")) event.preventDefault();
});
