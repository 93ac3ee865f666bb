// Updates the regions of a page while it is visible. Every page works without it. The script requests its own page and
// replaces the regions that have changed, so that the focus, open details and typed text stay.
"use strict";
(() => {
  const [live, text, pause] = ["live", "live-text", "live-pause"].map((id) => document.getElementById(id));
  const announcements = document.getElementById("announcements");
  const regions = (page) => new Map([...page.querySelectorAll("[data-live]")].map((region) => [region.id, region]));
  const spoken = (page) => [...page.querySelectorAll("[data-announce]")].map((part) => part.textContent).join(". ");
  let known = null;
  let paused = false;
  let said = spoken(document);

  function say(state, words) {
    live.dataset.state = state;
    text.textContent = words;
  }

  function isBusy() {
    const focus = document.activeElement;
    return focus && focus.matches("input") && focus.value !== focus.defaultValue;
  }

  function replace(region, fresh) {
    for (const open of region.querySelectorAll("details[open]")) {
      fresh.querySelector("#" + CSS.escape(open.id))?.setAttribute("open", "");
    }
    if (region.outerHTML === fresh.outerHTML) return;
    const focus = region.contains(document.activeElement) ? document.activeElement : null;
    const path = focus && (focus.id || focus.parentElement.id);
    region.replaceWith(fresh);
    const again = path && document.getElementById(path);
    if (again) (again.id === focus.id ? again : again.querySelector(focus.localName))?.focus({ preventScroll: true });
  }

  function show(page) {
    const [old, fresh] = [regions(document), regions(page)];
    if ([...old.keys()].join() !== [...fresh.keys()].join()) {
      if (!isBusy()) location.reload(); // another page: an outage began or is over
      return;
    }
    for (const [id, region] of old) replace(region, document.adoptNode(fresh.get(id)));
    const words = spoken(document);
    if (words !== said) announcements.textContent = said = words;
  }

  async function look() {
    if (paused || document.hidden || !getSelection().isCollapsed) return;
    const headers = { "X-Carafe-Live": "1", ...(known && { "If-None-Match": known }) };
    try {
      const answer = await fetch(location.href, { headers, cache: "no-store" });
      if (answer.redirected) return location.reload(); // the operator is logged out
      if (answer.status !== 304) {
        known = answer.headers.get("ETag");
        show(new DOMParser().parseFromString(await answer.text(), "text/html"));
      }
      say("on", "Live");
    } catch {
      say("off", "The console does not respond");
    }
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume" : "Pause";
    say(paused ? "paused" : "on", paused ? "Paused" : "Live");
    look();
  });
  document.addEventListener("visibilitychange", look);
  live.hidden = pause.hidden = false;
  setInterval(look, 1000 * Number(document.body.dataset.every));
})();
