// Keys, and acts without leaving the place. Without this script every act is a plain form.
"use strict";

const cards = () => [...document.querySelectorAll("#cards > article")];
const current = () => document.activeElement?.closest("#cards > article");
const keysOn = () => localStorage.getItem("keys") !== "off";

function go(place) {
  const all = cards();
  const card = all[Math.max(0, Math.min(place, all.length - 1))];
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!card) return document.getElementById("content").focus();
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
}

// The answer is the page after the act: take its middle, and stay where we were.
async function send(form, button) {
  if (form.dataset.sent) return;
  form.dataset.sent = "1";
  const place = cards().indexOf(form.closest("#cards > article"));
  const data = new FormData(form, button);
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(data) });
  } catch {
    delete form.dataset.sent;
    return say("The service did not answer, so nothing is sure. Load the page again.");
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.redirected && page.getElementById("key")) return location.assign(answer.url);
  delete form.dataset.sent; // an error page leaves the form as it was
  if (!page.getElementById("cards")) return say(page.querySelector("main p")?.textContent);
  if (!document.querySelector(".tabs")) { // the page of one comment leads to the queue
    return answer.ok ? location.assign(answer.url) : say(page.querySelector("#outcome p")?.textContent);
  }
  for (const part of ["main > h1", ".tabs", ".filters", "#cards", ".pager"]) {
    const old = document.querySelector(part), next = page.querySelector(part);
    if (old && next) old.replaceWith(next);
  }
  // The live region itself stays, so that what changes in it is read out.
  document.getElementById("outcome").replaceChildren(...page.getElementById("outcome").childNodes);
  if (answer.ok) history.replaceState(null, "", answer.url);
  go(place);
}

function say(sentence) {
  const line = document.createElement("p");
  line.className = "outcome problem";
  line.textContent = sentence;
  document.getElementById("outcome").replaceChildren(line);
}

function press(act) {
  const card = current() ?? cards()[0];
  card?.querySelector(`.decide button[value="${act}"]`)?.click();
}

function undo() {
  const own = current()?.querySelector('.decide button[value="undo"]');
  (document.querySelector("[data-undo] button") ?? own)?.click();
}

const KEYS = {
  j: () => go(cards().indexOf(current()) + 1),
  k: () => go(cards().indexOf(current()) - 1),
  p: () => press("publish"),
  s: () => press("spam"),
  a: () => press("abuse"),
  u: undo,
  t: () => (current() ?? cards()[0])?.querySelector("[name=teach]")?.click(),
  "/": () => document.getElementById("q")?.focus(),
};

document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || !event.target.closest("main")) return;
  event.preventDefault();
  send(event.target, event.submitter);
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat || !keysOn()) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

const useKeys = document.getElementById("use-keys");
if (useKeys) {
  useKeys.checked = keysOn();
  useKeys.addEventListener("change", () => localStorage.setItem("keys", useKeys.checked ? "on" : "off"));
}
