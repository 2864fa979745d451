// What is searched for stands in an address, and so in histories and logs. A whole key that is pasted there is taken out
// again before htmx or the form itself can send it; the console goes by the same expressions.

const words = document.getElementById("secret-in-search");
const patterns = JSON.parse(words?.dataset.patterns ?? "[]").map((pattern) => new RegExp(pattern));

function refuse(form) {
  const found = [...form.querySelectorAll("input")].filter((field) => patterns.some((one) => one.test(field.value)));
  form.querySelector(".filters__refused")?.remove();
  for (const field of found) field.value = "";
  if (found.length) form.append(words.content.firstElementChild.cloneNode(true));
  return found.length > 0;
}

// Captured, so that whoever listens at the field itself finds it empty.
for (const name of ["input", "change", "submit"]) {
  document.addEventListener(
    name,
    (event) => {
      const form = event.target.closest("form[role=search]");
      if (!form || (name === "change" && !event.target.matches("input"))) return;
      const refused = refuse(form);
      if (!refused || name !== "submit") return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
}

// On a phone what was found begins below the window: the fields go up as far as they can, and stay in sight.
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const filters = detail.requestConfig?.elt?.closest(".filters");
  if (filters && matchMedia("(width < 860px)").matches) filters.scrollIntoView({ block: "start" });
});
