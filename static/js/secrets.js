// A page that comes back, by Back, Forward or a restored session, comes back without the secrets typed into it.

function empty() {
  for (const field of document.querySelectorAll(".secret-input")) field.value = "";
}

addEventListener("pageshow", empty);
addEventListener("pagehide", empty);
