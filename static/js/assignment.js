// The list of API keys: off while the whole organization is chosen, filterable, counted.

function update(assignment) {
  const choices = assignment.querySelector("fieldset");
  choices.disabled = assignment.querySelector("[name=assign_to_organization]").checked;
  choices.setAttribute("aria-disabled", choices.disabled);
  const boxes = [...choices.querySelectorAll("[name=api_key_ids]")];
  const count = choices.querySelector("[data-count]");
  if (count) count.textContent = `${boxes.filter((box) => box.checked).length} of ${boxes.length} chosen`;
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
  if (assignment) update(assignment);
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-filter]")) filter(event.target);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-filter]")) event.preventDefault();
});
