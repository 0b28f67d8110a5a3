// Makes the page live. Without it everything works by forms and links.
//
// One idea: when the event stream says that something changed, the same address is read
// again and the parts marked `data-live-part` are put in place where they differ from
// what the server said last. There is no second way to render anything.
"use strict";

(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;
  root.dataset.script = "on";

  // --- Times: how long ago, with the exact time on hover -------------------------------

  const ago = (at) => {
    const seconds = Math.round((Date.now() - at) / 1000);
    const past = Math.abs(seconds);
    const [n, unit] =
      past < 60 ? [past, "s"] : past < 3600 ? [past / 60, "min"] : past < 86400 ? [past / 3600, "h"] : [past / 86400, "d"];
    const words = `${Math.floor(n)} ${unit}`;
    return past < 3 ? "now" : seconds > 0 ? `${words} ago` : `in ${words}`;
  };
  const tellTimes = (within = document) => {
    for (const time of $$("time[datetime]", within)) {
      const at = Date.parse(time.dateTime);
      if (!Number.isNaN(at)) {
        const words = ago(at);
        if (time.textContent !== words) time.textContent = words;
      }
    }
  };

  // --- Parts: put in place what changed -----------------------------------------------

  // What the server said last, by id: the page itself is changed by times and open boxes.
  const known = new Map();
  const keys = (part) => [...part.children].filter((child) => child.id);
  const remember = (part) => {
    known.set(part.id, part.outerHTML);
    if ("keyed" in part.dataset) for (const child of keys(part)) known.set(child.id, child.outerHTML);
  };

  // Replaces `old`, keeping what somebody typed, opened and focused in it.
  const replace = (old, fresh) => {
    const held = document.activeElement;
    const path = held && old.contains(held) ? (held.id ? `#${CSS.escape(held.id)}` : held.name ? `[name="${CSS.escape(held.name)}"]` : held.matches("a") ? "a" : null) : null;
    const typed = $$("input:not([type=hidden]), textarea", old).filter((field) => field.value !== field.defaultValue);
    const open = $$("details[open][id]", old).map((box) => box.id);
    old.replaceWith(fresh);
    for (const field of typed) {
      const place = $(`[name="${CSS.escape(field.name)}"]`, fresh);
      if (place) place.value = field.value;
    }
    for (const id of open) {
      const box = document.getElementById(id);
      if (box) box.open = true;
    }
    if (path) (fresh.matches(path) ? fresh : $(path, fresh))?.focus({ preventScroll: true });
    tellTimes(fresh);
    fresh.classList.add("changed");
  };

  const take = (fresh) => {
    for (const next of $$("[data-live-part]", fresh)) {
      const part = document.getElementById(next.id);
      if (!part || known.get(next.id) === next.outerHTML) continue;
      if ("keyed" in next.dataset) takeRows(part, next);
      else {
        remember(next);
        replace(part, next);
      }
    }
    const said = $("[data-announce]");
    if (said && said.dataset.announce !== lastSaid) {
      lastSaid = said.dataset.announce;
      announce(`Now ${lastSaid}`);
    }
    if (fresh.title) title = fresh.title;
    showTitle();
  };
  let lastSaid = $("[data-announce]")?.dataset.announce;

  // A pointer that moved less than this long ago is about to be clicked, in milliseconds.
  const STILL = 3000;
  let moved = 0;
  let letIn = false;
  addEventListener("pointermove", () => { moved = Date.now(); }, { passive: true });

  // Rows by id: one that is the same stays as it is, so that the hand on it keeps its place.
  const takeRows = (list, next) => {
    const wanted = keys(next);
    const held = !letIn && list.matches(":hover") && Date.now() - moved < STILL;
    letIn = false;
    const come = wanted.filter((row) => !document.getElementById(row.id));
    if (held && come.length > 0 && list.getBoundingClientRect().top < innerHeight) {
      // Somebody points at a row: nothing may slide in under the pointer. Others still change in place.
      for (const row of wanted) {
        const old = document.getElementById(row.id);
        if (old && known.get(row.id) !== row.outerHTML) {
          known.set(row.id, row.outerHTML);
          replace(old, row.cloneNode(true));
        }
      }
      offer(come.length, list);
      setTimeout(refresh, STILL);
      return;
    }
    $(".fresh")?.remove();
    const ids = new Set(wanted.map((row) => row.id));
    for (const row of keys(list)) if (!ids.has(row.id)) { row.remove(); known.delete(row.id); }
    let place = list.firstElementChild;
    let changed = null;
    for (const row of wanted) {
      const text = row.outerHTML;
      let old = document.getElementById(row.id);
      if (!old) {
        old = row.cloneNode(true);
        list.insertBefore(old, place);
        tellTimes(old);
        old.classList.add("changed");
        changed = old;
      } else {
        if (old === place) place = place.nextElementSibling;
        else list.insertBefore(old, place);
        if (known.get(row.id) !== text) {
          const copy = row.cloneNode(true);
          replace(old, copy);
          changed = copy;
        }
      }
      known.set(row.id, text);
    }
    known.set(next.id, next.outerHTML);
    if (changed) {
      const what = $(".row-title", changed)?.textContent;
      if (what) announce(`${what}: ${$(".state-word", changed)?.textContent ?? ""}`);
    }
  };

  const offer = (count, list) => {
    let button = $(".fresh");
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.className = "fresh primary";
      button.addEventListener("click", () => { button.remove(); letIn = true; refresh(); });
      list.before(button);
    }
    button.textContent = count === 1 ? "1 new intent" : `${count} new intents`;
  };

  const announce = (words) => {
    const place = $("#announce");
    if (place) place.textContent = words;
  };

  // --- Reading again: never two at once, at most one a second --------------------------

  let reading = false;
  let again = false;
  let next = 0;
  let timer = 0;
  const refresh = async () => {
    if (reading) { again = true; return; }
    reading = true;
    clearTimeout(timer);
    timer = 0;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-cache" });
      if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // The stream says that the operator is away; it is read again when it is back.
    } finally {
      reading = false;
      next = Date.now() + 1000;
      if (again) { again = false; soon(); }
    }
  };
  const soon = () => {
    if (timer) return;
    timer = setTimeout(() => { timer = 0; refresh(); }, Math.max(40, next - Date.now()));
  };

  // --- The stream ---------------------------------------------------------------------

  const about = document.body.dataset.live;
  const link = $("#link-state");
  const tell = (is, words) => {
    if (!link) return;
    link.hidden = false;
    link.dataset.is = is;
    $(".link-word", link).textContent = words;
  };
  let stream = null;
  const connect = () => {
    if (!about || stream) return;
    stream = new EventSource(about === "*" ? "/api/v1/events" : `/api/v1/events?intent=${encodeURIComponent(about)}`);
    stream.onopen = () => {
      tell("live", "live");
      // What happened after the page was made and before the stream was open.
      soon();
    };
    stream.onerror = () => {
      const gone = stream?.readyState === EventSource.CLOSED;
      tell("lost", gone ? "not live" : "reconnecting");
      if (gone) { stream = null; setTimeout(() => { if (!document.hidden) { connect(); soon(); } }, 5000); }
    };
    stream.addEventListener("state", soon);
    stream.addEventListener("reset", soon);
  };
  // A hidden tab gives its connection back: browsers open six to a host, and no more.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { stream?.close(); stream = null; }
    else if (about) { connect(); soon(); }
  });
  addEventListener("pagehide", () => { stream?.close(); stream = null; });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    // Brought back by the back button: a form that is sent again is another intent.
    const nonce = $('#compose [name="nonce"]');
    if (nonce) nonce.value = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
    for (const button of $$("button[aria-busy]")) button.removeAttribute("aria-busy");
    connect();
    soon();
  });

  // How many wait for a person, in the tab's title.
  let title = document.title;
  const showTitle = () => {
    const waiting = Number($("#waiting")?.dataset.count ?? 0);
    document.title = waiting ? `(${waiting}) ${title}` : title;
  };

  // --- The plan as you write ----------------------------------------------------------

  const form = $("#compose");
  const text = $("#text");
  const preview = $("#preview");
  let asked = null;
  let shownFor = null;
  const draw = async () => {
    const content = new URLSearchParams(new FormData(form));
    content.delete("nonce");
    const key = content.toString();
    if (key === shownFor) return;
    asked?.abort();
    asked = new AbortController();
    preview.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch("/ui/preview", {
        method: "POST", body: content, signal: asked.signal, headers: { "x-fragment": "1" },
      });
      if (answer.status === 403) {
        shownFor = key;
        say("This page is older than the operator remembers. Load it again: your words are kept.");
        return;
      }
      const html = await answer.text();
      preview.innerHTML = html;
      preview.scrollTop = 0;
      const verdict = $(".verdict", preview)?.textContent;
      if (verdict) announce([verdict, $(".summary", preview)?.textContent].filter(Boolean).join(": "));
      shownFor = answer.status === 503 ? null : key;
      if (answer.status === 503) waitToDraw(1500);
      preview.removeAttribute("aria-busy");
    } catch (fault) {
      if (fault.name !== "AbortError") {
        shownFor = null;
        say("The operator does not answer. Your words are kept here.");
      }
    }
  };
  const say = (words) => {
    const note = document.createElement("p");
    note.className = "verdict bad";
    note.textContent = words;
    preview.replaceChildren(note);
    preview.removeAttribute("aria-busy");
  };
  let drawing = 0;
  const waitToDraw = (milliseconds) => {
    clearTimeout(drawing);
    drawing = setTimeout(draw, milliseconds);
  };
  if (form) {
    // 180 ms: the pause between two words, not between two letters.
    form.addEventListener("input", () => waitToDraw(180));
    for (const example of $$("[data-example]")) {
      example.addEventListener("click", (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        text.value = example.dataset.example;
        text.focus();
        draw();
      });
    }
    if (text.value.trim() && !$("[data-verdict]", preview)) draw();
  }

  // --- Forms: sent once; an act on what is shown is done in place ----------------------

  const act = async (form, button) => {
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form, button)), headers: { accept: "text/html" },
      });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const elsewhere = new URL(answer.url).pathname !== location.pathname;
      // A new intent was made: its story is where it goes on.
      if (answer.ok && answer.redirected && elsewhere) { location.assign(answer.url); return; }
      tellNotice($("#notice", page) ?? $(".problem", page));
      await refresh();
    } catch {
      const note = document.createElement("p");
      note.textContent = "The operator does not answer. It may have been done or not: look again when it is back.";
      tellNotice(note);
    }
    button.removeAttribute("aria-busy");
  };
  const tellNotice = (said) => {
    const place = $("#notice");
    if (!place) return;
    place.replaceChildren(...(said ? said.childNodes : []));
    place.hidden = !place.textContent.trim();
    if (!place.hidden) place.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button) return;
    if (button.getAttribute("aria-busy")) { event.preventDefault(); return; }
    button.setAttribute("aria-busy", "true");
    if ("inPlace" in event.target.dataset) {
      event.preventDefault();
      act(event.target, button);
    }
  });
  for (const select of $$("select[data-submit]")) {
    // Sent when a choice is made, not while the arrow keys pass over others.
    let by = "";
    select.addEventListener("keydown", (event) => { by = event.key; });
    select.addEventListener("pointerdown", () => { by = ""; });
    select.addEventListener("change", () => { if (!by.startsWith("Arrow")) select.form.requestSubmit(); });
    select.addEventListener("keyup", (event) => { if (event.key === "Enter") select.form.requestSubmit(); });
  }

  // --- Keys ---------------------------------------------------------------------------

  const step = (by) => {
    const rows = $$(".row-link");
    if (rows.length === 0) return;
    const at = rows.indexOf(document.activeElement);
    const to = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
    rows[to].focus();
    rows[to].scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey) return;
    const writing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && writing?.form) {
      event.preventDefault();
      const primary = $("button.primary", writing.form);
      writing.form.requestSubmit(primary ?? undefined);
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    if (writing) {
      if (event.key === "Escape") writing.blur();
      return;
    }
    if (event.key === "/" && text) { event.preventDefault(); text.focus(); }
    else if (event.key === "j") { event.preventDefault(); step(1); }
    else if (event.key === "k") { event.preventDefault(); step(-1); }
  });

  // --- Begin --------------------------------------------------------------------------

  for (const part of $$("[data-live-part]")) remember(part);
  tellTimes();
  // Seconds are told for the first minutes of an intent; this is often enough to look right.
  setInterval(() => { if (!document.hidden) tellTimes(); }, 5000);
  showTitle();
  if (!document.hidden) connect();
})();
