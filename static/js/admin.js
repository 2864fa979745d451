// What Django admin leaves without a name. For screen readers, what its own scripts make: late, when the document is ready,
// and whenever a row is added. And on a phone each cell of a list, which stands there beside its column's name.

function nameBox(select) {
  const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
  const name = label?.textContent.trim().replace(/:$/, "") || select.getAttribute("aria-label");
  for (const part of select.nextElementSibling?.querySelectorAll("[role=combobox], [role=textbox]") ?? []) {
    part.removeAttribute("aria-labelledby");
    part.setAttribute("aria-label", name);
  }
}

function nameAll() {
  document.querySelectorAll("select.admin-autocomplete").forEach(nameBox);
  document.querySelectorAll(".help-tooltip").forEach((sign) => sign.setAttribute("role", "img"));
}

new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
nameAll();

const names = [...document.querySelectorAll("#result_list thead th")].map(
  (head) => head.querySelector(".text")?.textContent.trim() ?? "",
);
for (const row of document.querySelectorAll("#result_list tbody tr")) {
  [...row.children].forEach((cell, at) => {
    if (cell.matches("td:not(.action-checkbox)") && names[at]) cell.dataset.label = names[at];
  });
}
