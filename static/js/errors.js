// After a refused form focus goes to what was refused, and from there to each field. What was said of a field is taken back
// where it is told to be settled, by an event at the field.

const focusFirst = (root) => root.querySelector?.("[data-error-summary]")?.focus();

focusFirst(document);
document.addEventListener("htmx:afterSettle", (event) => focusFirst(event.target));

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-error-summary] a[href^='#']");
  const field = link && document.getElementById(link.hash.slice(1));
  if (!field) return;
  event.preventDefault();
  field.focus();
});

document.addEventListener("settled", ({ target }) => {
  target.closest(".field").querySelector(".field__error:not([data-drop-error])")?.remove();
  target.removeAttribute("aria-invalid");
  const told = (target.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => document.getElementById(id));
  if (told.length) target.setAttribute("aria-describedby", told.join(" "));
  else target.removeAttribute("aria-describedby");
  strike(target);
});

// The summary at the top stands until the last field that it names was seen to.
function strike(field) {
  const summary = document.getElementById("error-summary");
  const links = [...(summary?.querySelectorAll("a") ?? [])];
  const link = links.find((one) => one.hash === `#${field.id}`);
  if (!link) return;
  link.dataset.settled = "";
  if (links.every((one) => "settled" in one.dataset || !one.checkVisibility())) summary.remove();
}
