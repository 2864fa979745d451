// A verdict belongs to the bytes that were tested. Typing or pasting into the credentials afterwards marks it as
// another's; and a press of the test makes history of what was refused before it.

const testIn = (element) => element.closest("#credentials")?.querySelector("[data-test]");

for (const name of ["input", "change", "paste"]) {
  document.addEventListener(name, ({ target }) => {
    // That the stored credentials stay changes none that were tested.
    if (!target.matches("[name$=keep_stored]")) testIn(target)?.setAttribute("data-stale", "");
  });
}

function forgetRefusals(form) {
  for (const said of form.querySelectorAll("#error-summary, #credentials .field__error, [data-emptied]")) {
    // The place that says that a file can’t be read is asked for again by the next file.
    if (said.matches("[data-drop-error]")) said.hidden = true;
    else said.remove();
  }
  for (const field of form.querySelectorAll("#credentials [aria-invalid]")) {
    field.dispatchEvent(new Event("settled", { bubbles: true }));
  }
}

// What a test says is seen by whoever pressed for it, and has not gone on to something else.
document.addEventListener("htmx:afterSwap", ({ target }) => {
  const result = target.closest("#test-result");
  const { activeElement } = document;
  const isNew = target === result || target.dataset.state === "done";
  if (result && isNew && activeElement.matches("body, [data-test] [formaction]")) result.scrollIntoView({ block: "nearest" });
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target.id !== "test-result") return;
  testIn(event.detail.elt)?.removeAttribute("data-stale");
  forgetRefusals(event.detail.elt.form);
});
