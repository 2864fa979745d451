// A tick that what is stored stays, and something new that is typed, exclude each other: the later one holds. A server that
// got both would refuse, and empty every secret.

const TYPED = ".secret-input, [name$=-access_key_id]";
const setAside = new WeakMap();
const asked = new WeakMap();

const fill = (typed, value) => {
  if (typed.value === value) return;
  typed.value = value;
  typed.dispatchEvent(new Event("input", { bubbles: true }));
};

document.addEventListener("input", ({ target }) => {
  const scope = target.closest("[data-region-row]") ?? target.closest("#credentials");
  const tick = scope?.querySelector("[name$=keep_stored]");
  if (!tick) return;
  if (target !== tick) {
    if (target.matches(TYPED) && target.value.trim()) tick.checked = false;
    return;
  }
  for (const typed of scope.querySelectorAll(TYPED)) {
    if (!asked.has(typed)) asked.set(typed, typed.placeholder);
    typed.placeholder = tick.checked && typed.matches(".secret-input") ? tick.dataset.kept : asked.get(typed);
    if (tick.checked) {
      // What was said of something typed holds no longer.
      typed.dispatchEvent(new Event("settled", { bubbles: true }));
      // What a field shows anyway comes back when the tick goes; a secret is not held back for that.
      if (typed.type !== "password") setAside.set(typed, typed.value);
      fill(typed, "");
    } else fill(typed, typed.value || (setAside.get(typed) ?? ""));
  }
});
