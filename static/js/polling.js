// A polled fragment is replaced only when it has something new to say: the spinner keeps turning, an open menu stays
// open, and a screen reader hears each change once, not every second.

const wordsOf = (element) => {
  const copy = element.cloneNode(true);
  for (const moving of copy.querySelectorAll("[data-elapsed], [data-poll-failure], [hidden]")) moving.remove();
  return [copy.dataset.state, copy.textContent.replace(/\s+/g, " ").trim()].join(" ");
};

document.addEventListener("htmx:beforeSwap", (event) => {
  const old = event.detail.requestConfig.elt;
  if (event.detail.isError || !old.getAttribute("hx-trigger")?.startsWith("every")) return;
  if (old.querySelector(":popover-open")) {
    // Whoever is about to choose from a row's menu chooses first; it goes on asking meanwhile.
    event.detail.shouldSwap = false;
    return;
  }
  const page = new DOMParser().parseFromString(`<table>${event.detail.serverResponse}</table>`, "text/html");
  const fresh = page.getElementById(old.id);
  if (!fresh?.hasAttribute("hx-trigger") || wordsOf(fresh) !== wordsOf(old)) return;
  event.detail.shouldSwap = false;
  const [from, to] = [fresh, old].map((element) => element.querySelector("[data-elapsed]"));
  if (from && to) to.textContent = from.textContent;
  old.querySelector("[data-poll-failure]")?.setAttribute("hidden", "");
});
