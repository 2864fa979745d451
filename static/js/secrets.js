// A page that comes back, by Back, Forward or a restored session, comes back without the secrets typed into it.

function empty() {
  for (const field of document.querySelectorAll(".secret-input")) field.value = "";
}

addEventListener("pageshow", empty);
addEventListener("pagehide", empty);

// A secret that was typed for one provider is never another's: it goes with its field, and the page says so.
let typed = false;

const fromProvider = ({ requestConfig }) => requestConfig.elt.id === "id_provider";

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!fromProvider(detail)) return;
  typed = !detail.isError && [...document.querySelectorAll("#credentials .secret-input")].some((field) => field.value);
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (!typed || !fromProvider(detail)) return;
  typed = false;
  const words = document.getElementById("emptied-with-provider").content.cloneNode(true);
  document.querySelector("#credentials [data-tells]").prepend(words);
});
