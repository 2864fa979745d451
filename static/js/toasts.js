// Messages. What is told at once stands in one toast, a line a message. It leaves when it is dismissed, or by itself after it
// could be read; never while someone is at it.

const READING_TIME = 8000;

function leaveLater(toast) {
  let timer;
  const start = () => {
    timer = setTimeout(() => toast.remove(), READING_TIME);
  };
  const stop = () => clearTimeout(timer);
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, stop);
  for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, start);
  start();
}

// Below what it lies over, so that this can be scrolled clear of it.
function makeRoom() {
  document.body.classList.add("told");
  document.documentElement.style.setProperty("--messages", `${document.getElementById("messages").offsetHeight}px`);
}
if (document.querySelector("[data-toast]")) makeRoom();

const rowOf = (running) => document.getElementById(`row-${running.dataset.running}`);

// One that holds a link, or a warning, asks for something: it waits. So does one that tells of a test whose verdict will come.
const leaves = (toast) =>
  !toast.querySelector("a") &&
  [...toast.querySelectorAll("[data-line]")].every((line) => line.matches(".tone-green, .tone-grey")) &&
  ![...toast.querySelectorAll("[data-running]")].some((running) => isAskedFor(running) || rowOf(running));

// What was saved is before the eyes of who saved it, clear of the messages that say so: on a phone they take half of it.
const saved = document.querySelector("[data-saved]");
const mark = (row) => row?.classList.add("table__saved");
const savedRow = saved && document.getElementById(`row-${saved.dataset.saved}`);
bringIntoView();

function bringIntoView() {
  const row = saved && document.getElementById(`row-${saved.dataset.saved}`);
  // On an API key's page, the answer in which it stands.
  const answer = saved && document.querySelector(`.answers a[href*="/${saved.dataset.saved}/"]`)?.closest("li");
  if (!row) {
    answer?.scrollIntoView({ block: "center" });
    return;
  }
  mark(row);
  // No further than it must: whoever reads the list finds it where it was.
  makeRoom();
  row.scrollIntoView({ block: matchMedia("(width < 960px)").matches ? "start" : "nearest" });
}

// Where a filter hides it, or it stands on another page, the message says so and leads to it. The verdict is asked for all
// the same, on a page without a list, too.
const elsewhere = saved && !savedRow && document.getElementById("not-among")?.content.cloneNode(true);
if (elsewhere) {
  const link = elsewhere.querySelector("a");
  saved.parentElement.append(elsewhere);
  // Only now: outside of a page an address can't be taken apart.
  link.search = new URLSearchParams({ q: saved.dataset.saved });
}

function isAskedFor(running) {
  return saved && !savedRow && running !== null && saved.parentElement.contains(running);
}
if (isAskedFor(saved?.parentElement.querySelector("[data-running]") ?? null)) {
  askForVerdict(`${document.querySelector(".tabs__link[href$='/provider-keys/']").href}?q=${saved.dataset.saved}`);
}

async function askForVerdict(address) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer || answer.status >= 500) continue;
    const row = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(`#row-${saved.dataset.saved}`);
    if (row?.hasAttribute("hx-trigger")) continue;
    if (!row) return;
    conclude(row);
    if (document.querySelector("[data-by-verdict]")) drawAnew();
    return;
  }
}

// What stands on an API key's page was drawn before the verdict. In silence: nobody pressed for it.
async function drawAnew() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-by-verdict]")) {
    const fresh = page.getElementById(part.id);
    if (!fresh) continue;
    part.replaceWith(fresh);
    htmx.process(fresh);
  }
}

