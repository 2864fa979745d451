// A file that is chosen or dropped is read into its field here, in the page: it leaves with the form, as typed text does.

const MOST_BYTES = 64 * 1024;

async function textOf(file) {
  if (file.size > MOST_BYTES) throw new RangeError("far larger than what belongs here");
  return file.text();
}

async function read(place, file) {
  const field = place.querySelector("textarea");
  const problem = place.querySelector("[data-drop-error]");
  field.value = await textOf(file).catch(() => "");
  problem.hidden = field.value !== "";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-choose]")?.closest("[data-drop]").querySelector("[type=file]").click();
});

document.addEventListener("change", async ({ target }) => {
  if (!target.matches("[data-drop] [type=file]") || !target.files.length) return;
  await read(target.closest("[data-drop]"), target.files[0]);
  // Forgotten, so that the same file can be chosen again once it was corrected.
  target.value = "";
});

// Anywhere on the form: a file that misses the field would otherwise be opened in the place of the page.
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const { files, types } = event.dataTransfer;
    const place = types.includes("Files") && event.target.closest?.("form")?.querySelector("[data-drop]");
    if (!place) return;
    event.preventDefault();
    place.toggleAttribute("data-dropping", name === "dragover");
    if (name === "drop" && files.length) read(place, files[0]);
  });
}
