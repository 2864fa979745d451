// Keys of a menu, as people know them. Opening, closing, Escape and clicks outside are the popover's own.

const itemsOf = (menu) => [...menu.querySelectorAll("[role=menuitem]:not(:disabled)")];

document.addEventListener(
  "toggle",
  (event) => {
    if (event.newState === "open" && event.target.matches("[role=menu]")) itemsOf(event.target)[0]?.focus();
  },
  true,
);

const steps = {
  ArrowDown: (at, count) => (at + 1) % count,
  ArrowUp: (at, count) => (at - 1 + count) % count,
  Home: () => 0,
  End: (at, count) => count - 1,
};

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest("[role=menu]");
  if (!menu) return;
  const items = itemsOf(menu);
  if (event.key === "Tab") menu.hidePopover();
  if (!steps[event.key]) return;
  event.preventDefault();
  items[steps[event.key](items.indexOf(document.activeElement), items.length)].focus();
});

// What was chosen happens outside the menu, so the menu goes away; focus returns to its button first.
document.addEventListener("click", (event) => {
  if (event.target.closest("[role=menuitem]")) event.target.closest("[role=menu]").hidePopover();
});
