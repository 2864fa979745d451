// Messages. Toasts leave when they are dismissed, or by themselves after they could be read; never while someone is at
// them.

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

for (const toast of document.querySelectorAll("[data-toast]")) {
  // One that holds a link, or a warning, asks for something: it waits.
  if (toast.classList.contains("tone-green") && !toast.querySelector("a")) leaveLater(toast);
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
  toast.remove();
  messages.focus();
});

// A test in a row changes that row in silence: whoever doesn't see it hears what came of it.
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (!target.matches("tr[id^=row-]")) return;
  const name = target.querySelector(".table__name").textContent;
  const said = target.hasAttribute("hx-trigger") ? "Testing" : target.querySelector("[data-told]")?.textContent;
  messages.querySelector("[data-announced]").textContent = `${name}: ${said ?? "Not tested"}`;
});

// A table that was swapped says what it now is: how many keys were found, or where a moved one went.
document.addEventListener("htmx:load", ({ target }) => {
  const said = target.id === "provider-keys" && target.querySelector("[data-say]");
  if (said) messages.querySelector("[data-announced]").textContent = said.textContent;
});
