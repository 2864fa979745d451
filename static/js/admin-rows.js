// A table in a form grows by a row at the press of a button. A row that was taken away again is one that nobody filled.

function button(text, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "tool";
  made.textContent = text;
  made.addEventListener("click", press);
  return made;
}

for (const group of document.querySelectorAll("[data-inline-formset]")) {
  const empty = group.querySelector(".empty-form");
  if (!empty) continue;
  const { addText, deleteText, prefix } = JSON.parse(group.dataset.inlineFormset).options;
  const total = group.querySelector(`[name="${prefix}-TOTAL_FORMS"]`);
  // A browser that remembers what stood in a field would count rows that aren't there.
  total.autocomplete = "off";

  const add = button(addText, () => {
    const row = empty.cloneNode(true);
    row.className = "form-row dynamic-form";
    row.id = `${prefix}-${total.value}`;
    for (const part of row.querySelectorAll("*")) {
      for (const one of part.attributes) one.value = one.value.replace("__prefix__", total.value);
    }
    row.cells[row.cells.length - 1].append(
      button(deleteText, () => {
        row.remove();
        add.focus();
      }),
    );
    total.value = Number(total.value) + 1;
    empty.before(row);
    row.querySelector("input:not([type=hidden]), select").focus();
  });

  const last = document.createElement("tr");
  last.className = "add-row";
  const cell = last.insertCell();
  cell.colSpan = empty.cells.length;
  cell.append(add);
  empty.after(last);
}