// It is shown in place: the other messages say what is still to be done.
document.addEventListener("click", (event) => {
  const told = event.target.closest("[data-elsewhere] a") && event.target.closest("[data-elsewhere]");
  const filters = document.querySelector(".filters");
  if (!told || !filters || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const before = location.pathname + location.search;
  const fields = [...filters.querySelectorAll("input, select")];
  const values = fields.map((field) => field.value);
  for (const field of fields) field.value = "";
  filters.querySelector("[name=q]").value = saved.dataset.saved;
  filters.requestSubmit();
  offerToGoBack(told, before, () => {
    for (const [place, field] of fields.entries()) field.value = values[place];
  });
  messages.focus();
  document.addEventListener("htmx:afterSettle", bringIntoView, { once: true });
});

// The way back to what was shown, for as long as nothing else is asked for.
function offerToGoBack(told, address, restore) {
  const toast = told.closest("[data-toast]");
  const alone = document.getElementById("shown-alone").content.firstElementChild.cloneNode(true);
  const link = alone.querySelector("a");
  const end = () => {
    alone.remove();
    if (leaves(toast)) leaveLater(toast);
  };
  link.href = address;
  link.setAttribute("hx-get", address);
  told.replaceWith(alone);
  htmx.process(alone);
  link.addEventListener("htmx:beforeRequest", restore);
  link.addEventListener("htmx:afterRequest", () => {
    end();
    messages.focus();
  });
  for (const name of ["input", "change"]) document.querySelector(".filters").addEventListener(name, end, { once: true });
}

for (const toast of document.querySelectorAll("[data-toast]")) {
  if (leaves(toast)) leaveLater(toast);
}

// Where what was pressed is gone with its page, focus starts at what came of it. A page that has a place of its own
// for focus keeps it.
const messages = document.getElementById("messages");
if (messages?.querySelector("[data-toast]") && !document.querySelector("main [autofocus], [data-error-summary]")) {
  messages.focus();
}

document.addEventListener("click", (event) => {
  const toast = event.target.closest("[data-dismiss]")?.closest("[data-toast]");
  if (!toast) return;
  dismiss(toast);
  messages.focus();
});

// What waits for a verdict is told when that has come, whoever has sent it away before. What was told of old credentials
// stands on the page from then on.
function dismiss(toast) {
  for (const { dataset } of toast.querySelectorAll("[data-revoke]")) {
    const reminder = document.querySelector(`[data-replaced="${dataset.revoke}"]`);
    if (reminder) reminder.hidden = false;
  }
  if (!toast.querySelector("[data-awaits]")) {
    toast.remove();
    return;
  }
  for (const line of toast.querySelectorAll("[data-line]:not(:has([data-awaits], [data-running]))")) line.remove();
  toast.hidden = true;
}

// “Its test is running” holds until it isn't: the verdict takes its place, in the tone and with the sign of the row's badge.
function conclude(row) {
  const running = document.querySelector(`[data-running="${row.id.replace("row-", "")}"]`);
  const line = running?.closest("[data-line]");
  const badge = [...row.querySelectorAll(".provider-keys__status .badge")].at(-1);
  const told = row.querySelector("[data-told]");
  if (told) tellWhatFollows(row, told, badge);
  if (!line || !badge || !told) return false;
  running.replaceWith("Its test said: ", ...saidBy(badge, told));
  drawAs(line, signOf(told, badge));
  const toast = line.closest("[data-toast]");
  if (leaves(toast)) leaveLater(toast);
  // There is more to read than there was: the row stays clear of it, where nobody has gone on to something else.
  if (saved && document.activeElement === messages) bringIntoView();
  return true;
}

// Of several regions the worst one speaks; how many it speaks for stands in the badge.
function saidBy(badge, told) {
  const partly = /[0-9]/.test(badge.textContent) ? [`${badge.textContent.trim()}. `] : [];
  return [...partly, ...withStep(told.cloneNode(true)).childNodes];
}

// Of a key that is disabled its badge says nothing of the test.
function signOf(told, badge) {
  const blank = badge.matches(".tone-grey") && document.getElementById("row-verdict")?.content;
  return (blank && lineFor(told, blank)) || badge;
}

// Whatever is neither good nor bad is a warning.
function lineFor(told, blank) {
  return blank.querySelector(`[data-line].tone-${told.dataset.told || "amber"}`) ?? blank.querySelector("[data-line].tone-amber");
}

function drawAs(line, badge) {
  const isTone = (name) => name.startsWith("tone-");
  line.classList.replace([...line.classList].find(isTone), [...badge.classList].find(isTone));
  const sign = badge.querySelector("svg").cloneNode(true);
  for (const size of ["width", "height"]) sign.setAttribute(size, line.querySelector("svg").getAttribute(size));
  line.querySelector("svg").replaceWith(sign);
}

// In a tooltip nothing can be pressed; a message leads to where the next step is done. What works needs none.
function withStep(told) {
  if (told.dataset.told === "green") told.querySelector("[data-step]")?.remove();
  for (const place of told.querySelectorAll("[data-link]")) {
    const link = document.createElement("a");
    Object.assign(link, { href: place.dataset.link, target: "_blank", rel: "noopener noreferrer", textContent: place.textContent });
    place.replaceWith(link);
  }
  return told;
}

// What is to be done about the old credentials waited for the verdict, too.
// Told by the verdict: of a key that is disabled its badge says nothing.
function tellWhatFollows(row, told, badge) {
  const tone = told.dataset.told;
  for (const awaiting of document.querySelectorAll(`[data-awaits="${row.id.replace("row-", "")}"]`)) {
    const then = tone && awaiting.parentElement.querySelector(`template[data-then=${tone}]`);
    if (!then) continue;
    const line = awaiting.closest("[data-line]");
    if (line.matches(".tone-grey")) drawAs(line, signOf(told, badge));
    line.closest("[data-toast]").hidden = false;
    awaiting.replaceWith(then.content.cloneNode(true));
  }
}

// One that had ended before the page was made has left its verdict in the row.
for (const running of document.querySelectorAll("[data-running]")) {
  const row = rowOf(running);
  if (!row || row.hasAttribute("hx-trigger") || conclude(row)) continue;
  const toast = running.closest("[data-toast]");
  // It says nothing of this test, and never will.
  delete running.dataset.running;
  if (leaves(toast)) leaveLater(toast);
}

// A test in a row changes that row alone. Whoever pressed for it is told what came of it, with the next step; of another one
// whoever doesn't see the row hears it.
const pressed = new Set();
document.addEventListener("htmx:afterSwap", ({ target, detail }) => {
  if (!target.matches("tr[id^=row-]")) return;
  if (detail.requestConfig?.verb === "post") pressed.add(target.id);
  const name = target.querySelector(".table__name").textContent;
  const open = target.hasAttribute("hx-trigger");
  const said = open ? "Testing" : (target.querySelector("[data-told]")?.textContent ?? "Not tested");
  // Messages are heard when they change: what a toast says by now is not said twice.
  if (!open && conclude(target)) {
    pressed.delete(target.id);
    return;
  }
  if (!open && tellVerdict(target)) return;
  messages.querySelector("[data-announced]").textContent = `${name}: ${said}`;
});

// Also of a row that came with another table after its test had ended.
function tellVerdict(row) {
  const template = document.getElementById("row-verdict");
  const told = row.querySelector("[data-told]");
  if (!template || !told || !pressed.delete(row.id)) return false;
  const badge = [...row.querySelectorAll(".provider-keys__status .badge")].at(-1);
  const toast = template.content.firstElementChild.cloneNode(true);
  const line = lineFor(told, toast);
  line.parentElement.replaceChildren(line);
  line.querySelector(".toast__said").replaceChildren(`${row.querySelector(".table__name").textContent}: `, ...saidBy(badge, told));
  // A key may be good by its last verdict where this test learned nothing: that is drawn as the warning that it is.
  if (!badge.matches(".tone-grey") && (told.dataset.told === "green" || !badge.matches(".tone-green"))) drawAs(line, badge);
  toast.dataset.verdictOf = row.id;
  messages.querySelector(`[data-verdict-of="${row.id}"]`)?.remove();
  messages.append(toast);
  join(toast);
  return true;
}

// A table that was swapped says what it now is: how many keys were found. Where focus is kept in one of its rows, that row
// may have moved: it stays in view.
document.addEventListener("htmx:load", ({ target }) => {
  if (target.id !== "provider-keys") return;
  for (const row of target.querySelectorAll("tr[id^=row-]:not([hx-trigger])")) tellVerdict(row);
  const said = target.querySelector("[data-say]");
  if (said) messages.querySelector("[data-announced]").textContent = said.textContent;
  target.querySelector("tr:focus-within")?.scrollIntoView({ block: "nearest" });
});

// The row that was moved is found at a glance, as one that was saved is: in the table that came with its message, or on the
// page that was loaded for it.
function markMoved() {
  const moved = messages?.querySelector("[data-moved]");
  if (!moved) return;
  mark(document.getElementById(`row-${moved.dataset.moved}`));
  moved.removeAttribute("data-moved");
}
markMoved();
document.addEventListener("htmx:afterSettle", markMoved);

// A message that joins the others while the page stays is heard because it is new. It takes the place of the one that came
// so before it: a key that is moved five times says where it is, not where it was.
document.addEventListener("htmx:load", ({ target }) => {
  if (!target.matches("[data-toast]")) return;
  messages.querySelector("[data-joined]")?.remove();
  target.dataset.joined = "";
  join(target);
});

function join(toast) {
  messages.querySelector("[data-announced]").textContent = "";
  makeRoom();
  if (leaves(toast)) leaveLater(toast);
}
