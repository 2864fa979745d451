// A field that names one of many has a list below it, which fills with what is found while one types.

const PAUSE = 150;

document.addEventListener("input", async ({ target }) => {
  const { found } = target.dataset;
  const typed = target.value;
  if (!found || !typed.trim()) return;
  await new Promise((go) => setTimeout(go, PAUSE));
  if (target.value !== typed) return;
  const answer = await fetch(`${found}&term=${encodeURIComponent(typed)}`).catch(() => null);
  if (!answer?.ok || target.value !== typed) return;
  const { results } = await answer.json();
  target.list.replaceChildren(...results.map(({ text }) => new Option("", text)));
});
