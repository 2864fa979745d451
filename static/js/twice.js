// A save that somebody may regret is asked for twice: the first press says why at the top, and a later one saves. One gives up
// credentials that work for some that were just refused; one stores what looks like no key of the provider and was not
// tested. Whoever tests or types anew is told anew.

const READING_TIME = 1000;
const asked = new WeakMap();

const REASONS = [
  { template: "about-to-replace", place: (form) => form.querySelector("[data-test]:not([data-stale]) .result__worse") },
  { template: "unlike-a-key", place: unlikeAKey },
];

// What copying adds around a key is no part of it, so anything may stand around it.
function unlikeAKey(form) {
  const place = form.querySelector("[data-shape]");
  const typed = place?.querySelector(".secret-input").value.trim();
  if (!typed || form.querySelector("[data-test]:not([data-stale]) [data-state]")) return null;
  return new RegExp(place.dataset.shape).test(typed) ? null : place;
}

const unsay = () => document.querySelector("[data-asks-twice]")?.remove();
document.addEventListener("input", ({ target }) => {
  unsay();
  asked.delete(target.closest("[data-shape]"));
});

document.addEventListener(
  "submit",
  (event) => {
    if (event.defaultPrevented || event.submitter?.hasAttribute("formaction")) return;
    const [reason] = REASONS.map(({ template, place }) => ({ template, place: place(event.target) })).filter(({ place }) => place);
    if (!reason) return;
    if (!asked.has(reason.place)) asked.set(reason.place, event.timeStamp);
    // The second press of a double click is the same one.
    if (event.timeStamp - asked.get(reason.place) > READING_TIME) return;
    event.preventDefault();
    event.stopPropagation();
    unsay();
    const top = event.target.querySelector("[data-failures]");
    top.prepend(document.getElementById(reason.template).content.firstElementChild.cloneNode(true));
    top.scrollIntoView({ block: "nearest" });
  },
  { capture: true },
);
