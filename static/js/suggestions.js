// A filter with suggestions acts as a select does: at once, when one of them is chosen or the field is emptied. What is
// still being typed waits for Enter, or for the field to be left.

const acted = new WeakMap();

document.addEventListener("change", ({ target }) => {
  if (target.list) acted.set(target, target.value);
});

document.addEventListener("input", ({ target }) => {
  // A whole key that was taken out is told of beside the filters, until something else is done.
  if (!target.list || target.form?.querySelector(".filters__refused")) return;
  if (target.value === (acted.get(target) ?? target.defaultValue)) return;
  const chosen = [...target.list.options].some((option) => option.value === target.value);
  if (chosen || !target.value) target.dispatchEvent(new Event("change", { bubbles: true }));
});
