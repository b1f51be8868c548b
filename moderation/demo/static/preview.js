// What the HTML policy makes of a comment, shown while it is written. The answer is safe HTML.
"use strict";

const form = document.querySelector("form[data-preview]");
const region = document.getElementById("preview");
const target = document.getElementById("previewed");
let waiting, running;

async function preview() {
  clearTimeout(waiting);
  running?.abort();
  running = new AbortController();
  const empty = !form.elements.content.value.trim();
  region.hidden = empty;
  if (empty) return;
  try {
    const body = new URLSearchParams({ content: form.elements.content.value });
    const sent = { method: "POST", body, signal: running.signal };
    const answer = await fetch(form.dataset.preview, sent);
    if (answer.ok) target.innerHTML = await answer.text();
  } catch (error) {
    if (error.name !== "AbortError") target.textContent = "The preview does not work just now.";
  }
}

form.elements.content.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(preview, 400);
});

form.addEventListener("submit", async (event) => {
  if (event.submitter?.value !== "preview" || !form.elements.content.value.trim()) return;
  event.preventDefault();
  await preview();
  region.focus();
});

// Whoever comes from sending a comment is read what became of it.
document.getElementById("yours")?.focus();
