// Fetches the live part of the page again every two seconds. A page that cannot says so: old figures look like true ones.
"use strict";
const every = 2000;
const live = document.getElementById("live");
const stale = document.getElementById("stale");
let etag = "";
async function renew() {
  try {
    const answer = await fetch("/console/live", { headers: etag ? { "If-None-Match": etag } : {}, signal: AbortSignal.timeout(10000) });
    if (answer.status === 401) { location.reload(); return; }
    if (answer.status === 200) {
      live.innerHTML = await answer.text();
      etag = answer.headers.get("ETag") || "";
    } else if (answer.status !== 304) {
      throw new Error(String(answer.status));
    }
    stale.classList.remove("on");
  } catch (_unreachable) {
    stale.classList.add("on");
  }
  setTimeout(renew, every);
}
setTimeout(renew, every);
