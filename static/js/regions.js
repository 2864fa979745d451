// Rows of a region and its access key: removed, moved to first and filled here, so that what was typed never leaves the page.

const rowsOf = (regions) => [...regions.querySelectorAll("[data-region-row]")];
const field = (row, name) => row.querySelector(`[name$="-${name}"]`);
const typed = (row) => field(row, "access_key_id").value.trim() && field(row, "secret_access_key").value;
// The row in which credentials were typed last, by a person; else the last one that has both.
let typedIn = null;
let isCopying = false;
const sourceAmong = (rows) => (rows.includes(typedIn) && typed(typedIn) ? typedIn : rows.findLast(typed));
const PARTS = ["region", "access_key_id", "secret_access_key"];
const isBlank = (element) => !element.value.trim();
// As the server sees it: whichever row is for a region of which something is stored.
const storedRegions = (row) => row.closest("[data-regions]").dataset.storedRegions.split(" ").filter(Boolean);
const isStored = (row) => storedRegions(row).includes(field(row, "region").value);
const changed = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));

// A row's number stands in its name for people, in the names of its buttons, and in the names and ids of its fields.
function number(row, place) {
  for (const shown of row.querySelectorAll("[data-number]")) shown.textContent = place + 1;
  for (const button of row.querySelectorAll("[aria-label]")) {
    button.setAttribute("aria-label", button.getAttribute("aria-label").replace(/\d+/, place + 1));
  }
  for (const element of row.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
    for (const name of ["name", "id", "for", "aria-describedby"]) {
      const value = element.getAttribute(name);
      if (value) element.setAttribute(name, value.replace(/regions-\d+-/, `regions-${place}-`));
    }
  }
  row.querySelector("[data-first]").hidden = place === 0;
}

// What a refusal says of a row goes on leading to that row, wherever it is by now.
function follow(rows) {
  const places = new Map(rows.map((row, place) => [field(row, "region").id.match(/\d+/)[0], place]));
  for (const link of document.querySelectorAll("[data-error-summary] a[href*='_regions-']")) {
    const place = places.get(link.hash.match(/\d+/)[0]);
    const words = link.textContent.replace(/\d+$/, place + 1);
    if (place === undefined) link.replaceWith(link.textContent);
    else Object.assign(link, { hash: link.hash.replace(/\d+/, place), textContent: words });
  }
}

// A region is chosen once: what another row has is off, for a refusal of the second would empty every row's secret.
function offer(rows) {
  const chosen = rows.map((row) => field(row, "region").value);
  for (const [place, row] of rows.entries()) {
    for (const option of field(row, "region").options) {
      option.disabled = option.value !== "" && option.value !== chosen[place] && chosen.includes(option.value);
    }
  }
}

// What a row that was begun still lacks. In a row that is stored, blanks stand for what is stored; where a new secret was
// typed and emptied for safety, a tick has to say so.
function missing(row) {
  const [region, id, secret] = PARTS.map((name) => field(row, name));
  if (isStored(row) && isBlank(secret)) {
    return field(row, "emptied") && !field(row, "keep_stored").checked ? [secret] : [];
  }
  const blank = [region, id, secret].filter(isBlank);
  return blank.length < PARTS.length ? blank : [];
}

document.addEventListener("lacking", ({ target, detail }) => {
  const rows = [...target.querySelectorAll("[data-region-row]")];
  const isBegun = (row) => isStored(row) || PARTS.some((name) => !isBlank(field(row, name)));
  // Where none was begun, the first one is.
  const fields = rows.some(isBegun) ? rows.flatMap(missing) : rows.slice(0, 1).flatMap((row) => PARTS.map((name) => field(row, name)));
  detail.lacking.push(...fields.map((field) => ({ field, place: field.closest("[data-blank]") })));
});

// Stored credentials of a region that no row has any more.
function tellOfTheLost(regions, rows) {
  const notice = regions.querySelector("[data-lost]");
  if (!notice) return;
  const kept = new Set(rows.map((row) => field(row, "region").value));
  const lost = regions.dataset.storedRegions.split(" ").filter((region) => region && !kept.has(region));
  notice.querySelector("[data-lost-regions]").textContent = lost.join(", ");
  notice.hidden = !lost.length;
}

// What stands for a blank: in a stored row whose region was changed nothing does any more, unless it is for a stored one again.
const placeholders = new WeakMap();
function showWhatStands(row) {
  for (const blank of PARTS.slice(1).map((name) => field(row, name))) {
    if (!placeholders.has(blank)) placeholders.set(blank, blank.placeholder);
    const own = row.dataset.stored === undefined || row.dataset.stored === field(row, "region").value;
    blank.placeholder = own && placeholders.get(blank) ? placeholders.get(blank) : isStored(row) ? "Unchanged" : "";
  }
}

