// A save that gives up credentials which work for some that were just refused can’t be taken back: the first press says so
// at the top, and a later one saves. Whoever tests or types anew is told anew.

const READING_TIME = 1000;
const asked = new WeakMap();

const unsay = () => document.querySelector("[data-about-to-replace]")?.remove();
document.addEventListener("input", unsay);

document.addEventListener(
  "submit",
  (event) => {
    if (event.defaultPrevented || event.submitter?.hasAttribute("formaction")) return;
    const worse = event.target.querySelector("[data-test]:not([data-stale]) .result__worse");
    if (!worse) return;
    if (!asked.has(worse)) asked.set(worse, event.timeStamp);
    // The second press of a double click is the same one.
    if (event.timeStamp - asked.get(worse) > READING_TIME) return;
    event.preventDefault();
    event.stopPropagation();
    unsay();
    const place = event.target.querySelector("[data-failures]");
    place.prepend(document.getElementById("about-to-replace").content.firstElementChild.cloneNode(true));
    place.scrollIntoView({ block: "nearest" });
  },
  { capture: true },
);
