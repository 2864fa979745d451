// Toasts leave when they are dismissed, or by themselves after they could be read; never while someone is at them.

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

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest("[data-toast]").remove();
});