function arrange(regions) {
  const rows = rowsOf(regions);
  rows.forEach(showWhatStands);
  follow(rows);
  rows.forEach(number);
  offer(rows);
  const source = sourceAmong(rows);
  for (const button of regions.querySelectorAll("[data-add-region]")) {
    const idle = button.hasAttribute("data-copy-credentials") && !source;
    button.disabled = idle || rows.length >= Number(regions.dataset.most);
  }
  tellOfTheLost(regions, rows);
  const told = regions.querySelector("[data-source]");
  told.hidden = !source || rows.length < 2;
  if (source) told.querySelector("[data-source-row]").textContent = rows.indexOf(source) + 1;
  const everywhere = regions.querySelector(".regions__tools [data-use-everywhere]");
  if (everywhere) everywhere.disabled = !source || rows.length < 2;
  for (const row of rows) {
    row.querySelector("[data-everywhere]").hidden = !everywhere || everywhere.disabled || row !== source;
    row.querySelector("[data-filled]").textContent = "";
  }
}

function copy(from, to) {
  if (!from || from === to) return;
  isCopying = true;
  for (const name of ["access_key_id", "secret_access_key"]) {
    field(to, name).value = field(from, name).value;
    changed(field(to, name));
  }
  isCopying = false;
}

const actions = {
  "[data-remove]"(row, regions) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    const focused = next ? next.querySelector("[data-remove]") : regions.querySelector("[data-add-region]");
    focused.focus();
  },
  "[data-first]"(row) {
    row.parentElement.prepend(row);
    field(row, "region").focus();
  },
};

document.addEventListener("click", (event) => {
  const regions = event.target.closest("[data-regions]");
  if (!regions) return;
  const name = Object.keys(actions).find((selector) => event.target.closest(selector));
  if (name) actions[name](event.target.closest("[data-region-row]"), regions);
  if (event.target.closest("[data-use-everywhere]")) {
    const rows = rowsOf(regions);
    typedIn = sourceAmong(rows);
    for (const row of rows) copy(typedIn, row);
    // Where the others are out of sight.
    typedIn.querySelector("[data-filled]").textContent = "Every row has them now.";
  }
  if (name) {
    arrange(regions);
    changed(regions);
  }
});

document.addEventListener("input", (event) => {
  const regions = event.target.closest("[data-regions]");
  if (!isCopying && event.target.matches("[name$=-access_key_id], [name$=-secret_access_key]")) {
    typedIn = event.target.closest("[data-region-row]");
  }
  if (regions && event.target !== regions) arrange(regions);
});

// Rows that wait for credentials get them, one with the id alone too; a row more is asked for only where none waits.
const waiting = (source) => (row) => {
  const id = field(row, "access_key_id");
  const open = isBlank(id) || id.value.trim() === field(source, "access_key_id").value.trim();
  return row.dataset.stored === undefined && isBlank(field(row, "secret_access_key")) && open;
};

document.addEventListener("htmx:beforeRequest", (event) => {
  const button = event.detail.elt;
  if (!button.matches("[data-copy-credentials]")) return;
  const rows = rowsOf(button.closest("[data-regions]"));
  const source = sourceAmong(rows);
  const blank = source ? rows.filter(waiting(source)) : [];
  if (!blank.length) return;
  event.preventDefault();
  for (const row of blank) copy(source, row);
  field(blank.find((row) => isBlank(field(row, "region"))) ?? blank[0], "region").focus();
});

// The new row is the last one by now.
document.addEventListener("htmx:afterSwap", (event) => {
  const button = event.detail.requestConfig.elt;
  const regions = button.closest("[data-regions]");
  if (!regions || !button.matches("[data-add-region]")) return;
  const rows = rowsOf(regions);
  if (button.matches("[data-copy-credentials]")) copy(sourceAmong(rows), rows.at(-1));
  arrange(regions);
  changed(regions);
  field(rows.at(-1), "region").focus();
});

const arrangeAll = (root) => {
  for (const regions of root.querySelectorAll?.("[data-regions]") ?? []) arrange(regions);
};

arrangeAll(document);
document.addEventListener("htmx:load", (event) => {
  if (event.target.matches("[data-regions]")) arrange(event.target);
  else arrangeAll(event.target);
});
