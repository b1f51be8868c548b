// While a model is being trained, look again every two seconds and show how far it is.
"use strict";

async function look() {
  const shown = document.getElementById("retrain");
  if (!shown || !("running" in shown.dataset)) return;
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.getElementById("retrain");
    if (now && !("running" in now.dataset)) return location.reload();
    const step = now && now.querySelector("[role=status]");
    const before = shown.querySelector("[role=status]");
    if (step && step.textContent !== before.textContent) before.replaceWith(step);
  } catch {
    // the next look will tell
  }
  setTimeout(look, 2000);
}

look();
