// After a refused form focus goes to what was refused, and from there to each field.

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
