// What Django admin's own scripts leave without a role for screen readers. They make it late: when the document is ready.

function nameAll() {
  document.querySelectorAll(".help-tooltip").forEach((sign) => sign.setAttribute("role", "img"));
}

// On a phone a value stands beside its column's name; of lists their template says it. Rows that are added are copies of one
// that is there.
for (const table of document.querySelectorAll(".tabular.inline-related table")) {
  const names = [...table.tHead.rows[0].cells].map((head) => head.textContent.trim());
  for (const cell of table.querySelectorAll("tbody td:not(.original, [colspan])")) {
    if (names[cell.cellIndex]) cell.dataset.label = names[cell.cellIndex];
  }
}

new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
nameAll();

// Django makes these lists when the page has loaded, which may be after it was seen: all that is below them would move. Made
// now, before it is, they are none of those that it finds then.
for (const list of document.querySelectorAll("select.selectfilter, select.selectfilterstacked")) {
  const { fieldName, isStacked } = list.dataset;
  globalThis.SelectFilter.init(list.id, fieldName, Number(isStacked));
}
