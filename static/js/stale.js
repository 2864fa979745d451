// A verdict belongs to the bytes that were tested. Typing into the credentials afterwards marks it as another's.

const testIn = (element) => element.closest("#credentials")?.querySelector("[data-test]");

document.addEventListener("input", (event) => testIn(event.target)?.setAttribute("data-stale", ""));
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target.id === "test-result") testIn(event.detail.elt)?.removeAttribute("data-stale");
});
