// A save that gives up credentials which work for some that were just refused can’t be taken back: the first press says so
// beside the press, and the next one saves. Whoever tests or types anew is told anew.

const asked = new WeakSet();

document.addEventListener(
  "submit",
  (event) => {
    if (event.defaultPrevented || event.submitter?.hasAttribute("formaction")) return;
    const worse = event.target.querySelector("[data-test]:not([data-stale]) .result__worse");
    if (!worse || asked.has(worse)) return;
    event.preventDefault();
    event.stopPropagation();
    asked.add(worse);
    const place = event.target.querySelector("[data-failures]");
    place.replaceChildren(document.getElementById("about-to-replace").content.firstElementChild.cloneNode(true));
    place.scrollIntoView({ block: "nearest" });
  },
  { capture: true },
);
