// A request that fails says so where it was made, and never at the price of what was typed: the answer goes into the
// nearest place for failures instead of the target, unless the target is itself a place for results.

const copyOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

// The console's own fragment, or its error page cut down to what it says, or words for a foreign answer.
function failureIn(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const fragment = page.querySelector("[data-failure]");
  if (fragment) return fragment;
  const lost = page.querySelector("[data-error-page]");
  const foreign = !html.trim() || /<html|^[^<]*$/i.test(html);
  if (!lost && !foreign) return null;
  const notice = copyOf("failure-unknown");
  if (lost) {
    notice.querySelector("strong").textContent = lost.querySelector("h1").textContent;
    notice.querySelector("span").textContent = lost.querySelector(".lost__text").textContent;
    notice.querySelector("div").append(...lost.querySelectorAll("[data-request-id]"));
  }
  return notice;
}

const placeNear = (element) =>
  element.closest("form, dialog")?.querySelector("[data-failures]") ?? document.getElementById("failures");

const isPoll = (element) => element.getAttribute("hx-trigger")?.startsWith("every");

// What is asked beside the work, of no press of anybody's, fails in silence; and nothing stays that may be untrue by now.
function asideFailed(element) {
  if (!element.matches("[data-aside]")) return false;
  element.replaceChildren();
  return true;
}

function show(notice, place) {
  place.replaceChildren(notice);
  notice.focus();
}

function polled(event, element) {
  // A poll goes on through an outage; it stops where the thing it asks for is gone or no longer ours to see.
  const gone = event.detail.xhr.status < 500 && event.detail.xhr.status !== 429;
  if (!gone || !element.matches("tr")) return gone;
  event.detail.swapOverride = "delete";
  return true;
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const { isError, requestConfig, serverResponse, target } = event.detail;
  if (isError && asideFailed(requestConfig.elt)) {
    event.detail.shouldSwap = false;
    return;
  }
  const notice = isError ? failureIn(serverResponse) : null;
  if (!notice) return;
  if (isPoll(requestConfig.elt)) {
    event.detail.shouldSwap = polled(event, requestConfig.elt);
    requestConfig.elt.querySelector("[data-poll-failure]")?.removeAttribute("hidden");
    event.detail.serverResponse = notice.outerHTML;
  } else {
    event.detail.shouldSwap = false;
    show(notice, target.closest("[role=status]") ?? placeNear(requestConfig.elt));
  }
});

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    const { elt } = event.detail.requestConfig;
    if (isPoll(elt)) elt.querySelector("[data-poll-failure]")?.removeAttribute("hidden");
    else if (!asideFailed(elt)) show(copyOf("failure-offline"), placeNear(elt));
  });
}

// What failed before is history once something works that was pressed: what is asked beside it says nothing of that, and
// would take away the question before a close that was pressed meanwhile.
document.addEventListener("htmx:afterOnLoad", (event) => {
  const { elt } = event.detail.requestConfig;
  if (event.detail.failed || isPoll(elt) || elt.matches("[data-aside]")) return;
  placeNear(elt).replaceChildren();
});
