// Escape hides the tooltip under the pointer or the focus until the next one is asked for.

const set = (state) => {
  document.documentElement.dataset.tips = state;
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") set("off");
});
document.addEventListener("focusin", () => set("on"));
document.addEventListener("mouseover", (event) => {
  const tip = event.target.closest(".tip");
  if (tip && !tip.contains(event.relatedTarget)) set("on");
});
