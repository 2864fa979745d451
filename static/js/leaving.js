// Where leaving a page loses what nobody can bring back, the browser asks first, in its own words: a secret that was typed
// and not saved, and a new API key that was not copied.

let isLedOn = false;

const isTyped = () => [...document.querySelectorAll(".secret-input")].some((input) => input.value);
const isUncopied = () => document.querySelector("[data-once]:not([data-copied])") !== null;

addEventListener("beforeunload", (event) => {
  if (!isLedOn && (isTyped() || isUncopied())) event.preventDefault();
});

// Whoever comes back finds the page as it was, and can lose the same.
addEventListener("pageshow", () => {
  isLedOn = false;
});

// The console leads on by itself once something was saved, or where nothing can be any more.
document.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
  if (detail.xhr.getResponseHeader("HX-Redirect")) isLedOn = true;
});

// “Cancel” and “Done” say what they do; so does “Save” where nothing takes the press from the browser.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!event.defaultPrevented && (form.id === "cancel" || form.querySelector(".secret-input"))) isLedOn = true;
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-done]")) isLedOn = true;
});

// By the button, or by hand.
for (const name of ["copied", "copy"]) {
  document.addEventListener(name, ({ target }) => {
    target.closest?.("[data-once]")?.setAttribute("data-copied", "");
  });
}
