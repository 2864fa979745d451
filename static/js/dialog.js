// The form over the list. The element itself traps focus, answers Escape and gives focus back; this opens it when its
// contents arrive, and empties it when it closes, so that no typed secret stays in the page.

const dialog = document.getElementById("dialog");
let opener = null;
let touched = false;
let isPressedOn = false;
let wish = "";

// “Replace credentials” is the edit form with the first field of its credentials in focus; so its address says, in a dialog or on a page.
function focusWished(root, address) {
  if (new URL(address, location.href).searchParams.get("focus") !== "credentials") return;
  const first = root.querySelector("#credentials :is([name$=access_key_id], .secret-input)");
  if (!first) return;
  for (const other of root.querySelectorAll("[autofocus]")) other.autofocus = false;
  first.autofocus = true;
  first.focus();
}

// Two keys may bear one name, and every edit form one title: what the row says of its key describes the dialog.
function describe(row) {
  const id = row?.id.replace("row-", "");
  if (id) dialog.setAttribute("aria-describedby", `provider-${id} name-${id}`);
  else dialog.removeAttribute("aria-describedby");
}

// Beside what else stands there: a failure is not history because of this.
const unsay = () => dialog.querySelector("[data-about-to-lose], [data-still-open]")?.remove();

function say(template) {
  const place = dialog.querySelector("[data-failures]");
  unsay();
  place.prepend(document.getElementById(template).content.firstElementChild.cloneNode(true));
  place.scrollIntoView({ block: "nearest" });
}

// It is closed by mistake, too. Where a secret would be lost, the first time says so, and the next one closes.
function asksFirst() {
  const typed = [...dialog.querySelectorAll(".secret-input")].some((input) => input.value);
  if (!typed || dialog.querySelector("[data-about-to-lose]")) return false;
  say("about-to-lose");
  return true;
}

if (dialog) {
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target === dialog) {
      wish = event.detail.pathInfo.requestPath;
      // A menu is closed by now; the button that opened it is what focus returns to.
      const menu = event.detail.elt.closest("[popover]");
      opener = menu ? document.querySelector(`[popovertarget="${menu.id}"]`) : event.detail.elt;
    }
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== dialog || dialog.open || !dialog.firstElementChild) return;
    touched = false;
    describe(opener?.closest("tr"));
    focusWished(dialog, wish);
    dialog.showModal();
  });

  dialog.addEventListener("input", () => {
    touched = true;
    unsay();
  });

  dialog.addEventListener("cancel", (event) => {
    if (event.target === dialog && asksFirst()) event.preventDefault();
  });

  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("[data-close]");
    if (button) {
      event.preventDefault();
      // “Cancel” says what it does; the cross beside the title is also hit instead of what is near it.
      if (button.form?.id === "cancel" || !asksFirst()) dialog.close();
    } else if (event.target === dialog && isPressedOn) {
      // The scrim closes only what would lose nothing, however often it is pressed.
      if (touched && dialog.querySelector("#cancel")) say("still-open");
      else dialog.close();
    }
  });

  // Behind it nothing scrolls, whatever is pointed at: its head and foot, and the scrim, which is the document’s to a wheel.
  const scrolls = (element) =>
    dialog.contains(element) && element !== dialog && (element.scrollHeight > element.clientHeight || scrolls(element.parentElement));
  for (const name of ["wheel", "touchmove"]) {
    document.addEventListener(
      name,
      (event) => {
        if (!dialog.open || !event.cancelable || event.ctrlKey || event.touches?.length > 1) return;
        if (!scrolls(event.target)) event.preventDefault();
      },
      { passive: false },
    );
  }

  // A selection that is drawn out of a field ends on the scrim, and is no press of it.
  dialog.addEventListener("pointerdown", ({ target }) => {
    isPressedOn = target === dialog;
  });

  dialog.addEventListener("close", () => {
    dialog.replaceChildren();
    // A row that was tested meanwhile is another element of the same name.
    (opener?.isConnected ? opener : document.getElementById(opener?.id))?.focus();
    opener = null;
  });

  // Only now: what a page focuses by itself it focuses when it is shown.
  addEventListener("load", () => requestAnimationFrame(() => focusWished(document, location.href)));
}

// With a modifier a link opens its page in another tab, as everywhere; htmx would load it here as well.
document.addEventListener(
  "click",
  (event) => {
    if ((event.ctrlKey || event.metaKey || event.shiftKey) && event.target.closest("a[hx-get]")) event.stopPropagation();
  },
  true,
);
