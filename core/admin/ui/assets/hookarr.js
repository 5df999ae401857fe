"use strict";
// What works without this works with it: times are shown in the viewer's zone, parts of a
// page follow what happens, and a one-time code in the address is sent by itself.
(() => {
  const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

  function ago(time) {
    const seconds = Math.round((Date.now() - time) / 1000);
    const distance = Math.abs(seconds);
    const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
    const [unit, size] = units.find(([, size]) => distance >= size) ?? ["second", 1];
    return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(-Math.trunc(seconds / size), unit);
  }

  function localTimes() {
    for (const element of document.querySelectorAll("time[datetime]")) {
      const time = Date.parse(element.dateTime);
      if (Number.isNaN(time)) continue;
      const relative = element.classList.contains("ago");
      element.textContent = relative ? ago(time) : clock.format(time);
      if (relative) element.title = clock.format(time);
    }
  }

  // localFilters has a form show and take times of the viewer's zone, and leave out of the
  // address what is empty.
  function localFilters(form) {
    const two = (n) => String(n).padStart(2, "0");
    for (const input of form.querySelectorAll("input[data-time]")) {
      const time = /Z$/.test(input.value) ? new Date(input.value) : null;
      if (!time || Number.isNaN(time.getTime())) continue;
      input.value = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
    }
    const zone = form.querySelector(".zone");
    if (zone) zone.textContent = `Times are in ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`;
    form.addEventListener("formdata", (event) => {
      const entries = [...event.formData].filter(([, value]) => value !== "");
      for (const name of new Set(event.formData.keys())) event.formData.delete(name);
      for (const [name, value] of entries) {
        const local = /^(\d{4,})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?$/.exec(value);
        const timed = local && form.elements[name]?.dataset?.time !== undefined;
        event.formData.append(name, timed ? new Date(local[1], local[2] - 1, local[3], local[4] ?? 0, local[5] ?? 0, local[6] ?? 0).toISOString() : value);
      }
    });
  }

  // follow keeps one stream open while the page is seen. When there is none, the parts are
  // fetched every few seconds, and a new one is tried more and more seldom.
  function follow(button) {
    let source = null, paused = false, timer = 0, failures = 0;

    const tell = (name, data) => button.dispatchEvent(new CustomEvent(name, { detail: data }));
    const show = (state) => {
      button.hidden = false;
      button.dataset.state = state;
      button.textContent = state;
      button.title = paused ? "Follow what happens" : "Leave the page as it is";
    };
    const stop = () => {
      clearTimeout(timer);
      source?.close();
      source = null;
    };
    const again = () => {
      stop();
      show("reconnecting");
      failures++;
      timer = setTimeout(() => { tell("resync"); connect(); }, Math.min(30000, 500 * 2 ** failures) * (0.7 + 0.6 * Math.random()));
    };
    const connect = () => {
      stop();
      if (paused || document.hidden) return;
      source = new EventSource(button.dataset.url);
      source.onopen = () => {
        if (failures > 0) tell("resync");
        failures = 0;
        show("live");
      };
      source.onerror = again;
      for (const name of ["events", "deliveries", "targets", "sources", "plugins", "silences", "config", "resync"]) {
        source.addEventListener(name, (message) => tell(name, message.data));
      }
    };

    button.addEventListener("click", () => {
      paused = !paused;
      if (paused) { stop(); show("paused"); } else { tell("resync"); connect(); }
    });
    // A browser has six connections to a server: tabs that nobody sees give theirs back.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) stop();
      else if (!paused) { tell("resync"); connect(); }
    });
    window.addEventListener("pagehide", stop);
    window.addEventListener("pageshow", (event) => { if (event.persisted && !paused) { tell("resync"); connect(); } });
    connect();
  }

  // hookarr open prints an address whose part after # never leaves the browser in a GET.
  function useLink() {
    const link = document.getElementById("link");
    if (!link || location.hash.length < 2) return;
    link.elements.link.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname + location.search);
    link.requestSubmit();
  }

  document.addEventListener("DOMContentLoaded", () => {
    localTimes();
    setInterval(localTimes, 30000);
    document.addEventListener("htmx:after:swap", localTimes);

    // Narrow windows show a part of the sections. To scroll one into view would have Tab go on from there.
    const here = document.querySelector("nav.sections [aria-current]");
    if (here) here.closest("nav").scrollLeft = here.offsetLeft - (here.closest("nav").clientWidth - here.offsetWidth) / 2;

    const stream = document.getElementById("stream");
    if (stream) follow(stream);

    for (const select of document.querySelectorAll("form.theme select")) {
      select.addEventListener("change", () => select.form.requestSubmit());
      select.form.querySelector("button").hidden = true;
    }
    for (const button of document.querySelectorAll("button[data-copy]")) {
      if (!navigator.clipboard) continue;
      button.hidden = false;
      button.addEventListener("click", () => navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent));
    }
    for (const form of document.querySelectorAll("form.filters")) localFilters(form);
    useLink();
    // Who pastes it into a tab that shows the sign-in changes nothing but that part.
    window.addEventListener("hashchange", useLink);
  });
})();
