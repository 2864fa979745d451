// Copies a field or a text by its id, and says that it did.

async function copy(source) {
  const text = source.value ?? source.textContent;
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Outside https there is no clipboard to write to: what is selected can still be copied by hand.
  if (source.select) source.select();
  else getSelection().selectAllChildren(source);
  return Promise.reject(new Error("no clipboard"));
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await copy(source);
    source.dispatchEvent(new Event("copied", { bubbles: true }));
    say(button, "Copied");
  } catch {
    source.select?.();
    say(button, "Selected: copy it");
  }
});

// Behind an open dialog the rest of the page is silent: what is said there is said in it.
function placeFor(button) {
  return button.closest("dialog")?.querySelector("[data-said-here]") ?? document.getElementById("said");
}

function say(button, words) {
  button.dataset.said = words;
  const status = placeFor(button);
  if (status) status.textContent = words;
  setTimeout(() => {
    delete button.dataset.said;
    if (status) status.textContent = "";
  }, 2000);
}

// The place is there before anything is said in it: what appears together with its words, readers pass over.
document.addEventListener("htmx:afterSwap", () => {
  const dialog = document.querySelector("dialog:has([data-copy])");
  if (!dialog || dialog.querySelector("[data-said-here]")) return;
  const place = document.createElement("div");
  place.className = "visually-hidden";
  place.role = "status";
  place.ariaLabel = "Clipboard";
  place.dataset.saidHere = "";
  dialog.append(place);
});
